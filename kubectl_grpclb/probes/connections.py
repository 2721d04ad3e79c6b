"""Whose connections a pod's sockets are: those of clients, apart from its own, a sidecar's and the kubelet's."""

from collections.abc import Iterable, Mapping
from math import floor

from msgspec import Struct

from kubectl_grpclb.model import facts, kube
from kubectl_grpclb.model.addresses import is_loopback
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.probes.endpoints import Backend
from kubectl_grpclb.probes.sockets import Looks, Seen

__all__ = ["SIDECARS", "clients_of", "past_proxies"]

SIDECARS = frozenset({"istio-proxy", "linkerd-proxy", "kuma-sidecar", "consul-dataplane", "envoy-sidecar"})
"""Names that meshes give the proxy container of a pod."""


_BY_COMMAND = 2
"""Connections that one run of a probe's command may open; grpc_health_probe dials its own pod."""


class _Surroundings(Struct, frozen=True):
    own: frozenset[str]
    on_loopback: bool
    """The pod's own address is a loopback one, as in the lab."""
    on_host: bool
    """The pod has its node's network, and so its address: others on the node have it, too."""
    nodes: frozenset[str]
    """Where a kubelet's probe may come from: the nodes' addresses, and the pod's gateway, which is its node too."""
    probed: bool


def clients_of(
    backend: Backend, looks: Looks, nodes: Iterable[str], by: facts.Source = "exec", *, forwarded: bool = False
) -> facts.PodSockets | Gap:
    """Keep the connections of clients.

    Left out are peers that are the pod's own address, a sidecar's hops over loopback, and short-lived
    connections from a node, or the pod's gateway, to a port that the kubelet probes. A lasting connection from
    a node may be a client behind source NAT, so it stays, and so it does where the pod has its node's address itself.
    Where a mesh's proxy takes the clients' connections the answer is a Gap: its hops say nothing about them, and
    having none at the moment does not, either.

    `forwarded` says that channelz was asked on the port, over a connection that comes from loopback.
    """
    around = _Surroundings(
        own=frozenset(backend.addresses),
        on_loopback=any(is_loopback(address) for address in backend.addresses),
        on_host=bool(backend.pod and backend.pod.spec.host_network),
        nodes=frozenset(nodes) | {looks.gateway or ""},
        probed=bool(_probes_of_port(backend)),
    )
    outside = [seen for seen in looks.seen if not _inside(seen, around)]
    sidecar = _sidecar(backend.pod)
    if sidecar and len(outside) < len(looks.seen):
        return Gap(GapReason.SIDECAR, f"{sidecar} takes the clients' connections and makes its own to the port")
    of_clients = _without_probes(outside, around, _probes_of_port(backend), looks.waited)
    if sidecar and not of_clients:
        return Gap(GapReason.SIDECAR, f"{sidecar} takes the clients' connections, and no client came past it")
    return facts.PodSockets(
        connections=tuple(
            facts.Connection(
                peer=seen.peer,
                peer_port=seen.peer_port,
                lasting=seen.lasting,
                received=seen.received,
                segments=seen.segments,
                streams=seen.streams,
                open_streams=seen.open_streams,
                held_streams=seen.held_streams,
                messages=seen.messages,
            )
            for seen in of_clients
            if seen.established
        ),
        passed=sum(not seen.lasting for seen in of_clients),
        opened=_unexplained(looks.opened, backend.pod, looks.waited),
        waited=looks.waited,
        listening=None if around.on_loopback else backend.target_port in looks.listens_on,
        listens_on=looks.listens_on,
        tool=looks.tool,
        by=by,
        inside=0 if around.on_loopback else _held_inside(backend, looks, outside, by, forwarded=forwarded),
    )


def past_proxies(found: Mapping[str, facts.PodSockets | Gap]) -> dict[str, facts.PodSockets | Gap]:
    """Make Gaps of the pods to which nobody but something in themselves is connected: it may be a proxy with clients.

    Unless another pod shows that what is inside takes nobody's connections: as much or more is connected to that pod
    from within, and no fewer clients from outside, as where an application has a gateway for REST beside its port.
    """
    harmless = max((_beside_clients(each) for each in found.values()), default=0)
    return {name: _unless_hidden(each, harmless) for name, each in found.items()}


