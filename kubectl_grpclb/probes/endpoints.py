"""The Service's endpoints: which pods it leads to, on which port each, and in what state."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from kubectl_grpclb.model import facts, kube
from kubectl_grpclb.model.addresses import canonical
from kubectl_grpclb.model.snapshot import List, Reading
from kubectl_grpclb.probes.ask import Ask, found

__all__ = [
    "OVER",
    "Backend",
    "addresses_of",
    "age_of",
    "backends",
    "request_pods",
    "request_slices",
    "runs",
    "selected",
    "selector_text",
]

OVER = frozenset({"Succeeded", "Failed"})
"""Phases of pods that run no more."""

_SERVICE_NAME = "kubernetes.io/service-name"
"""The label of an EndpointSlice that says whose it is (KEP-752)."""


class Backend(Struct, frozen=True):
    """One server of the Service: an endpoint, its pod, or both."""

    name: str
    addresses: tuple[str, ...]
    target_port: int | None
    ready: bool
    serving: bool
    terminating: bool
    node: str | None
    zone: str | None
    pod: kube.Pod | None
    gone: bool = False
    """Its pod was deleted after the endpoints were read, which are read first."""


def request_slices(ask: Ask, name: str | None = None) -> List:
    """Ask for the EndpointSlices of the Service that is asked for, or of the one of this name beside it."""
    return List(
        resource="endpointslices",
        namespace=ask.namespace,
        label_selector=f"{_SERVICE_NAME}={name or ask.service}",
    )


def selector_text(selector: dict[str, str]) -> str:
    """Write a Service's selector as a label selector."""
    return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))


def request_pods(ask: Ask, service: facts.Service) -> list[List]:
    """Ask for the pods that the Service selects; without a selector its endpoints may be any of them."""
    if service.external_name is not None:
        return []
    return [List(resource="pods", namespace=ask.namespace, label_selector=selector_text(service.selector))]


def backends(readings: Sequence[Reading], ask: Ask, service: facts.Service, name: str | None = None) -> list[Backend]:
    """Merge the endpoints of all of a Service's slices with their pods: the ready ones first, then by name.

    `name` is the Service's where it is not the one that is asked for.
    """
    pods = {
        pod.metadata.name: pod
        for pod in found(readings, "pods", kube.Pod)
        if pod.metadata.namespace in {None, ask.namespace}
    }
    merged: dict[str, Backend] = {}
    for slice_ in found(readings, "endpointslices", kube.EndpointSlice):
        if (slice_.metadata.labels or {}).get(_SERVICE_NAME) != (name or ask.service):
            continue
        port = _port_of(slice_, service)
        for endpoint in slice_.endpoints or ():
            backend = _backend(endpoint, port, pods, ask.namespace)
            before = merged.get(backend.name)
            merged[backend.name] = backend if before is None else _same_pod(before, backend)
    for pod in pods.values():
        if pod.metadata.name not in merged and selected(pod, service) and pod.status.phase not in OVER:
            merged[pod.metadata.name] = _without_endpoint(pod, service)
    dialled = _dialled(merged.values()) if service.headless else merged.values()
    return sorted(dialled, key=lambda backend: (not backend.ready, backend.name))


def age_of(created: str | None, now: str) -> float | None:
    """Give the seconds between two RFC 3339 times, never below 0; None where one cannot be read."""
    try:
        return max(0.0, (datetime.fromisoformat(now) - datetime.fromisoformat(created or "")).total_seconds())
    except (ValueError, TypeError):
        return None


def _port_of(slice_: kube.EndpointSlice, service: facts.Service) -> int | None:
    if service.port is None:
        return None
    ports = slice_.ports or ()
    if not ports and service.headless and isinstance(service.port.target, int):
        return service.port.target
    return next((port.port for port in ports if (port.name or "") == service.port.name), None)


def _dialled(merged: Collection[Backend]) -> list[Backend]:
    """Give pods that lack the named port the number that the others have.

    DNS gives their addresses all the same, and clients dial all addresses at one number (CoreDNS,
    plugin/kubernetes/object/endpoint.go).
    """
    numbers = {backend.target_port for backend in merged if backend.target_port is not None}
    if len(numbers) != 1:
        return list(merged)
    (number,) = numbers
    return [replace(backend, target_port=number) for backend in merged]


def _backend(endpoint: kube.Endpoint, port: int | None, pods: dict[str, kube.Pod], namespace: str) -> Backend:
    reference = endpoint.target_ref
    named = reference.name if reference is not None and reference.kind == "Pod" else None
    ours = named is not None and reference is not None and reference.namespace in {None, namespace}
    pod = pods.get(named) if named and ours else None
    gone = ours and pod is None
    conditions = endpoint.conditions
    ready = conditions.ready is not False and not gone
    return Backend(
        name=named or (endpoint.addresses[0] if endpoint.addresses else "?"),
        addresses=tuple(canonical(address) for address in endpoint.addresses),
        target_port=port,
        ready=ready,
        serving=ready if conditions.serving is None else conditions.serving and not gone,
        terminating=conditions.terminating is True or gone,
        node=endpoint.node_name,
        zone=endpoint.zone,
        pod=pod,
        gone=gone,
    )


def _same_pod(one: Backend, other: Backend) -> Backend:
    return Backend(
        name=one.name,
        addresses=tuple(dict.fromkeys((*one.addresses, *other.addresses))),
        target_port=one.target_port if one.target_port is not None else other.target_port,
        ready=one.ready or other.ready,
        serving=one.serving or other.serving,
        terminating=one.terminating or other.terminating,
        node=one.node or other.node,
        zone=one.zone or other.zone,
        pod=one.pod or other.pod,
        gone=one.gone or other.gone,
    )


def _without_endpoint(pod: kube.Pod, service: facts.Service) -> Backend:
    return Backend(
        name=pod.metadata.name,
        addresses=tuple(addresses_of(pod)),
        target_port=_declared(pod, service.port.target) if service.port else None,
        ready=False,
        serving=False,
        terminating=pod.metadata.deletion_timestamp is not None,
        node=pod.spec.node_name,
        zone=None,
        pod=pod,
    )


def _declared(pod: kube.Pod, target: int | str) -> int | None:
    if isinstance(target, int):
        return target
    ports = (port for container in pod.spec.containers or () for port in container.ports or ())
    return next((port.container_port for port in ports if port.name == target), None)


def addresses_of(pod: kube.Pod) -> Iterable[str]:
    """Give a pod's addresses, each once, in canonical form."""
    listed = [each.ip for each in pod.status.pod_ips or ()]
    return dict.fromkeys(canonical(ip) for ip in (pod.status.pod_ip, *listed) if ip)


def runs(backend: Backend) -> bool:
    """Tell whether a container of the application runs."""
    statuses = (backend.pod.status.container_statuses or ()) if backend.pod else ()
    return any(each.state is not None and each.state.running is not None for each in statuses)


def selected(pod: kube.Pod, service: facts.Service) -> bool:
    """Tell whether the Service's selector matches the pod; without a selector none does."""
    labels = pod.metadata.labels or {}
    return bool(service.selector) and service.selector.items() <= labels.items()
