"""What the Envoys of a fix say of themselves: how many clients are connected, and where their requests went.

`model/admin.py` reads the pages; this says which to ask for, and compares those at both ends of the window.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from kubectl_grpclb.model import facts
from kubectl_grpclb.model.admin import (
    CONNECTIONS_PAGE,
    HOSTS_PAGE,
    SERVERS,
    Hosts,
    HostSeen,
    client_connections,
    hosts_of,
    requests_by_host,
)
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import AskEnvoy, Reading, Refused, Request
from kubectl_grpclb.probes.ask import Ask, between
from kubectl_grpclb.probes.endpoints import Backend, runs

__all__ = ["Sent", "as_host", "ask_envoy", "connections_of", "known_servers", "requests_to"]

_LIMIT = 10.0
"""Seconds that one page may take."""


class Sent(Struct, frozen=True):
    """Requests that the Envoys sent to one server within the window, in all and a second."""

    requests: int
    rate: float


class _Counted(Struct, frozen=True):
    """Requests to each host between two answers of one Envoy, so many seconds apart."""

    hosts: Hosts
    seconds: float


async def ask_envoy(
    ask: Ask, envoy: Backend, carry_out: Callable[[Sequence[Request]], Awaitable[Sequence[Reading]]]
) -> None:
    """Ask one Envoy for its connections and twice for its counters, at both ends of the window."""
    if not runs(envoy):
        return
    hosts = AskEnvoy(ask.namespace, envoy.name, HOSTS_PAGE, _LIMIT)
    first, _ = await carry_out([hosts, AskEnvoy(ask.namespace, envoy.name, CONNECTIONS_PAGE, _LIMIT)])
    if ask.window > 0 and not isinstance(first.answer, Refused):
        await asyncio.sleep(ask.window)
        await carry_out([hosts])


def connections_of(readings: Sequence[Reading], ask: Ask, envoy: Backend) -> int | Gap:
    """Count the clients' connections to one Envoy, or say why that is not known."""
    if not runs(envoy):
        return Gap(GapReason.UNREAD, "no container of the pod is running")
    asked = _asked(readings, ask, envoy, CONNECTIONS_PAGE)
    if not asked:
        return Gap(GapReason.UNREAD, "Envoy was not asked")
    return client_connections(asked[-1].answer)


def known_servers(
    readings: Sequence[Reading], ask: Ask, envoy: Backend, servers: Sequence[Backend]
) -> tuple[facts.ProxyHost, ...] | Gap:
    """Give the servers that one Envoy knew at its last answer, or say why that is not known."""
    asked = _asked(readings, ask, envoy, HOSTS_PAGE)
    if not asked:
        return Gap(GapReason.UNREAD, "Envoy was not asked")
    hosts = hosts_of(asked[-1].answer)
    if isinstance(hosts, Gap):
        return hosts
    return tuple(as_host(each, servers) for each in hosts if each.cluster == SERVERS)


def as_host(host: HostSeen, servers: Sequence[Backend]) -> facts.ProxyHost:
    """Say which server a host is; none where no server has its address and port."""
    return facts.ProxyHost(
        address=host.address,
        port=host.port,
        pod=next((server.name for server in servers if _is(server, host)), None),
        requests=host.requests,
        active_requests=host.active_requests,
        connections=host.connections,
        healthy=host.healthy,
    )


def _is(server: Backend, host: HostSeen) -> bool:
    return host.address in server.addresses and server.target_port in {None, host.port}


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
    asked = _asked(readings, ask, envoy, HOSTS_PAGE)
    if len(asked) < 2:
        return None
    before, after = requests_by_host(asked[0].answer), requests_by_host(asked[-1].answer)
    if isinstance(before, Gap) or isinstance(after, Gap):
        return None
    grown = {key: count - before[key] for key, count in after.items() if key in before and count >= before[key]}
    return _Counted(grown, between(asked[0], asked[-1]) or ask.window)


def _asked(readings: Sequence[Reading], ask: Ask, envoy: Backend, path: str) -> list[Reading]:
    return [
        reading
        for reading in readings
        if isinstance(reading.request, AskEnvoy)
        and (reading.request.namespace, reading.request.pod, reading.request.path) == (ask.namespace, envoy.name, path)
    ]
