"""What the Envoys of a fix say of themselves: how many clients are connected, and where their requests went.

Envoy's admin interface is asked (Envoy's documentation, operations/admin). `rq_total` of a host counts the requests
that were sent to it since Envoy knows it, retries among them and health checks not; numbers may be JSON strings, and
one that is absent is 0.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
from msgspec import Struct

from kubectl_grpclb.model.errors import BadSnapshotError
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import AskEnvoy, Output, Reading, Refused, Request
from kubectl_grpclb.probes.addresses import canonical
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.endpoints import Backend

__all__ = ["Sent", "ask_envoy", "connections_of", "requests_to"]

_HOSTS = "/clusters?format=json"
_CONNECTIONS = "/stats?format=json&filter=downstream_cx_active"

_SERVERS = "servers"
"""The cluster in Envoy's configuration that is the gRPC servers."""
_CLIENTS = "http.grpc.downstream_cx_active"
"""Connections of clients to the listener that takes gRPC."""

_LIMIT = 10.0
"""Seconds that one page may take."""

Answer = TypeVar("Answer")
Hosts = dict[tuple[str, int], int]


class Sent(Struct, frozen=True):
    """Requests that the Envoys sent to one server within the window, in all and a second."""

    requests: int
    rate: float


class _SocketAddress(Struct, frozen=True):
    address: str = ""
    port_value: int = 0


class _Address(Struct, frozen=True):
    socket_address: _SocketAddress = _SocketAddress()


class _Stat(Struct, frozen=True):
    """A histogram has no name, and a counter that is 0 may have no value."""

    name: str = ""
    value: int | str | None = None


class _Host(Struct, frozen=True):
    address: _Address = _Address()
    stats: tuple[_Stat, ...] = ()


class _Cluster(Struct, frozen=True):
    name: str = ""
    host_statuses: tuple[_Host, ...] = ()


class _Clusters(Struct, frozen=True):
    cluster_statuses: tuple[_Cluster, ...] = ()


class _Stats(Struct, frozen=True):
    stats: tuple[_Stat, ...]


class _Counted(Struct, frozen=True):
    """Requests to each host between two answers of one Envoy, so many seconds apart."""

    hosts: Hosts
    seconds: float


async def ask_envoy(
    ask: Ask, envoy: Backend, carry_out: Callable[[Sequence[Request]], Awaitable[Sequence[Reading]]]
) -> None:
    """Ask one Envoy for its connections and twice for its counters, at both ends of the window."""
    if not _runs(envoy):
        return
    hosts = AskEnvoy(ask.namespace, envoy.name, _HOSTS, _LIMIT)
    first, _ = await carry_out([hosts, AskEnvoy(ask.namespace, envoy.name, _CONNECTIONS, _LIMIT)])
    if ask.window > 0 and not isinstance(first.answer, Refused):
        await asyncio.sleep(ask.window)
        await carry_out([hosts])


def connections_of(readings: Sequence[Reading], ask: Ask, envoy: Backend) -> int | Gap:
    """Count the clients' connections to one Envoy, or say why that is not known."""
    if not _runs(envoy):
        return Gap(GapReason.UNREAD, "no container of the pod is running")
    asked = _asked(readings, ask, envoy, _CONNECTIONS)
    if not asked:
        return Gap(GapReason.UNREAD, "Envoy was not asked")
    stats = _page(asked[-1], _Stats)
    if isinstance(stats, Gap):
        return stats
    value = next((stat.value for stat in stats.stats if stat.name == _CLIENTS), None)
    number = None if value is None else _number(value)
    return Gap(GapReason.GARBLED, f"Envoy has no counter {_CLIENTS}") if number is None else number


def requests_to(
    readings: Sequence[Reading], ask: Ask, envoys: Sequence[Backend], servers: Sequence[Backend]
) -> dict[str, Sent]:
    """Add up what the Envoys sent to each server within the window.

    A server is left out where any Envoy that is ready did not tell of it: what it got is not known then.
    """
    counted = [(envoy.ready, _counted(readings, ask, envoy)) for envoy in envoys]
    known = [each for ready, each in counted if each is not None and ready]
    if not known or any(ready and each is None for ready, each in counted):
        return {}
    others = [each for ready, each in counted if each is not None and not ready]
    sent = {server.name: _sent(server, known, others) for server in servers}
    return {name: each for name, each in sent.items() if each is not None}


