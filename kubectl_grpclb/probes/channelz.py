"""What a server's channelz says: its connections with the calls on each, and all of its calls.

`cluster/` walks the service; this says whom to ask, and compares the two looks.
"""

from collections.abc import Sequence

from msgspec import Struct

from kubectl_grpclb.model import facts, kube
from kubectl_grpclb.model.addresses import canonical
from kubectl_grpclb.model.channelz import ChannelzLook, ServerSeen, SocketSeen
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import AskChannelz, Channelz, Reading, Refused
from kubectl_grpclb.probes.ask import Ask, gap_of
from kubectl_grpclb.probes.endpoints import Backend, runs
from kubectl_grpclb.probes.sockets import Looks, Seen

__all__ = ["Served", "channelz_of", "request_channelz", "was_asked"]

_LIMIT = 10.0
"""Seconds that asking may take beyond the window."""


class Served(Struct, frozen=True):
    """What channelz said of one server."""

    counted: facts.Counted | Gap
    looks: Looks | Gap
    """Its connections, as a look at its sockets would give them."""


def request_channelz(ask: Ask, server: Backend) -> AskChannelz | None:
    """Ask the server's own port, or the one of `--channelz-port`; None where nothing can answer."""
    port = ask.channelz_port or server.target_port
    if server.pod is None or server.gone or port is None or not runs(server):
        return None
    return AskChannelz(
        namespace=ask.namespace,
        pod=server.name,
        port=port,
        window=ask.window,
        seconds=ask.window + _LIMIT,
        tls=ask.tls,
    )


def channelz_of(readings: Sequence[Reading], ask: Ask, server: Backend) -> Served | Gap | None:
    """Say what the server's channelz told; None where it was not asked."""
    reading = next((each for each in reversed(readings) if _asks(each, ask, server)), None)
    if reading is None:
        return None
    answer = reading.answer
    if isinstance(answer, Refused):
        return gap_of(reading.request, answer)
    if not isinstance(answer, Channelz) or not isinstance(reading.request, AskChannelz):
        return Gap(GapReason.GARBLED, "channelz was not asked, or its answer is of another kind")
    if not answer.looks:
        return Gap(answer.gap or GapReason.DIED, answer.detail or "channelz gave no whole look")
    if answer.gap is not None and len(answer.looks) < 2 and ask.window > 0:
        return Gap(answer.gap, answer.detail)
    return _served(answer.looks, server, reading.request.port)


def was_asked(readings: Sequence[Reading], ask: Ask, server: Backend) -> bool:
    """Tell whether channelz was asked on the server's own port, by a connection that the server then has as well."""
    return any(
        isinstance(each.request, AskChannelz) and each.request.port == server.target_port
        for each in readings
        if _asks(each, ask, server)
    )


def _served(looks: Sequence[ChannelzLook], server: Backend, asked_at: int) -> Served:
    first, last = (None if len(looks) < 2 else looks[0]), looks[-1]
    ids = _servers_of(last, server.target_port)
    if not ids:
        nothing = Gap(GapReason.NOT_SERVED, "channelz knows no server on the port")
        return Served(nothing, nothing)
    ours = not ids.isdisjoint(_servers_of(last, asked_at))
    return Served(_counted(first, last, ids, server, ours=ours), _looks(first, last, server))


def _servers_of(look: ChannelzLook, port: int | None) -> frozenset[int]:
    """Name the servers that listen on the port; all of them where none says where it listens."""
    listening = frozenset(each.id for each in look.servers if any(_port(address) == port for address in each.listens))
    return listening or frozenset(each.id for each in look.servers if not each.listens)


def _counted(
    first: ChannelzLook | None, last: ChannelzLook, ids: frozenset[int], server: Backend, *, ours: bool
) -> facts.Counted | Gap:
    """Count the servers' calls; `ours` tells whether our own are among them, and not those of another port."""
    started, own = _started(last.servers, ids), last.own if ours else 0
    opened = max(0, _open(last.servers, ids) - ours)
    messages = _messages(last, first, server.target_port)
    if first is None:
        return _of_a_life(last, server.target_port, opened, messages)
    seconds, begun = last.at - first.at, started - _started(first.servers, ids)
    if begun < 0 or not ids <= {each.id for each in first.servers}:
        return Gap(GapReason.DIED, "the server began anew between the two looks")
    if seconds <= 0:
        return Gap(GapReason.GARBLED, "the two looks are not apart")
    own -= first.own if ours else 0
    checks = sum(round(seconds / period) for period in _health_checks(server))
    return facts.Counted("channelz", max(0, begun - own - checks), seconds, opened, messages)


