"""An API server of a version on loopback, with what the real one had, and the real adapter to ask it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web
from msgspec import Struct

from kubectl_grpclb.cluster.kube import KubeWorkshop
from kubectl_grpclb.flows.diagnose import diagnosed
from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.model.snapshot import Snapshot
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.gather import gather
from tests.cluster.api_server import Conversation, executes, refuses, says
from tests.versions.api import as_of, recorded

__all__ = ["ASK", "Change", "Seen", "read_from", "seen"]

ASK = Ask("store", "greeter")
SUCCESS = {"kind": "Status", "status": "Success"}

LISTS: Mapping[str, tuple[str, str]] = {
    "/api/v1/namespaces": ("namespaces", "Namespace"),
    "/api/v1/nodes": ("nodes", "Node"),
    "/api/v1/pods": ("pods", "Pod"),
    "/api/v1/namespaces/store/pods": ("pods", "Pod"),
    "/api/v1/namespaces/store/services": ("services", "Service"),
    "/api/v1/namespaces/store/resourcequotas": ("resourcequotas", "ResourceQuota"),
    "/apis/apps/v1/namespaces/store/deployments": ("deployments", "Deployment"),
    "/apis/apps/v1/namespaces/store/replicasets": ("replicasets", "ReplicaSet"),
    "/apis/autoscaling/v2/namespaces/store/horizontalpodautoscalers": (
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
    ),
    "/apis/discovery.k8s.io/v1/namespaces/store/endpointslices": ("endpointslices", "EndpointSlice"),
    "/apis/metrics.k8s.io/v1beta1/namespaces/store/pods": ("podmetrics", "PodMetrics"),
    "/apis/networking.k8s.io/v1/namespaces/store/networkpolicies": ("networkpolicies", "NetworkPolicy"),
}
"""Paths, and what was recorded of each: the file and the kind of its items."""

Change = Callable[[str, Any], Any]
"""Takes a kind and an object of it, and gives the object that is served in its place."""


class Seen(Struct, frozen=True):
    """What a report says, without when."""

    verdict: str
    findings: tuple[tuple[str, str], ...]
    pods: tuple[tuple[object, ...], ...]
    clients: tuple[tuple[object, ...], ...]
    autoscaled: tuple[str, ...]


def seen(report: Report) -> Seen:
    """Give what a report says."""
    return Seen(
        report.verdict,
        tuple((each.code, each.message) for each in report.findings),
        tuple(
            (each.name, each.ip, each.ready, each.node, each.zone, each.owner, each.connections, each.cpu_cores)
            for each in report.pods
        ),
        tuple((each.name, each.owner, each.connections, each.reaches) for each in report.clients),
        tuple(each.reason for each in report.skipped),
    )


def read_from(directory: Path, version: str, change: Change) -> tuple[Snapshot, Report]:
    """Have the adapter read the Service from a server that serves what was recorded, changed."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await _answer(request, version, change)

    async def scenario(cluster: KubeWorkshop) -> Snapshot:
        return await gather(cluster, ASK)

    snapshot: Snapshot = Conversation(directory, handle).run(scenario)
    return snapshot, diagnosed(snapshot)


def of_version(minor: int) -> Change:
    """Serve objects as 1.`minor` does."""
    return lambda kind, item: as_of(minor, kind, item)


async def _answer(request: web.Request, version: str, change: Change) -> web.StreamResponse:
    path = request.path
    if path == "/version":
        return await says(200, {"major": "1", "gitVersion": version})(request)
    if path.endswith("/exec"):
        look = recorded("looks")[path.split("/")[-2]].encode()
        return await executes(b"\x01", b"\x01" + look, status=SUCCESS)(request)
    if path in LISTS:
        return await says(200, _list(request, *LISTS[path], change))(request)
    folder, _, name = path.rpartition("/")
    if folder in LISTS:
        named, kind = LISTS[folder]
        found = [each for each in recorded(named)["items"] if each["metadata"]["name"] == name]
        if found:
            return await says(200, {"apiVersion": "v1", "kind": kind, **change(kind, found[0])})(request)
    return await refuses(404, "the server could not find the requested resource")(request)


def _list(request: web.Request, named: str, kind: str, change: Change) -> object:
    """Select as an API server does, by labels and by the address of a pod."""
    whole = recorded(named)
    wanted = dict(pair.split("=") for pair in request.query.get("labelSelector", "").split(",") if pair)
    address = request.query.get("fieldSelector", "").removeprefix("status.podIP=")
    items = [
        change(kind, each)
        for each in whole["items"]
        if wanted.items() <= (each["metadata"].get("labels") or {}).items()
        and address in {"", each.get("status", {}).get("podIP")}
    ]
    return {**whole, "items": json.loads(json.dumps(items))}
