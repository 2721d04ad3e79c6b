"""An Envoy that somebody wrote by hand, between a client and a Service."""

import json
from collections.abc import Sequence

from kubectl_grpclb.remedies.envoy._words import Json, address, extension, http_manager, router
from tests.e2e.scenes import RESTRICTED, Manifest, callers, deployment, servers, service

IMAGE = "grpclb.test/envoy:1.40.0"
ADMIN = 9901
"""Not where ours has it, so that it is found at the second port that is tried."""


def first(name: str) -> list[Manifest]:
    """The Service and its servers, whose channelz tells."""
    return [service(name), servers(name, "distroless", channelz=True)]


def then(name: str, discovery: str, upstreams: Sequence[tuple[str, int]]) -> list[Manifest]:
    """The Envoy in front, which knows these upstreams, and a client of it."""
    edge = f"{name}-edge"
    ports = [{"name": "grpc", "port": 80, "targetPort": 8080}]
    return [
        _configured(edge, _bootstrap(discovery, upstreams)),
        service(edge, ports=ports),
        _envoy(edge),
        callers(edge, f"{edge}:80", 1, rate=20, arguments=["-channels=4"]),
    ]


def _configured(name: str, bootstrap: Json) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": {"envoy.json": json.dumps(bootstrap)},
    }


def _envoy(name: str) -> Manifest:
    container = {
        "name": "envoy",
        "image": IMAGE,
        "args": ["-c", "/etc/envoy/envoy.json", "--concurrency", "2"],
        "ports": [{"name": "grpc", "containerPort": 8080}],
        "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
        "securityContext": {**RESTRICTED, "runAsUser": 65532},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/envoy", "readOnly": True}],
    }
    made = deployment(name, 1, container)
    made["spec"]["template"]["spec"]["volumes"] = [{"name": "config", "configMap": {"name": name}}]
    return made


def _bootstrap(discovery: str, upstreams: Sequence[tuple[str, int]]) -> Json:
    route = {"match": {"prefix": "/"}, "route": {"cluster": "greeter", "timeout": "0s"}}
    manager = {
        "stat_prefix": "edge",
        "http_filters": [router()],
        "route_config": {"virtual_hosts": [{"name": "greeter", "domains": ["*"], "routes": [route]}]},
    }
    listener = {
        "name": "grpc",
        "address": address("0.0.0.0", 8080),
        "filter_chains": [{"filters": [http_manager(manager)]}],
    }
    return {
        "admin": {"address": address("127.0.0.1", ADMIN)},
        "static_resources": {"listeners": [listener], "clusters": [_cluster(discovery, upstreams)]},
    }


def _cluster(discovery: str, upstreams: Sequence[tuple[str, int]]) -> Json:
    places = [{"endpoint": {"address": address(host, port)}} for host, port in upstreams]
    protocol = extension(
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config={"http2_protocol_options": {}},
    )
    return {
        "name": "greeter",
        "type": discovery,
        "lb_policy": "ROUND_ROBIN",
        "dns_lookup_family": "V4_ONLY",
        "typed_extension_protocol_options": {protocol["name"]: protocol["typed_config"]},
        "load_assignment": {"cluster_name": "greeter", "endpoints": [{"lb_endpoints": places}]},
    }