def _beside_clients(found: facts.PodSockets | Gap) -> int:
    if isinstance(found, Gap):
        return 0
    return found.inside if found.inside <= sum(each.lasting for each in found.connections) else 0


def _unless_hidden(found: facts.PodSockets | Gap, harmless: int) -> facts.PodSockets | Gap:
    if isinstance(found, Gap) or found.connections or found.passed or found.inside <= harmless:
        return found
    held = "1 connection" if found.inside == 1 else f"{found.inside} connections"
    return Gap(
        GapReason.SIDECAR,
        f"something in the pod itself holds {held} to the port, as a proxy does that takes the clients' connections",
    )


def _held_inside(backend: Backend, looks: Looks, outside: Iterable[Seen], by: facts.Source, *, forwarded: bool) -> int:
    """Count what lasts from within, apart from our own question, and in a single look from a probe's command."""
    clients = {id(seen) for seen in outside}
    held = sum(seen.lasting and seen.established and id(seen) not in clients for seen in looks.seen)
    commands = 0 if looks.waited else sum(probe.exec is not None for _, probe in _probes(backend.pod))
    ours = forwarded and (by == "channelz" or not looks.waited)
    return max(0, held - ours - _BY_COMMAND * commands)


def _inside(seen: Seen, around: _Surroundings) -> bool:
    if seen.peer in around.own and not (around.on_host and seen.lasting):
        return True
    return not around.on_loopback and (is_loopback(seen.peer) or is_loopback(seen.local))


def _without_probes(
    outside: list[Seen], around: _Surroundings, probes: Iterable[kube.Probe], waited: float
) -> list[Seen]:
    """Leave out the kubelet's; more than its periods explain are clients behind source NAT, who come and go."""
    others = [seen for seen in outside if not _is_probe(seen, around)]
    return others if len(outside) - len(others) <= sum(_opens(probe, waited) for probe in probes) else outside


def _is_probe(seen: Seen, around: _Surroundings) -> bool:
    return around.probed and not seen.lasting and seen.peer in around.nodes


def _sidecar(pod: kube.Pod | None) -> str | None:
    if pod is None:
        return None
    containers = (*(pod.spec.containers or ()), *(pod.spec.init_containers or ()))
    return next((container.name for container in containers if container.name in SIDECARS), None)


def _probes(pod: kube.Pod | None) -> list[tuple[kube.Container, kube.Probe]]:
    spec = pod.spec if pod else kube.PodSpec()
    return [
        (container, probe)
        for container in (*(spec.containers or ()), *(spec.init_containers or ()))
        for probe in (container.readiness_probe, container.liveness_probe, container.startup_probe)
        if probe is not None
    ]


def _ports(probe: kube.Probe) -> list[int | str]:
    actions = (probe.http_get, probe.tcp_socket, probe.grpc)
    return [action.port for action in actions if action is not None and action.port is not None]


def _probes_of_port(backend: Backend) -> list[kube.Probe]:
    return [
        probe
        for container, probe in _probes(backend.pod)
        if any(_number(container, port) == backend.target_port for port in _ports(probe))
    ]


def _number(container: kube.Container, port: int | str) -> int | None:
    if isinstance(port, int):
        return port
    return next((each.container_port for each in container.ports or () if each.name == port), None)


def _unexplained(opened: int | None, pod: kube.Pod | None, waited: float) -> int | None:
    """Take off as many accepted connections as the kubelet's probes may have opened during the window."""
    if opened is None:
        return None
    return max(0, opened - sum(_opens(probe, waited) for _, probe in _probes(pod)))


def _opens(probe: kube.Probe, waited: float) -> int:
    runs = floor(waited / max(1, probe.period_seconds or 10)) + 1
    return runs * (len(_ports(probe)) if probe.exec is None else _BY_COMMAND)
