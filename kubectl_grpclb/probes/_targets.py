"""Where a pod offers metrics: what its annotations, the cluster's monitors, its ports and its sidecar say."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.kube_monitoring import MonitorEndpoint
from kubectl_grpclb.model.snapshot import Reading
from kubectl_grpclb.probes.ask import Ask, found

__all__ = ["Target", "port_of", "targets"]

_PATH = "/metrics"

_PORT_NAMES: Mapping[str, str] = {
    "metrics": _PATH,
    "http-metrics": _PATH,
    "prometheus": _PATH,
    "prom": _PATH,
    "monitoring": _PATH,
    "http-monitoring": _PATH,
    "telemetry": _PATH,
    "management": "/actuator/prometheus",  # Spring Boot
}
"""Names of container ports that metrics are offered on, and the path there."""


class Target(Struct, frozen=True):
    """Where to GET metrics."""

    port: int
    path: str = _PATH
    scheme: Literal["http", "https"] = "http"


_SIDECARS: Mapping[str, Target] = {
    "istio-proxy": Target(15020, "/stats/prometheus"),
    "linkerd-proxy": Target(4191),
}
"""By the proxy container's name."""


def targets(readings: Sequence[Reading], ask: Ask, pod: kube.Pod) -> Iterator[Target]:
    """Give the places that are said to have metrics, the likeliest first; none that the user chose."""
    yield from _annotated(pod)
    yield from _monitored(readings, ask, pod)
    for name, path in _PORT_NAMES.items():
        if (port := port_of(pod, name)) is not None:
            yield Target(port, path)
    for container in _containers(pod):
        if container.name in _SIDECARS:
            yield _SIDECARS[container.name]


def port_of(pod: kube.Pod, port: int | str | None) -> int | None:
    """Give the number of a container port, by number or name; None where no container declares the name."""
    if isinstance(port, int) or (isinstance(port, str) and port.isascii() and port.isdigit()):
        return int(port) if 0 < int(port) < 65536 else None
    declared = (each for container in _containers(pod) for each in container.ports or ())
    return next((each.container_port for each in declared if each.name and each.name == port), None)


def _containers(pod: kube.Pod) -> Iterable[kube.Container]:
    return (*(pod.spec.containers or ()), *(pod.spec.init_containers or ()))


def _annotated(pod: kube.Pod) -> Iterator[Target]:
    annotations = pod.metadata.annotations
    if annotations is None or (port := port_of(pod, annotations.prometheus_port)) is None:
        return
    yield _target(port, annotations.prometheus_path, annotations.prometheus_scheme)


def _monitored(readings: Sequence[Reading], ask: Ask, pod: kube.Pod) -> Iterator[Target]:
    """Follow the Prometheus Operator's monitors: PodMonitors by the pod's labels, ServiceMonitors by a Service's."""
    for monitor in found(readings, "podmonitors", kube.Monitor):
        if _watches(monitor, ask) and _matches(monitor.spec.selector, pod.metadata.labels or {}):
            for endpoint in monitor.spec.pod_metrics_endpoints or ():
                named = (endpoint.port, endpoint.port_number, endpoint.target_port)
                yield from _endpoint(endpoint, pod, named)
    services = [each for each in found(readings, "services", kube.Service) if _leads_to(each, ask, pod)]
    for monitor in found(readings, "servicemonitors", kube.Monitor):
        for service in services:
            if _watches(monitor, ask) and _matches(monitor.spec.selector, service.metadata.labels or {}):
                for endpoint in monitor.spec.endpoints or ():
                    yield from _endpoint(endpoint, pod, (_behind(service, endpoint.port), endpoint.target_port))


def _endpoint(endpoint: MonitorEndpoint, pod: kube.Pod, ports: Iterable[int | str | None]) -> Iterator[Target]:
    number = next((number for port in ports if (number := port_of(pod, port)) is not None), None)
    if number is not None:
        yield _target(number, endpoint.path, endpoint.scheme)


def _target(port: int, path: str | None, scheme: str | None) -> Target:
    return Target(port, path or _PATH, "https" if (scheme or "").lower() == "https" else "http")


def _behind(service: kube.Service, port: str | None) -> int | str | None:
    """Give the container port of a Service's named port."""
    named = next((each for each in service.spec.ports or () if port and each.name == port), None)
    return None if named is None else named.port if named.target_port is None else named.target_port


def _leads_to(service: kube.Service, ask: Ask, pod: kube.Pod) -> bool:
    selector = service.spec.selector or {}
    beside = service.metadata.namespace in {None, ask.namespace}
    return beside and bool(selector) and selector.items() <= (pod.metadata.labels or {}).items()


def _watches(monitor: kube.Monitor, ask: Ask) -> bool:
    spaces = monitor.spec.namespace_selector
    own = (monitor.metadata.namespace or ask.namespace,)
    return spaces.any or ask.namespace in (spaces.match_names or own)


def _matches(selector: kube.LabelSelector, labels: Mapping[str, str]) -> bool:
    """Everything must hold, and an empty selector matches all (meta/v1 LabelSelector)."""
    equal = all(labels.get(key) == value for key, value in (selector.match_labels or {}).items())
    return equal and all(_holds(each, labels) for each in selector.match_expressions or ())


def _holds(requirement: kube.LabelRequirement, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(requirement.key), requirement.values or ()
    outcome = {
        "In": value is not None and value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }
    return outcome.get(requirement.operator, False)
