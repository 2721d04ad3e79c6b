"""The scenes of the end-to-end tests: a Service each, its servers and its clients, as manifests."""

from collections.abc import Iterable, Sequence
from typing import Any

Manifest = dict[str, Any]

RESTRICTED = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def service(name: str, **spec: object) -> Manifest:
    """A ClusterIP Service for the servers of the same name."""
    whole = {"selector": {"app": name}, "ports": [{"name": "grpc", "port": 80, "targetPort": "grpc"}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {**whole, **spec}}


def servers(
    name: str,
    image: str = "netstat",
    replicas: int = 3,
    *,
    arguments: Sequence[str] = (),
    port: int = 50051,
    metrics: bool = False,
    channelz: bool = False,
) -> Manifest:
    """Servers that are ready as soon as they answer the kubelet's gRPC probe; as a rule only their sockets tell."""
    shown = [f"-metrics-port={9090 if metrics else 0}", f"-channelz={str(channelz).lower()}"]
    container = {
        "name": "greeter",
        "image": f"grpclb.test/greeter:{image}",
        "args": ["serve", *shown, *arguments],
        "ports": [
            {"name": "grpc", "containerPort": port},
            *([{"name": "metrics", "containerPort": 9090}] if metrics else []),
        ],
        "readinessProbe": {"grpc": {"port": 50051}, "periodSeconds": 5},
        "securityContext": RESTRICTED,
    }
    return deployment(name, replicas, container)


def callers(
    name: str, target: str, replicas: int = 2, *, rate: int = 50, image: str = "shell", arguments: Sequence[str] = ()
) -> Manifest:
    """Clients that call at a steady rate; they start only when somebody answers at the target."""
    container = {
        "name": "caller",
        "image": f"grpclb.test/greeter:{image}",
        "args": ["call", f"-target=dns:///{target}", f"-rate={rate}", *arguments],
        "securityContext": RESTRICTED,
    }
    return deployment(f"{name}-caller", replicas, container)


def deployment(name: str, replicas: int, container: Manifest) -> Manifest:
    """A Deployment of one container, ended at once when it is deleted."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "containers": [container],
                    "terminationGracePeriodSeconds": 1,
                    "automountServiceAccountToken": False,
                },
            },
        },
    }


def first() -> list[Manifest]:
    """Services and servers; clients come when these are ready, so that they find them all."""
    return [
        *_sticky("sticky-netstat", "netstat"),
        *_sticky("sticky-ss", "ss"),
        *_sticky("sticky-shell", "shell"),
        *_sticky("sticky-distroless", "distroless", replicas=2),
        service("spread", clusterIP="None"),
        servers("spread"),
        service("pickfirst", clusterIP="None"),
        servers("pickfirst"),
        service("scaled"),
        servers("scaled", replicas=1),
        service("churning"),
        servers("churning", "shell", 2),
        service("affine", sessionAffinity="ClientIP", type="NodePort"),
        servers("affine", replicas=2),
        service("alone"),
        servers("alone", replicas=1),
        service("mislabelled", selector={"app": "alone-server"}),
        service("misnamed", selector={"app": "alone"}, ports=[{"name": "grpc", "port": 80, "targetPort": "grcp"}]),
        service("misported", selector={"app": "alone"}, ports=[{"name": "grpc", "port": 80, "targetPort": 50052}]),
        service(
            "ambiguous",
            selector={"app": "alone"},
            ports=[{"name": "api", "port": 80}, {"name": "admin", "port": 8080, "targetPort": 50051}],
        ),
        service("elsewhere", type="ExternalName", externalName="greeter.example.com", ports=[], selector=None),
        service("retired"),
        _retirable(servers("retired", "shell", replicas=2)),
        service("unready"),
        _never_ready(servers("unready", replicas=1)),
    ]


def then() -> list[Manifest]:
    """The clients."""
    return [
        callers("sticky-netstat", "sticky-netstat:80"),
        callers("sticky-ss", "sticky-ss:80"),
        callers("sticky-shell", "sticky-shell:80"),
        callers("sticky-distroless", "sticky-distroless:80"),
        callers("spread", "spread:50051", arguments=["-policy=round_robin"]),
        callers("pickfirst", "pickfirst:50051"),
        callers("scaled", "scaled:80", replicas=8, rate=5),
        callers("churning", "churning:80", replicas=1, arguments=["-fresh"]),
        callers("retired", "retired:80", replicas=6, rate=5),
        callers("affine", "affine:80", replicas=1, arguments=["-channels=6"], rate=5),
    ]


def names(manifests: Iterable[Manifest]) -> list[str]:
    """The Deployments among the manifests that become ready, as kubectl names them."""
    return [
        f"deployment/{each['metadata']['name']}"
        for each in manifests
        if each["kind"] == "Deployment" and each["metadata"]["name"] != "unready"
    ]


def _sticky(name: str, image: str, replicas: int = 3) -> list[Manifest]:
    return [service(name), servers(name, image, replicas)]


def _retirable(manifest: Manifest) -> Manifest:
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    container["readinessProbe"] = {"exec": {"command": ["sh", "-c", "[ ! -e /tmp/retired ]"]}, "periodSeconds": 1}
    return manifest


def _never_ready(manifest: Manifest) -> Manifest:
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    container["readinessProbe"] = {"grpc": {"port": 50059}, "periodSeconds": 5}
    return manifest
