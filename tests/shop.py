"""The Service `greeter` of namespace `shop` in as many shapes as the tests need, as plain API data."""

import json
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


def slice_of(
    endpoints: Sequence[Data], *, name: str = "greeter-abcde", port: int | None = 50051, of: str = "greeter"
) -> Data:
    """An EndpointSlice of the Service, or of another one."""
    return {
        "metadata": {"name": name, "namespace": "shop", "labels": {"kubernetes.io/service-name": of}},
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


def look(
    own: str,
    peers: Sequence[str],
    *,
    later: Sequence[str] | None = None,
    port: int = 50051,
    accepted: int | None = None,
) -> str:
    """What the look's script prints where netstat tells: peers are `address:port`, `accepted` between the looks."""
    looks = zip((peers, peers if later is None else later), (0, accepted or 0), strict=True)
    lines = ["#grpclb script 1", "#grpclb search shop.svc.cluster.local svc.cluster.local cluster.local"]
    for number, (seen, opened) in enumerate(looks, 1):
        lines += [
            f"#grpclb look {number} netstat-wide",
            *([] if accepted is None else ["Tcp: RtoAlgorithm PassiveOpens", f"Tcp: 1 {opened}"]),
            "#grpclb sockets",
            "Active Internet connections (servers and established)",
        ]
        lines += ["Proto Recv-Q Send-Q Local Address           Foreign Address         State"]
        lines += [f"tcp 0 0 0.0.0.0:{port} 0.0.0.0:* LISTEN"]
        lines += [f"tcp 0 0 {own}:{port} {peer} ESTABLISHED" for peer in seen]
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
    refused, pages, told = (changes.pop(each, None) for each in ("refused", "pages", "told"))
    return FakeCluster(objects_of(**{**objects, **changes}), looks, refused, pages=pages, told=told)


HEADLESS = "greeter-grpclb-pods"
ENVOYS = ("greeter-grpclb-envoy-6b7f9c8d4-e1e1e", "greeter-grpclb-envoy-6b7f9c8d4-e2e2e")
OURS = {"app.kubernetes.io/managed-by": "kubectl-grpclb", "grpclb/service": "greeter"}
CUT_OVER = {"app": "greeter-grpclb-envoy"}


def headless(**spec: object) -> Data:
    """The Service of a fix that has the original's selector."""
    made = service(
        clusterIP="None",
        **{"ports": [{"name": "grpc", "port": 50051, "targetPort": 50051}], **spec},
    )
    return {**made, "metadata": {"name": HEADLESS, "namespace": "shop", "labels": OURS}}


def envoys() -> list[Data]:
    """The pods of a fix."""
    made = [pod(name, f"10.244.2.{number}", **_ENVOY) for number, name in enumerate(ENVOYS, 31)]
    for each in made:
        each["metadata"]["labels"] |= OURS
        each["spec"]["containers"] = [{"name": "envoy", "ports": [{"name": "grpc", "containerPort": 50051}]}]
    return made


_ENVOY: Data = {"created": YOUNG, "app": "greeter-grpclb-envoy"}


def hosts(*requests: int, cluster: str = "servers") -> Answer:
    """What an Envoy's /clusters says: requests since it began, of the first pod, the second, and so on."""
    statuses = [
        {
            "address": {"socket_address": {"address": f"10.244.0.{number}", "port_value": 50051}},
            "stats": [
                {"name": "rq_total", **({"value": str(total)} if total else {})},
                {"type": "GAUGE", "name": "cx_active", "value": "2"},
            ],
            "health_status": {"eds_health_status": "HEALTHY"},
        }
        for number, total in enumerate(requests, 11)
    ]
    named = {"name": cluster, "host_statuses": statuses}
    return printed(json.dumps({"cluster_statuses": [named, {"name": "admin", "host_statuses": []}]}))


def downstream(connections: int) -> Answer:
    """What an Envoy's /stats says of its clients."""
    counters = {"http.grpc.downstream_cx_active": connections, "http.status.downstream_cx_active": 1}
    return printed(json.dumps({"stats": [{"name": name, "value": value} for name, value in counters.items()]}))


def told(first: Answer, last: Answer, clients: int = 1, envoy: str = ENVOYS[0]) -> dict[str, Sequence[Answer]]:
    """An Envoy's pages: its hosts at both ends of the window, and its clients."""
    return {f"{envoy}/clusters": (first, last), f"{envoy}/stats": (downstream(clients),)}


def proxied(past: Sequence[str] = (), **changes: Any) -> FakeCluster:
    """After a fix: two Envoys before three servers, a hundred requests to each; `past` go to the first server."""
    backends, proxies = servers(), envoys()
    via = ["10.244.2.31:50001", "10.244.2.32:50001"]
    looks = {
        name: printed(look(f"10.244.0.{number}", [*via, *(past if name == PODS[0] else ())]))
        for number, name in enumerate(PODS, 11)
    }
    pages = {
        **told(hosts(500, 500, 500), hosts(560, 560, 560)),
        **told(hosts(0, 0, 7), hosts(40, 40, 47), 2, ENVOYS[1]),
    }
    whole: Data = {
        "services": [service(selector=CUT_OVER), headless()],
        "endpointslices": [
            slice_of([endpoint(each) for each in proxies], name="greeter-fghij"),
            slice_of([endpoint(each) for each in backends], name=f"{HEADLESS}-klmno", of=HEADLESS),
        ],
        "pods": [*backends, *proxies, *callers()],
    }
    pages |= changes.pop("pages", {})
    looks |= changes.pop("looks", {})
    return cluster_of(backends, looks, pages=pages, **{**whole, **changes})


def bypassed(**changes: Any) -> FakeCluster:
    """A fix beside the Service, which selects its servers again: both clients stick to the first pod."""
    backends, proxies = servers(), envoys()
    behind = slice_of([endpoint(each) for each in backends], name=f"{HEADLESS}-klmno", of=HEADLESS)
    whole: Data = {
        "services": [service(), headless()],
        "endpointslices": [slice_of([endpoint(each) for each in backends]), behind],
        "pods": [*backends, *proxies, *callers()],
    }
    return sticky(**{**whole, **changes})
