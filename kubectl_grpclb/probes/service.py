"""The Service: what it is, and which of its ports carries gRPC."""

from collections.abc import Sequence

from kubectl_grpclb.model import facts, kube
from kubectl_grpclb.model.errors import ClusterError, UsageError
from kubectl_grpclb.model.snapshot import Get, Reading
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.probes.ask import Ask, found

__all__ = ["read_service", "read_service_behind", "request_service", "the_service"]

_GRPC_PROTOCOLS = frozenset({"grpc", "grpc-web"})
_HTTP2_PROTOCOLS = frozenset({"kubernetes.io/h2c", "h2c", "http2", "kubernetes.io/h2"})
"""Values of appProtocol that gRPC's transport is known by (KEP-3726; Istio's protocol selection)."""


def request_service(ask: Ask) -> Get:
    """Ask for the Service."""
    return Get(resource="services", name=ask.service, namespace=ask.namespace)


def the_service(readings: Sequence[Reading], ask: Ask) -> kube.Service:
    """Find the Service among the readings. Raises ClusterError where it is not there."""
    for service in found(readings, "services", kube.Service):
        if service.metadata.name == ask.service:
            return service
    raise ClusterError(f'Service "{printable(ask.service)}" is not among what was read')


def read_service(service: kube.Service, port: str | None) -> facts.Service:
    """Say how the Service places connections. Raises UsageError where the port cannot be told."""
    return _read(service, None if service.spec.type == "ExternalName" else _choose(service, port))


def read_service_behind(headless: kube.Service, front: facts.Service) -> facts.Service:
    """Say the same of the Service behind the one that is diagnosed; its ports have the names of that one's."""
    name = front.port.name if front.port else None
    ports = [port for port in headless.spec.ports or () if port.protocol == "TCP"]
    named = [port for port in ports if port.name == name] or ports
    return _read(headless, _port(named[0]) if len(named) == 1 else None)


def _read(service: kube.Service, port: facts.ServicePort | None) -> facts.Service:
    spec = service.spec
    return facts.Service(
        type=spec.type,
        headless=spec.cluster_ip == "None",
        selector=spec.selector or {},
        port=port,
        external_name=spec.external_name if spec.type == "ExternalName" else None,
        session_affinity=spec.session_affinity == "ClientIP",
        internal_traffic_policy=spec.internal_traffic_policy or "Cluster",
        external_traffic_policy=spec.external_traffic_policy,
        traffic_distribution=spec.traffic_distribution,
    )


def _choose(service: kube.Service, wanted: str | None) -> facts.ServicePort:
    ports = [port for port in service.spec.ports or () if port.protocol == "TCP"]
    if wanted is not None:
        return _named(service, ports, wanted)
    for recognised in (_says_grpc, _named_grpc, _says_http2, _any):
        matching = [port for port in ports if recognised(port)]
        if len(matching) == 1:
            return _port(matching[0])
        if matching:
            break
    name = printable(service.metadata.name)
    if not ports:
        raise UsageError(f"Service {name} has no TCP port: name the pods' port with --port NUMBER")
    raise UsageError(f"Service {name} has several ports, and it does not say which one carries gRPC:\n"
                     f"{_listing(ports)}\nChoose one with --port NAME or --port NUMBER.")  # fmt: skip


def _named(service: kube.Service, ports: Sequence[kube.ServicePort], wanted: str) -> facts.ServicePort:
    for port in ports:
        if wanted in {port.name, str(port.port)} - {""}:
            return _port(port)
    if not ports and wanted.isascii() and wanted.isdigit() and 0 < int(wanted) < 65536:
        return facts.ServicePort(name="", number=int(wanted), target=int(wanted), app_protocol=None)
    raise UsageError(f"Service {printable(service.metadata.name)} has no TCP port \"{printable(wanted)}\"; it has:\n"
                     f"{_listing(ports)}")  # fmt: skip


def _says_grpc(port: kube.ServicePort) -> bool:
    return (port.app_protocol or "").lower() in _GRPC_PROTOCOLS


def _named_grpc(port: kube.ServicePort) -> bool:
    return "grpc" in port.name.lower().split("-")


def _says_http2(port: kube.ServicePort) -> bool:
    return (port.app_protocol or "").lower() in _HTTP2_PROTOCOLS


def _any(_: kube.ServicePort) -> bool:
    return True


def _port(port: kube.ServicePort) -> facts.ServicePort:
    return facts.ServicePort(
        name=port.name,
        number=port.port,
        target=port.port if port.target_port is None else port.target_port,
        app_protocol=port.app_protocol,
    )


def _listing(ports: Sequence[kube.ServicePort]) -> str:
    return "\n".join(
        f"  {port.port}"
        + (f"  {printable(port.name)}" if port.name else "")
        + (f"  (appProtocol {printable(port.app_protocol)})" if port.app_protocol else "")
        for port in ports
    )
