"""A Service's surroundings and what is to be put there, in as many shapes as the tests need."""

from typing import Any

import msgspec
from msgspec.structs import replace

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.bundle import bundle_of
from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.plan import Check, Manifest
from kubectl_grpclb.model.surroundings import Spoken, Surroundings
from kubectl_grpclb.remedies.preflight import Intent
from tests.rules.builders import of_counts
from tests.shop import Data, callers, servers, service

HOME = {"kubernetes.io/metadata.name": "shop"}

INTENT = Intent(
    bundle=bundle_of("greeter"),
    envoy_labels={"app": "greeter-grpclb-envoy"},
    listen_ports=(50051,),
    replicas=2,
)


def known(*counts: int, **changes: Any) -> Facts:
    """Facts whose pods are those of `around`."""
    found = of_counts(*(counts or (2, 0, 0)), **changes)
    names = [pod["metadata"]["name"] for pod in servers()]
    return replace(found, pods=tuple(replace(pod, name=name) for pod, name in zip(found.pods, names, strict=False)))


def live(**spec: object) -> Manifest:
    """The whole Service, as the API server gives it."""
    made = service(**{"ports": [{"name": "grpc", "port": 80, "targetPort": "grpc", "protocol": "TCP"}], **spec})
    return {**made, "metadata": {**made["metadata"], "uid": "5f0c", "resourceVersion": "1041"}}


def pods(data: list[Data]) -> tuple[kube.Pod, ...]:
    """Pods of plain data."""
    return tuple(msgspec.convert(each, kube.Pod) for each in data)


def around(**changes: Any) -> Surroundings:
    """Nothing in the way: a ClusterIP Service, two clients beside it, no policy and no quota."""
    return replace(
        Surroundings(
            service=live(),
            ownership=(),
            pods=pods(servers()),
            clients=pods(callers()),
            other_services=(),
            taken=(),
            policies=(),
            quotas=(),
            pod_security=None,
            namespace_labels=HOME,
            gateway_api=False,
            spoken=(Spoken("greeter-7c9f8d5b6-x2x9k", 50051, "grpc", health=True),),
        ),
        **changes,
    )


def policy(name: str, **spec: object) -> kube.NetworkPolicy:
    """A NetworkPolicy of the namespace, as it is in a manifest."""
    return msgspec.convert({"metadata": {"name": name, "namespace": "shop"}, "spec": spec}, kube.NetworkPolicy)


def names(checks: tuple[Check, ...], level: str = "refuse") -> list[str]:
    """The checks of a level by name."""
    return [check.name for check in checks if check.level == level]
