"""What a cluster in memory is made of: pods, Deployments, and the pages of Envoy's admin interface."""

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

import msgspec
import yaml

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.snapshot import Answer
from tests.fake_cluster import printed


@lru_cache
def ports_of(config: str) -> dict[int, str]:
    """Give the listeners of a configuration by their ports."""
    listeners = yaml.load(config, yaml.CSafeLoader)["static_resources"]["listeners"]
    return {each["address"]["socket_address"]["port_value"]: each["name"] for each in listeners}


def key_of(resource: str, manifest: Manifest) -> tuple[str, str, str]:
    """Say under what an object is kept."""
    return resource, manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"]


def labels_of(manifest: Manifest) -> dict[str, str]:
    """Give an object's labels."""
    return manifest["metadata"].get("labels") or {}


def typed(item: Manifest, kind: type) -> kube.KubeObject:
    """Read an object's kept fields."""
    made: kube.KubeObject = msgspec.convert({key: value for key, value in item.items() if key != "kind"}, kind)
    return made


def fill_in(service: Manifest) -> None:
    """Fill in what the API server does for a Service."""
    service["spec"] |= {
        "clusterIPs": ["10.96.0.10"],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "sessionAffinity": "None",
        "type": "ClusterIP",
    }
    service["spec"]["ports"][0]["protocol"] = "TCP"


def stats_page(path: str, connections: int, passed_through: int) -> Answer:
    """Filter as Envoy does: by a regular expression over names."""
    wanted = re.compile(parse_qs(path.partition("?")[2])["filter"][0])
    counters = {
        "http.grpc.downstream_cx_active": connections,
        "http.status.downstream_cx_active": 1,
        "listener.tcp-8080.downstream_cx_active": passed_through,
        "listener.tcp-8080.worker_0.downstream_cx_active": passed_through,
        "listener.127.0.0.1_19001.downstream_cx_active": 1,
    }
    return printed(
        json.dumps(
            {"stats": [{"name": name, "value": value} for name, value in counters.items() if wanted.search(name)]}
        )
    )


def make_ready(pod: Manifest) -> None:
    """Let a pod be ready."""
    pod["status"]["conditions"] = [{"type": "Ready", "status": "True"}]


def is_ready(pod: Manifest) -> bool:
    """Tell whether a pod is ready."""
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"]["conditions"])


def deployment(name: str) -> Manifest:
    """A Deployment of two pods."""
    return {"kind": "Deployment", "metadata": {"name": name, "namespace": "shop"}, "spec": {"replicas": 2}}


def replica_set(name: str) -> Manifest:
    """What stands between a Deployment and its pods."""
    owner = {"kind": "Deployment", "name": name.rpartition("-")[0], "controller": True}
    return {
        "kind": "ReplicaSet",
        "metadata": {"name": name, "namespace": "shop", "ownerReferences": [owner]},
        "spec": {"replicas": 2},
    }


def envoy_pod(name: str, ip: str, deployment: Manifest, waiting: dict[str, Any] | None) -> Manifest:
    """A pod of Envoy's Deployment, running or waiting."""
    template = deployment["spec"]["template"]
    state: Manifest = {"waiting": waiting} if waiting else {"running": {}}
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "labels": template["metadata"]["labels"],
            "annotations": {
                **(template["metadata"].get("annotations") or {}),
                "fake/deployment": deployment["metadata"]["name"],
            },
        },
        "spec": {"nodeName": "node-a", "containers": template["spec"]["containers"]},
        "status": {
            "phase": "Pending" if waiting else "Running",
            "podIP": ip,
            "conditions": [{"type": "Ready", "status": "False" if waiting else "True"}],
            "containerStatuses": [{"name": "envoy", "ready": not waiting, "state": state}],
        },
    }


def number_of(port: Manifest, pods: Iterable[Manifest]) -> int | None:
    """Resolve a Service's target port as the endpoints' controller does."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    declared = (each for pod in pods for container in pod["spec"]["containers"] for each in container.get("ports", ()))
    return next((each["containerPort"] for each in declared if each.get("name") == target), None)
