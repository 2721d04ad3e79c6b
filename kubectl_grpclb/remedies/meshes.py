"""Service meshes: whether one carries the servers' connections already, and what it needs to balance gRPC."""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.remedies.words import declare_protocol

__all__ = ["Mesh", "hints", "mesh_of"]

_ISTIO_GRPC = ("grpc", "grpc-web", "http2")
_LINKERD_HTTP2 = frozenset({None, "kubernetes.io/h2c"})
"""To Linkerd `http` is HTTP/1, and other words opaque (linkerd/linkerd2, policy-controller/core/src/outbound.rs)."""


class Mesh(Struct, frozen=True):
    """A mesh that the servers are in."""

    name: Literal["Istio", "Istio ambient", "Linkerd"]
    seen: str
    """By what it was recognised."""


def mesh_of(around: Surroundings) -> Mesh | None:
    """Recognise a mesh by the servers' sidecars, or by what the namespace asks to be injected."""
    return next(_sidecars(around), None) or _injected(around)


def hints(facts: Facts, around: Surroundings, mesh: Mesh) -> tuple[str, ...]:
    """Say what makes a mesh balance requests: it has to know that the port speaks HTTP/2.

    Istio takes the protocol from appProtocol, else from the beginning of the port's name, and detects it only where
    neither says one (Istio, Protocol Selection); Linkerd detects it, unless the port is opaque or appProtocol says
    otherwise. Linkerd balances only what is dialled by a cluster address.
    """
    said = [_hint(facts, around, mesh)]
    if mesh.name == "Istio ambient":
        said.append(
            "In ambient mode only a waypoint balances requests; ztunnel carries whole connections. "
            f"istioctl waypoint apply -n {facts.target.namespace} --enroll-namespace makes one."
        )
    if mesh.name == "Linkerd" and facts.service.headless:
        said.append(
            "Linkerd balances what is dialled by a cluster address: give clients a Service that is not headless."
        )
    said.append(
        "The clients' pods must be in the mesh too, and must leave TLS to it; restart them after they joined, so that "
        "they connect through their proxy."
    )
    return tuple(said)


def _sidecars(around: Surroundings) -> Iterator[Mesh]:
    for pod in around.pods:
        annotations = pod.metadata.annotations or kube.Annotations()
        if annotations.istio_status is not None:
            yield Mesh("Istio", f"{pod.metadata.name} has the annotation sidecar.istio.io/status")
        if annotations.linkerd_version is not None:
            yield Mesh("Linkerd", f"{pod.metadata.name} has the annotation linkerd.io/proxy-version")
        for container in (*(pod.spec.containers or ()), *(pod.spec.init_containers or ())):
            if container.name == "istio-proxy":
                yield Mesh("Istio", f"{pod.metadata.name} has a container istio-proxy")
            if container.name == "linkerd-proxy":
                yield Mesh("Linkerd", f"{pod.metadata.name} has a container linkerd-proxy")
        if (pod.metadata.labels or {}).get("istio.io/dataplane-mode") == "ambient":
            yield Mesh("Istio ambient", f"{pod.metadata.name} has the label istio.io/dataplane-mode=ambient")


def _injected(around: Surroundings) -> Mesh | None:
    labels = around.namespace_labels
    annotations = around.namespace_annotations or kube.Annotations()
    if labels.get("istio-injection") == "enabled":
        return Mesh("Istio", "the namespace has the label istio-injection=enabled")
    if revision := labels.get("istio.io/rev"):
        return Mesh("Istio", f"the namespace has the label istio.io/rev={revision}")
    if labels.get("istio.io/dataplane-mode") == "ambient":
        return Mesh("Istio ambient", "the namespace has the label istio.io/dataplane-mode=ambient")
    if annotations.linkerd_inject in {"enabled", "ingress"}:
        return Mesh("Linkerd", f"the namespace has the annotation linkerd.io/inject={annotations.linkerd_inject}")
    return None


def _hint(facts: Facts, around: Surroundings, mesh: Mesh) -> str:
    port = facts.service.port
    if port is None:
        return "Give the port that carries gRPC an appProtocol, so that the mesh knows that it is HTTP/2."
    protocol, name = port.app_protocol, port.name
    known = protocol in _LINKERD_HTTP2 if mesh.name == "Linkerd" else _istio_knows(protocol, name)
    called = f"port {port.number}" + (f" ({name})" if name else "")
    if known:
        return (
            f"{called.capitalize()} is recognised as HTTP/2 as it is (appProtocol {protocol or 'unset'}), so look "
            f"whether the clients are in the mesh, {_besides(mesh)}and whether they bring TLS of their own."
        )
    value = "kubernetes.io/h2c" if mesh.name == "Linkerd" else "grpc"
    return (
        f"{called.capitalize()} does not say that it carries gRPC (appProtocol {protocol or 'unset'}). This says so: "
        + declare_protocol(facts, around.service, value)
    )


def _besides(mesh: Mesh) -> str:
    return "whether the port is declared opaque, " if mesh.name == "Linkerd" else ""


def _istio_knows(protocol: str | None, name: str) -> bool:
    if protocol is not None:
        return protocol in {*_ISTIO_GRPC, "kubernetes.io/h2c"}
    return any(name == known or name.startswith(f"{known}-") for known in _ISTIO_GRPC)
