"""How evenly the ready pods are loaded, by the best signal at hand, and what verdict that allows.

Effect decides: fewer effective pods than 80% of the ready ones is unbalanced. Chance is only told beside
it, but for event counts, which must be more uneven than an even split of so many would be by chance.
"""

from collections.abc import Sequence

from msgspec import Struct

from kubectl_grpclb.balance import (
    chance_of_counts,
    chance_of_loads,
    effective_pods,
    is_uneven,
    max_over_mean,
    most_effective,
    uneven_beyond_chance,
)
from kubectl_grpclb.model.facts import Facts, Pod, PodSockets, Service
from kubectl_grpclb.model.finding import Balance, Confidence, Signal, Verdict
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.rules.order import AgeOrder, age_order

__all__ = ["Assessment", "Server", "assess"]

_EVENTS_A_POD = 10
"""So many events a ready pod are enough to judge an even split by; below it the next signal is used."""
_STRAY_CONNECTIONS = 3
"""Connections accepted during the window that a scrape or a look of somebody else's may explain."""
_UNEVEN_EVENTS = 0.01
"""An even split would be as uneven as this more rarely, so that chance does not explain it."""


class Server(Struct, frozen=True):
    """A ready pod that could be looked into."""

    pod: Pod
    sockets: PodSockets
    load: float
    """By the assessment's signal: bytes or connections."""

    @property
    def lasting(self) -> int:
        """Connections that were there in both looks."""
        return sum(connection.lasting for connection in self.sockets.connections)


class Assessment(Struct, frozen=True):
    """The balance and what follows from it."""

    verdict: Verdict
    reason: str
    balance: Balance
    confidence: Confidence
    """How sure the signal lets anybody be."""
    servers: tuple[Server, ...]
    """The ready pods that were read."""
    unread: tuple[Pod, ...]
    """The ready pods that were not."""
    churning: bool
    """Connections come and go, and none of them lasts."""
    age_order: AgeOrder | None
    """The pods added later that get less than chance would give them."""

    @property
    def unbalanced(self) -> bool:
        """The load sticks to some of the pods."""
        return self.verdict == "unbalanced"

    @property
    def lasting(self) -> int:
        """Lasting connections of all ready pods that were read."""
        return sum(server.lasting for server in self.servers)


class _Measured(Struct, frozen=True):
    signal: Signal
    loads: tuple[float, ...]
    uneven_by_chance: bool
    """The events are so few, or so little uneven, that an even split explains them."""
    churning: bool
    enough: bool
    twice: bool
    """Every pod was looked at twice, so that lasting connections are known to last."""


def assess(facts: Facts) -> Assessment:
    """Weigh the ready pods' load."""
    ready = [pod for pod in facts.pods if pod.ready]
    read = [(pod, pod.sockets) for pod in ready if not isinstance(pod.sockets, Gap)]
    unread = tuple(pod for pod in ready if isinstance(pod.sockets, Gap))
    measured = _measure([sockets for _, sockets in read])
    servers = tuple(Server(pod, sockets, load) for (pod, sockets), load in zip(read, measured.loads, strict=True))
    order = age_order([(server.pod, _placements(server, facts.service)) for server in servers])
    verdict, reason = _verdict(facts, measured, servers, len(unread), order)
    return Assessment(
        verdict=verdict,
        reason=reason,
        balance=_balance(measured, servers, len(unread)),
        confidence=_confidence(measured),
        servers=servers,
        unread=unread,
        churning=measured.churning,
        age_order=order,
    )


def _measure(read: Sequence[PodSockets]) -> _Measured:
    """Take bytes where every connection's are known and enough segments were seen, else connections."""
    twice = all(sockets.waited for sockets in read)
    comparable = twice or not any(sockets.waited for sockets in read)
    events = [count for sockets in read if (count := _events(sockets)) is not None]
    lasting = tuple(float(sum(c.lasting for c in sockets.connections)) for sockets in read)
    if any(lasting) and comparable and len(events) == len(read) and sum(events) >= _EVENTS_A_POD * len(read):
        return _Measured(
            signal="bytes",
            loads=tuple(float(sum(c.received or 0 for c in sockets.connections)) for sockets in read),
            uneven_by_chance=uneven_beyond_chance(events) >= _UNEVEN_EVENTS,
            churning=False,
            enough=True,
            twice=twice,
        )
    if any(lasting) or not twice or not read:
        return _Measured("connections", lasting, uneven_by_chance=False, churning=False, enough=True, twice=twice)
    return _passing(read)


def _passing(read: Sequence[PodSockets]) -> _Measured:
    """Count connections that came and went: those that the pod accepted, where it says, else those seen."""
    opened = [sockets.opened for sockets in read if sockets.opened is not None]
    counts = opened if len(opened) == len(read) else [sockets.passed for sockets in read]
    seen = any(sockets.passed for sockets in read)
    if not seen and sum(counts) <= _STRAY_CONNECTIONS:
        counts = [0 for _ in read]
    return _Measured(
        signal="connections",
        loads=tuple(map(float, counts)),
        uneven_by_chance=uneven_beyond_chance(counts) >= _UNEVEN_EVENTS,
        churning=any(counts),
        enough=sum(counts) >= _EVENTS_A_POD * len(read),
        twice=True,
    )