def _of_a_life(look: ChannelzLook, port: int | None, opened: int, messages: int | None) -> facts.Counted | Gap:
    """Count the calls over the connections that are there.

    The server's own count holds every health check since it began, over connections that are gone.
    """
    if look.skipped:
        return Gap(GapReason.TOO_LARGE, "with a single look calls are those of its connections, which are too many")
    theirs = [each.started for each in look.sockets if _port(each.local) == port and not _is_own(each)]
    return facts.Counted("channelz", sum(theirs), 0.0, opened, messages)


def _started(servers: Sequence[ServerSeen], ids: frozenset[int]) -> int:
    return sum(each.started for each in servers if each.id in ids)


def _open(servers: Sequence[ServerSeen], ids: frozenset[int]) -> int:
    """Count calls that have not ended; where they are ours as well, one of them is the question itself."""
    return sum(each.started - each.succeeded - each.failed for each in servers if each.id in ids)


def _messages(last: ChannelzLook, first: ChannelzLook | None, port: int | None) -> int | None:
    """Count what came over the port's connections that are there, loopback's apart; None where some were not asked."""
    if last.skipped:
        return None
    before = {each.id: each.received for each in first.sockets} if first else {}
    theirs = [each for each in last.sockets if _port(each.local) == port and not _is_own(each)]
    return sum(max(0, each.received - before.get(each.id, 0)) for each in theirs)


def _is_own(socket: SocketSeen) -> bool:
    host = _host(socket.remote)
    return host == "::1" or host.startswith("127.")


def _looks(first: ChannelzLook | None, last: ChannelzLook, server: Backend) -> Looks | Gap:
    skipped = max(last.skipped, first.skipped if first else 0)
    if skipped:
        return Gap(GapReason.TOO_LARGE, f"channelz has {skipped:,} connections more than it is asked for")
    if any(not each.local for each in (*last.sockets, *(first.sockets if first else ()))):
        return Gap(GapReason.GARBLED, "channelz does not tell to which port its connections are")
    listens = {number for each in last.servers for address in each.listens if (number := _port(address))}
    return Looks(
        tool="channelz",
        seen=_seen(first, last, server.target_port),
        listens_on=tuple(sorted(listens or {server.target_port or 0})),
        opened=None,
        waited=last.at - first.at if first else 0.0,
        search=(),
        gateway=None,
    )


def _seen(first: ChannelzLook | None, last: ChannelzLook, port: int | None) -> tuple[Seen, ...]:
    before = {each.id: each for each in first.sockets} if first else {}
    here = [each for each in last.sockets if _port(each.local) == port]
    there = {each.id for each in here}
    now = [_one(each, before.get(each.id), single=first is None) for each in here]
    gone = [each for key, each in before.items() if key not in there and _port(each.local) == port]
    passed = [Seen(_host(each.local), _host(each.remote), _port(each.remote) or 0, False, False) for each in gone]
    return (*now, *passed)


def _one(socket: SocketSeen, before: SocketSeen | None, *, single: bool) -> Seen:
    opened = socket.started - socket.succeeded - socket.failed
    earlier = before or SocketSeen(id=socket.id)
    held = min(opened, earlier.started - earlier.succeeded - earlier.failed)
    return Seen(
        local=_host(socket.local),
        peer=_host(socket.remote),
        peer_port=_port(socket.remote) or 0,
        lasting=single or before is not None,
        established=True,
        streams=max(0, socket.started - earlier.started),
        open_streams=max(0, opened),
        held_streams=max(0, opened if single else held),
        messages=max(0, socket.received - earlier.received),
    )


def _host(address: str) -> str:
    return canonical(address.rpartition(":")[0].strip("[]"))


def _port(address: str) -> int | None:
    port = address.rpartition(":")[2]
    return int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else None


def _asks(reading: Reading, ask: Ask, server: Backend) -> bool:
    request = reading.request
    return (
        isinstance(request, AskChannelz)
        and request.role == "server"
        and (request.namespace, request.pod) == (ask.namespace, server.name)
    )


def _health_checks(server: Backend) -> list[int]:
    """Give the periods of the kubelet's probes that may be a call each: gRPC ones of the port, and commands."""
    containers = (server.pod.spec.containers or ()) if server.pod else ()
    return [
        max(1, probe.period_seconds or 10)
        for container in containers
        for probe in (container.readiness_probe, container.liveness_probe)
        if probe is not None and (probe.exec is not None or _asks_port(probe, server.target_port))
    ]


def _asks_port(probe: kube.Probe, port: int | None) -> bool:
    return probe.grpc is not None and probe.grpc.port in {None, port}
