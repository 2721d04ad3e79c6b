"""Which containers to look through, and what the looks at each pod came to."""

from collections.abc import Iterable, Sequence

from kubectl_grpclb.model import facts
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Exec, Output, Reading, Refused
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.connections import SIDECARS, clients_of
from kubectl_grpclb.probes.endpoints import Backend
from kubectl_grpclb.probes.nodes import addresses_of_nodes
from kubectl_grpclb.probes.sockets import Looks, look_request, parse_look, without_tool

__all__ = ["peers_of", "request_looks", "shows_nothing", "sockets_of"]


def request_looks(ask: Ask, backend: Backend) -> Iterable[Exec]:
    """Ask for the pod's sockets, through one running container after another.

    First come the application's, then init containers that keep running, then ephemeral ones. The proxy of a mesh is
    last, whichever it is.
    """
    if backend.pod is None or backend.target_port is None:
        return []
    status = backend.pod.status
    every = (status.container_statuses, status.init_container_statuses, status.ephemeral_container_statuses)
    running = [
        each.name
        for statuses in every
        for each in statuses or ()
        if each.state is not None and each.state.running is not None
    ]
    return [
        look_request(ask.namespace, backend.name, container, ask.window, ask.window + ask.look_limit)
        for container in sorted(running, key=lambda name: name in SIDECARS)
    ]


def shows_nothing(reading: Reading) -> bool:
    """Tell whether the container has no shell, or no tool that lists sockets."""
    if isinstance(reading.answer, Refused):
        return reading.answer.reason is GapReason.NO_SHELL
    return isinstance(reading.answer, Output) and without_tool(reading.answer)


def sockets_of(readings: Sequence[Reading], ask: Ask, servers: Sequence[Backend]) -> dict[str, facts.PodSockets | Gap]:
    """Say what each server's sockets show, or why they could not be seen."""
    nodes = addresses_of_nodes(readings).keys()
    last = {
        reading.request.pod: reading
        for reading in readings
        if isinstance(reading.request, Exec) and reading.request.namespace == ask.namespace
    }
    return {server.name: _sockets(server, last.get(server.name), nodes) for server in servers}


def peers_of(readings: Sequence[Reading], ask: Ask, servers: Sequence[Backend]) -> set[str]:
    """Give the addresses that clients connect from."""
    return {
        connection.peer
        for sockets in sockets_of(readings, ask, servers).values()
        if not isinstance(sockets, Gap)
        for connection in sockets.connections
    }


def _sockets(server: Backend, reading: Reading | None, nodes: Iterable[str]) -> facts.PodSockets | Gap:
    if server.gone:
        return Gap(GapReason.DIED, "the pod was deleted meanwhile")
    if server.pod is None:
        return Gap(GapReason.NOT_A_POD, "the endpoint is not a pod of this cluster")
    if server.target_port is None:
        return Gap(GapReason.NO_PORT, "the endpoint carries no port, so there is nothing to count")
    if reading is None:
        return Gap(GapReason.UNREAD, "no container of the pod is running")
    if isinstance(reading.answer, Refused):
        return Gap(reading.answer.reason, reading.answer.message)
    if not isinstance(reading.answer, Output):
        return Gap(GapReason.GARBLED, "the look was not answered with a command's output")
    looks = parse_look(reading.answer, frozenset({server.target_port}))
    return clients_of(server, looks, nodes) if isinstance(looks, Looks) else looks