def _events(sockets: PodSockets) -> int | None:
    segments = [connection.segments for connection in sockets.connections]
    return None if None in segments else sum(count for count in segments if count is not None)


def _verdict(
    facts: Facts, measured: _Measured, servers: Sequence[Server], unread: int, order: AgeOrder | None
) -> tuple[Verdict, str]:
    ready = len(servers) + unread
    if not ready:
        return "inconclusive", _no_endpoints(facts)
    if all(pod.target_port is None for pod in facts.pods if pod.ready):
        return "inconclusive", "the Service's endpoints carry no port, so no connection can reach them"
    if not servers:
        return "inconclusive", f"none of the {_pods(ready)} could be looked into"
    if not any(measured.loads):
        return _idle(ready, unread)
    if _stays_uneven(measured, unread) or (order is not None and order.systematic):
        return "unbalanced", _unbalanced(measured, servers, unread)
    if unread:
        return "inconclusive", (
            f"{unread} of {_pods(ready)} could not be looked into, and what they carry could change the verdict"
        )
    if measured.churning and not measured.enough:
        return "inconclusive", "connections come and go, and too few were seen to say where they land"
    if measured.churning and not measured.uneven_by_chance and is_uneven(measured.loads):
        return "inconclusive", "connections come and go, and some pods accept more of them than others"
    return "balanced", _balanced(measured, ready)


def _placements(server: Server, service: Service) -> int:
    """Count the lasting connections that were placed independently of each other.

    kube-proxy places each by itself. Affinity places all of a client's together, and so may a client that
    chooses among a headless Service's addresses: then a client counts once.
    """
    if service.session_affinity or service.headless:
        return len({connection.peer for connection in server.sockets.connections if connection.lasting})
    return server.lasting


def _stays_uneven(measured: _Measured, unread: int) -> bool:
    """Uneven, and whatever the unread pods hold, it would still be so."""
    if measured.uneven_by_chance or measured.churning:
        return False
    if not unread:
        return is_uneven(measured.loads)
    ready = len(measured.loads) + unread
    return most_effective(measured.loads, unread) < 0.8 * ready


def _idle(ready: int, unread: int) -> tuple[Verdict, str]:
    if unread:
        return "inconclusive", (
            f"no client is connected to the pods that were read, but {unread} of {_pods(ready)} were not"
        )
    return "idle", f"no client is connected to {'the ready pod' if ready == 1 else f'any of the {ready} ready pods'}"


def _no_endpoints(facts: Facts) -> str:
    if facts.service.external_name is not None:
        return f"the Service is a name for {facts.service.external_name}, which is outside the cluster"
    return "the Service has no ready endpoint"


def _unbalanced(measured: _Measured, servers: Sequence[Server], unread: int) -> str:
    idle = sum(server.load == 0 for server in servers)
    effective = effective_pods(measured.loads)
    share = max(measured.loads) / sum(measured.loads)
    known = f"{_pods(len(servers))} that could be read" if unread else _pods(len(servers))
    work = f"the {known} do the work of {effective:.1f}; the busiest has {share:.0%} of {_what(measured)}"
    return f"{work}, and {idle} {'gets' if idle == 1 else 'get'} nothing" if idle else work


def _balanced(measured: _Measured, ready: int) -> str:
    if ready == 1:
        return "there is one ready pod, and it has everything"
    how = "connections come and go, and are" if measured.churning else f"{_what(measured)} are"
    return f"{how} spread over {_pods(ready)}, which do the work of {effective_pods(measured.loads):.1f}"


def _what(measured: _Measured) -> str:
    return "the bytes received" if measured.signal == "bytes" else "the connections"


def _pods(count: int) -> str:
    return "1 ready pod" if count == 1 else f"{count} ready pods"


def _confidence(measured: _Measured) -> Confidence:
    if measured.signal == "connections":
        return "low" if measured.churning else "medium"
    return "high" if measured.twice else "medium"


def _balance(measured: _Measured, servers: Sequence[Server], unread: int) -> Balance:
    loads = measured.loads
    if not servers:
        return Balance(
            signal=None,
            pods=unread,
            unread=unread,
            idle=None,
            max_over_mean=None,
            effective_pods=None,
            chance=None,
        )
    return Balance(
        signal=measured.signal,
        pods=len(servers) + unread,
        unread=unread,
        idle=sum(load == 0 for load in loads),
        max_over_mean=max_over_mean(loads),
        effective_pods=effective_pods(loads),
        chance=None if unread or not any(loads) else _chance(measured, servers),
    )


def _chance(measured: _Measured, servers: Sequence[Server]) -> float:
    if measured.signal == "bytes":
        return chance_of_loads([[float(c.received or 0) for c in s.sockets.connections] for s in servers])
    return chance_of_counts([int(load) for load in measured.loads])
