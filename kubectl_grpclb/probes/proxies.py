"""Envoys of others among the clients: where their admin interface is, and what they know of this Service's servers."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence

from kubectl_grpclb.model import facts, kube
from kubectl_grpclb.model.addresses import canonical
from kubectl_grpclb.model.admin import HOSTS_PAGE, HostSeen, hosts_of
from kubectl_grpclb.model.bundle import ADMIN_PORT, FIELD_MANAGER, MANAGED_BY
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import AskEnvoy, Reading, Refused, Request
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.clients import known_addresses
from kubectl_grpclb.probes.endpoints import Backend
from kubectl_grpclb.probes.envoys import as_host
from kubectl_grpclb.probes.looks import peers_of
from kubectl_grpclb.probes.owners import owner_of
from kubectl_grpclb.probes.service import the_service

__all__ = ["ask_proxies", "proxies_of"]

_MOST_PROXIES = 10
_LIMIT = 10.0
"""Seconds that one proxy may take."""

_ADMIN = "admin"
"""What the name of a declared port holds where it is that of the admin interface."""

_PORTS: dict[str, tuple[int, ...]] = {
    "envoy": (ADMIN_PORT, 9901),
    "envoy-sidecar": (ADMIN_PORT, 9901),
    "istio-proxy": (15000,),
    "kuma-sidecar": (9901,),
    "consul-dataplane": (19000,),
    "proxy": (),
}
"""Containers that are Envoy by their name, with the admin ports of those who name them so where none is declared:
Envoy Gateway and Envoy's own examples, Istio (istio.io, "Ports used by Istio"), Kuma (`kuma-dp --admin-port`), Consul
(`consul-dataplane -envoy-admin-bind-port`). A `proxy` may be anything, and is asked at a declared port only."""


async def ask_proxies(
    readings: Sequence[Reading],
    ask: Ask,
    servers: Sequence[Backend],
    carry_out: Callable[[Sequence[Request]], Awaitable[Sequence[Reading]]],
) -> None:
    """Ask each client that looks like an Envoy once for its hosts, at the next port where nothing is at the first."""
    if not ask.asks("channelz"):
        return
    hosts = tuple(sorted({address for server in servers for address in server.addresses} | _own(readings, ask)))
    waiting = [(pod, ports) for pod in _clients(readings, ask, servers) if (ports := _admin_ports(pod))]
    waiting = waiting[:_MOST_PROXIES]
    while waiting:
        answers = await carry_out([_request(pod, ports[0], ask, hosts) for pod, ports in waiting])
        waiting = [
            (pod, ports[1:])
            for (pod, ports), answer in zip(waiting, answers, strict=True)
            if len(ports) > 1 and _is_elsewhere(answer)
        ]


def proxies_of(
    readings: Sequence[Reading], ask: Ask, service: facts.Service, servers: Sequence[Backend]
) -> tuple[facts.Proxy, ...]:
    """Give the clients that answered as Envoys do, and know a server or the Service's own address and port."""
    own = {(address, service.port.number) for address in _own(readings, ask) if service.port is not None}
    answered = ((pod, _page(readings, ask, pod)) for pod in _clients(readings, ask, servers))
    proxies = (_proxy(pod, page, own, servers) for pod, page in answered)
    return tuple(each for each in proxies if each.hosts)


def _clients(readings: Sequence[Reading], ask: Ask, servers: Sequence[Backend]) -> Iterator[kube.Pod]:
    """Give the pods that connect to the servers, each once, without the Envoys of a fix."""
    holders = known_addresses(readings)
    pods = [holders[peer] for peer in sorted(peers_of(readings, ask, servers)) if peer in holders]
    once = {(pod.metadata.namespace, pod.metadata.name): pod for pod in pods}
    yield from (pod for pod in once.values() if (pod.metadata.labels or {}).get(MANAGED_BY) != FIELD_MANAGER)


def _admin_ports(pod: kube.Pod) -> tuple[int, ...]:
    """Give the ports to try, the likeliest first; none where no container looks like an Envoy."""
    for container in (*(pod.spec.containers or ()), *(pod.spec.init_containers or ())):
        if container.name in _PORTS and (ports := _of_container(container)):
            return ports
    return ()


def _of_container(container: kube.Container) -> tuple[int, ...]:
    declared = tuple(port.container_port for port in container.ports or () if _ADMIN in port.name)
    return declared[:1] or _PORTS[container.name]


def _request(pod: kube.Pod, port: int, ask: Ask, hosts: tuple[str, ...]) -> AskEnvoy:
    return AskEnvoy(
        namespace=pod.metadata.namespace or ask.namespace,
        pod=pod.metadata.name,
        path=HOSTS_PAGE,
        seconds=_LIMIT,
        port=port,
        hosts=hosts,
    )


def _is_elsewhere(reading: Reading) -> bool:
    """Tell whether the admin interface may be at another port: this one answered nothing, or something else."""
    answer = reading.answer
    if isinstance(answer, Refused):
        return answer.reason not in {GapReason.FORBIDDEN, GapReason.TIMED_OUT}
    return isinstance(hosts_of(answer), Gap)


def _page(readings: Sequence[Reading], ask: Ask, pod: kube.Pod) -> tuple[HostSeen, ...]:
    pages = (hosts_of(each.answer) for each in readings if _is_of(each.request, pod, ask))
    return next((each for each in pages if not isinstance(each, Gap)), ())


def _proxy(
    pod: kube.Pod, page: Sequence[HostSeen], own: Collection[tuple[str, int]], servers: Sequence[Backend]
) -> facts.Proxy:
    hosts = [as_host(each, servers) for each in page]
    known = _together([each for each in hosts if each.pod is not None or (each.address, each.port) in own])
    return facts.Proxy(
        name=pod.metadata.name,
        owner=owner_of(pod),
        hosts=known,
        dials_service=any(each.pod is None for each in known),
    )


def _is_of(request: Request, pod: kube.Pod, ask: Ask) -> bool:
    where = (pod.metadata.namespace or ask.namespace, pod.metadata.name, HOSTS_PAGE)
    return isinstance(request, AskEnvoy) and (request.namespace, request.pod, request.path) == where


def _together(hosts: Sequence[facts.ProxyHost]) -> tuple[facts.ProxyHost, ...]:
    """Make one of a host that several of the proxy's clusters have; each of them counts by itself."""
    by_end: dict[tuple[str, int], list[facts.ProxyHost]] = {}
    for host in hosts:
        by_end.setdefault((host.address, host.port), []).append(host)
    return tuple(_sum(same) for _, same in sorted(by_end.items()))


def _sum(same: Sequence[facts.ProxyHost]) -> facts.ProxyHost:
    return facts.ProxyHost(
        address=same[0].address,
        port=same[0].port,
        pod=same[0].pod,
        requests=sum(each.requests for each in same),
        active_requests=sum(each.active_requests for each in same),
        connections=sum(each.connections for each in same),
        healthy=any(each.healthy for each in same),
    )


def _own(readings: Sequence[Reading], ask: Ask) -> set[str]:
    """Give the Service's own addresses; a headless one has none."""
    spec = the_service(readings, ask).spec
    return {canonical(each) for each in (spec.cluster_ip, *(spec.cluster_ips or ())) if each and each != "None"}