def _sent(server: Backend, known: Sequence[_Counted], others: Sequence[_Counted]) -> Sent | None:
    shares = [(_to(server, each), each.seconds) for each in known]
    numbers = [(count, seconds) for count, seconds in shares if count is not None]
    if len(numbers) < len(shares):
        return None
    numbers += [(count, each.seconds) for each in others if (count := _to(server, each)) is not None]
    return Sent(sum(count for count, _ in numbers), sum(count / seconds for count, seconds in numbers))


def _to(server: Backend, counted: _Counted) -> int | None:
    """Count what one Envoy sent to any address of the server; None where it has none of them as a host."""
    keys = [(address, server.target_port or 0) for address in server.addresses]
    counts = [counted.hosts[key] for key in keys if key in counted.hosts]
    return sum(counts) if counts else None


def _counted(readings: Sequence[Reading], ask: Ask, envoy: Backend) -> _Counted | None:
    """Compare two answers of one Envoy; a counter that went down or is in one of them only is not known."""
    asked = _asked(readings, ask, envoy, _HOSTS)
    if len(asked) < 2:
        return None
    before, after = _hosts(asked[0]), _hosts(asked[-1])
    if before is None or after is None:
        return None
    grown = {key: count - before[key] for key, count in after.items() if key in before and count >= before[key]}
    return _Counted(grown, _between(asked[0], asked[-1]) or ask.window)


def _hosts(reading: Reading) -> Hosts | None:
    page = _page(reading, _Clusters)
    if isinstance(page, Gap):
        return None
    hosts: Hosts = {}
    for host in (
        host for cluster in page.cluster_statuses if cluster.name == _SERVERS for host in cluster.host_statuses
    ):
        where = host.address.socket_address
        total = _number(next((stat.value or 0 for stat in host.stats if stat.name == "rq_total"), 0))
        if total is not None:
            hosts[canonical(where.address), where.port_value] = total
    return hosts


def _asked(readings: Sequence[Reading], ask: Ask, envoy: Backend, path: str) -> list[Reading]:
    return [
        reading
        for reading in readings
        if isinstance(reading.request, AskEnvoy)
        and (reading.request.namespace, reading.request.pod, reading.request.path) == (ask.namespace, envoy.name, path)
    ]


def _page(reading: Reading, kind: type[Answer]) -> Answer | Gap:
    answer = reading.answer
    if isinstance(answer, Refused):
        return Gap(answer.reason, answer.message)
    if not isinstance(answer, Output):
        return Gap(GapReason.GARBLED, "Envoy was not asked for a page")
    if answer.gap is not None:
        return Gap(answer.gap, answer.detail)
    if answer.exit_code:
        return Gap(GapReason.DIED, f"Envoy answered with HTTP status {answer.exit_code}")
    try:
        return msgspec.json.decode(answer.stdout.raw(), type=kind)
    except (msgspec.DecodeError, BadSnapshotError, UnicodeDecodeError, RecursionError) as error:
        return Gap(GapReason.GARBLED, f"what Envoy answered is not the page that was asked for: {error}")


def _number(value: int | str) -> int | None:
    """Read a counter of at least 0; uint64 are strings in JSON (protobuf's JSON mapping)."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) <= 20 else None
    return value if value >= 0 else None


def _between(first: Reading, last: Reading) -> float:
    """Give the seconds from one answer to the other, 0 where the clock does not tell."""
    try:
        ends = [datetime.fromisoformat(each.at) + timedelta(seconds=each.took) for each in (first, last)]
        return max(0.0, (ends[1] - ends[0]).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _runs(envoy: Backend) -> bool:
    statuses = envoy.pod.status.container_statuses or () if envoy.pod else ()
    return any(status.state is not None and status.state.running is not None for status in statuses)
