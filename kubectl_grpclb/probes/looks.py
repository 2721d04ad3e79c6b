"""Which containers to look through, and what the looks at each pod came to."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from kubectl_grpclb.model import facts, kube
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.look import LOOK
from kubectl_grpclb.model.snapshot import Exec, OpenUp, Output, Reading, Refused, Request
from kubectl_grpclb.probes.ask import Ask, gap_of
from kubectl_grpclb.probes.channelz import channelz_of, was_asked
from kubectl_grpclb.probes.connections import SIDECARS, clients_of, past_proxies
from kubectl_grpclb.probes.endpoints import Backend
from kubectl_grpclb.probes.node import looks_from_nodes
from kubectl_grpclb.probes.nodes import addresses_of_nodes
from kubectl_grpclb.probes.sockets import Looks, look_request, parse_look, without_tool

__all__ = [
    "Views",
    "dark_of",
    "is_ours",
    "peers_of",
    "request_look",
    "request_looks",
    "running_containers",
    "shows_nothing",
    "sockets_of",
]


class Views(Struct, frozen=True):
    """What a server's connections are: by the source to go by, and by the others that answered."""

    best: facts.PodSockets | Gap
    others: tuple[facts.PodSockets, ...] = ()


def request_looks(ask: Ask, backend: Backend) -> Iterable[Exec]:
    """Ask for the pod's sockets, through one running container after another.

    The proxy of a mesh is last, whichever it is.
    """
    if backend.target_port is None:
        return []
    return [
        request_look(ask, backend.name, container)
        for container in sorted(running_containers(backend), key=lambda name: name in SIDECARS)
    ]


def request_look(ask: Ask, pod: str, container: str) -> Exec:
    """Ask for a pod's sockets through one container."""
    return look_request(ask.namespace, pod, container, ask.window, ask.window + ask.look_limit)


def running_containers(backend: Backend) -> list[str]:
    """Name the pod's containers that run: the application's, then init containers, then ephemeral ones."""
    status = backend.pod.status if backend.pod else kube.PodStatus()
    every = (status.container_statuses, status.init_container_statuses, status.ephemeral_container_statuses)
    return [
        each.name
        for statuses in every
        for each in statuses or ()
        if each.state is not None and each.state.running is not None
    ]


def is_ours(request: Request) -> bool:
    """Tell whether a command ran in the container that `--debug` adds."""
    return isinstance(request, Exec) and request.container.startswith(LOOK)


def shows_nothing(reading: Reading) -> bool:
    """Tell whether the container has no shell, or no tool that lists sockets."""
    if isinstance(reading.answer, Refused):
        return reading.answer.reason is GapReason.NO_SHELL
    return isinstance(reading.answer, Output) and without_tool(reading.answer)


def sockets_of(readings: Sequence[Reading], ask: Ask, servers: Sequence[Backend]) -> dict[str, Views]:
    """Say what each server's connections are by each source that was asked, the one to go by first."""
    nodes = addresses_of_nodes(readings).keys()
    execs = {
        reading.request.pod: reading
        for reading in readings
        if isinstance(reading.request, Exec) and reading.request.namespace == ask.namespace
    }
    closed = {
        reading.request.pod: Gap(reading.answer.reason, reading.answer.message)
        for reading in readings
        if isinstance(reading.request, OpenUp) and isinstance(reading.answer, Refused)
    }
    views = {server.name: _views(readings, ask, server, execs.get(server.name), nodes) for server in servers}
    best = past_proxies({name: each.best for name, each in views.items()})
    return {
        name: Views(closed[name] if isinstance(each.best, Gap) and name in closed else best[name], each.others)
        for name, each in views.items()
    }


def peers_of(readings: Sequence[Reading], ask: Ask, servers: Sequence[Backend]) -> set[str]:
    """Give the addresses that clients connect from."""
    return {
        connection.peer
        for views in sockets_of(readings, ask, servers).values()
        if not isinstance(views.best, Gap)
        for connection in views.best.connections
    }


def dark_of(readings: Sequence[Reading], ask: Ask, servers: Sequence[Backend]) -> list[Backend]:
    """Give the servers whose connections nobody has shown yet."""
    views = sockets_of(readings, ask, servers)
    return [server for server in servers if isinstance(views[server.name].best, Gap)]


def _views(
    readings: Sequence[Reading], ask: Ask, server: Backend, execed: Reading | None, nodes: Iterable[str]
) -> Views:
    impossible = _impossible(server)
    if impossible is not None:
        return Views(impossible)

    def kept(looks: Looks | Gap, by: facts.Source) -> facts.PodSockets | Gap:
        forwarded = was_asked(readings, ask, server)
        return looks if isinstance(looks, Gap) else clients_of(server, looks, nodes, by, forwarded=forwarded)

    asked: list[facts.PodSockets | Gap] = []
    served = channelz_of(readings, ask, server)
    if served is not None:
        asked.append(kept(served if isinstance(served, Gap) else served.looks, "channelz"))
    if execed is not None:
        by: facts.Source = "debug" if is_ours(execed.request) else "exec"
        asked.append(kept(_looked(execed, server), by))
    from_node = looks_from_nodes(readings, server)
    if from_node is not None:
        asked.append(kept(from_node, "node"))
    known = [each for each in asked if not isinstance(each, Gap)]
    if known:
        return Views(known[0], tuple(known[1:]))
    return Views(asked[-1] if asked else _unasked(ask, server))


def _impossible(server: Backend) -> Gap | None:
    if server.gone:
        return Gap(GapReason.DIED, "the pod was deleted meanwhile")
    if server.pod is None:
        return Gap(GapReason.NOT_A_POD, "the endpoint is not a pod of this cluster")
    if server.target_port is None:
        return Gap(GapReason.NO_PORT, "the endpoint carries no port, so there is nothing to count")
    return None


def _unasked(ask: Ask, server: Backend) -> Gap:
    if not running_containers(server):
        return Gap(GapReason.UNREAD, "no container of the pod is running")
    return Gap(GapReason.UNREAD, f"--via {','.join(ask.via)} does not tell connections")


def _looked(reading: Reading, server: Backend) -> Looks | Gap:
    if isinstance(reading.answer, Refused):
        return gap_of(reading.request, reading.answer)
    if not isinstance(reading.answer, Output):
        return Gap(GapReason.GARBLED, "the look was not answered with a command's output")
    return parse_look(reading.answer, frozenset({server.target_port or 0}))
