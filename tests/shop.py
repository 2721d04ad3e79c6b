"""The Service `greeter` of namespace `shop` in as many shapes as the tests need, as plain API data."""

from collections.abc import Mapping, Sequence
from typing import Any

from kubectl_grpclb.model.snapshot import Answer
from tests.fake_cluster import FakeCluster, objects_of, printed

OLD = "2026-11-23T11:00:00Z"
YOUNG = "2026-11-23T11:55:00Z"

PODS = ("greeter-7c9f8d5b6-x2x9k", "greeter-7c9f8d5b6-m4q7t", "greeter-7c9f8d5b6-b8v2n")
CALLERS = ("caller-5d6c7b8f9-aaaaa", "caller-5d6c7b8f9-bbbbb")

Data = dict[str, Any]


def service(**spec: object) -> Data:
    """A ClusterIP Service with one port; `spec` replaces what a case is about."""
    whole = {
        "type": "ClusterIP",
        "clusterIP": "10.96.0.10",
        "selector": {"app": "greeter"},
        "ports": [{"name": "grpc", "port": 80, "targetPort": "grpc"}],
    }
    return {"metadata": {"name": "greeter", "namespace": "shop"}, "spec": {**whole, **spec}}


def pod(name: str, ip: str, *, created: str = OLD, app: str = "greeter", **status: object) -> Data:
    """A running pod of a Deployment that listens on 50051."""
    owner = name.rsplit("-", 1)[0]
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "creationTimestamp": created,
            "labels": {"app": app, "pod-template-hash": owner.rsplit("-", 1)[1]},
            "ownerReferences": [{"kind": "ReplicaSet", "name": owner, "controller": True}],
        },
        "spec": {
            "nodeName": "node-a",
            "containers": [{"name": "main", "ports": [{"name": "grpc", "containerPort": 50051}]}],
        },
        "status": {
            "phase": "Running",
            "podIP": ip,
            "hostIP": "10.0.0.1",
            "containerStatuses": [{"name": "main", "ready": True, "state": {"running": {}}}],
            **status,
        },
    }


def endpoint(pod_data: Data, *, ready: bool = True, terminating: bool = False) -> Data:
    """The endpoint of a pod."""
    return {
        "addresses": [pod_data["status"]["podIP"]],
        "conditions": {"ready": ready, "serving": ready, "terminating": terminating},
        "nodeName": pod_data["spec"]["nodeName"],
        "targetRef": {"kind": "Pod", "name": pod_data["metadata"]["name"], "namespace": "shop"},
    }


def slice_of(endpoints: Sequence[Data], *, name: str = "greeter-abcde", port: int | None = 50051) -> Data:
    """An EndpointSlice of the Service."""
    return {
        "metadata": {"name": name, "namespace": "shop", "labels": {"kubernetes.io/service-name": "greeter"}},
        "addressType": "IPv4",
        "endpoints": list(endpoints),
        "ports": [] if port is None else [{"name": "grpc", "port": port, "protocol": "TCP"}],
    }


def servers(created: Sequence[str] = (OLD, OLD, OLD)) -> list[Data]:
    """The pods behind the Service."""
    return [
        pod(name, f"10.244.0.{number}", created=at)
        for number, (name, at) in enumerate(zip(PODS, created, strict=False), 11)
    ]


def callers() -> list[Data]:
    """The pods of the clients."""
    return [pod(name, f"10.244.1.{number}", app="caller") for number, name in enumerate(CALLERS, 21)]


def look(own: str, peers: Sequence[str], *, later: Sequence[str] | None = None, port: int = 50051) -> str:
    """What the look's script prints where netstat tells: peers are `address:port`."""
    return _look(own, port, peers, peers if later is None else later)


def _look(own: str, port: int, first: Sequence[str], last: Sequence[str]) -> str:
    lines = ["#grpclb script 1", "#grpclb search shop.svc.cluster.local svc.cluster.local cluster.local"]
    for number, peers in enumerate((first, last), 1):
        lines += [
            f"#grpclb look {number} netstat-wide",
            "#grpclb sockets",
            "Active Internet connections (servers and established)",
        ]
        lines += ["Proto Recv-Q Send-Q Local Address           Foreign Address         State"]
        lines += [f"tcp 0 0 0.0.0.0:{port} 0.0.0.0:* LISTEN"]
        lines += [f"tcp 0 0 {own}:{port} {peer} ESTABLISHED" for peer in peers]
        lines += ["", "#grpclb status 0"]
        lines += ["#grpclb waited 5"] if number == 1 else []
    return "\n".join([*lines, "#grpclb end", ""])


def sticky(**changes: Any) -> FakeCluster:
    """Both clients' connections on the first pod, two pods idle."""
    backends = servers()
    looks: Mapping[str, Answer] = {
        PODS[0]: printed(look("10.244.0.11", ["10.244.1.21:40001", "10.244.1.22:40002"])),
        PODS[1]: printed(look("10.244.0.12", [])),
        PODS[2]: printed(look("10.244.0.13", [])),
    }
    return cluster_of(backends, {**looks, **changes.pop("looks", {})}, **changes)


def cluster_of(backends: Sequence[Data], looks: Mapping[str, Answer], **changes: Any) -> FakeCluster:
    """A shop with these servers and what looking at them shows; `changes` replace whole resources."""
    objects: Data = {
        "namespaces": [{"metadata": {"name": "shop"}}, {"metadata": {"name": "shipping"}}],
        "services": [service()],
        "endpointslices": [slice_of([endpoint(each) for each in backends])],
        "pods": [*backends, *callers()],
        "nodes": [
            {
                "metadata": {"name": "node-a", "labels": {"topology.kubernetes.io/zone": "zone-a"}},
                "status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.1"}]},
            }
        ],
        "replicasets": [
            {
                "metadata": {
                    "name": "greeter-7c9f8d5b6",
                    "namespace": "shop",
                    "ownerReferences": [{"kind": "Deployment", "name": "greeter", "controller": True}],
                },
                "spec": {"replicas": 3},
            }
        ],
        "deployments": [{"metadata": {"name": "greeter", "namespace": "shop"}, "spec": {"replicas": 3}}],
    }
    refused = changes.pop("refused", None)
    return FakeCluster(objects_of(**{**objects, **changes}), looks, refused)
