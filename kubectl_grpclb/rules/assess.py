"""How evenly the ready pods are loaded, by the best signal at hand, and what verdict that allows.

Effect decides: fewer effective pods than 80% of the ready ones is unbalanced, and so are pods that were added later
and get next to nothing, be they few. Chance is only told beside it, but for event counts, which must be more uneven
than an even split of so many would be by chance.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from kubectl_grpclb.balance import chance_of_counts, chance_of_loads, effective_pods, is_uneven, max_over_mean
from kubectl_grpclb.model.facts import Connection, Facts, Pod, PodSockets, Service, Tier
from kubectl_grpclb.model.finding import Balance, Confidence, Signal, Verdict
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.rules.behind import weigh_behind
from kubectl_grpclb.rules.calls import by_calls, calls_of, few_calls
from kubectl_grpclb.rules.measure import Measured, measure
from kubectl_grpclb.rules.order import AgeOrder, age_order
from kubectl_grpclb.rules.passing import passing_of
from kubectl_grpclb.rules.verdict import decide

__all__ = ["Assessment", "Server", "assess"]


class Server(Struct, frozen=True):
    """A ready pod that could be looked into."""

    pod: Pod
    sockets: PodSockets
    load: float
    """By the assessment's signal."""
    meanwhile: int
    """What else came to it: connections that do not last, and calls, by whoever counts them."""

    @property
    def lasting(self) -> int:
        """Connections that were there in both looks."""
        return _lasting(self.sockets)


class Assessment(Struct, frozen=True):
    """The balance and what follows from it."""

    verdict: Verdict
    reason: str
    balance: Balance
    confidence: Confidence
    """How sure the signal lets anybody be, and medium at most where ready pods could not be read."""
    servers: tuple[Server, ...]
    """The ready pods that were read."""
    unread: tuple[Pod, ...]
    """The ready pods whose load is not known."""
    loads: dict[str, float]
    """The load of each ready pod that is known, by the signal; behind Envoys also of pods that were not read."""
    unseen: tuple[Pod, ...]
    """The ready pods whose connections are not known, though their calls may be."""
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

    @property
    def busiest_is_seen(self) -> bool:
        """The connections of the pod that carries most are known."""
        busiest = max(self.loads, key=lambda name: self.loads[name], default=None)
        return any(server.pod.name == busiest for server in self.servers)

    @property
    def age_explains_all(self) -> bool:
        """Pods that were added later get less than chance would give them, and the others are loaded evenly."""
        order = self.age_order
        return order is not None and order.systematic and not is_uneven(order.others(self.loads))

    @property
    def by_calls(self) -> bool:
        """The load is that of calls, or of messages in them, and not of what might carry some."""
        return self.balance.signal in {"requests", "streams"}

    @property
    def connections_are_even(self) -> bool:
        """Every ready pod was read, and they hold about as many lasting connections each."""
        held = [float(server.lasting) for server in self.servers]
        return bool(self.lasting) and len(held) == self.balance.pods and not is_uneven(held)


def assess(facts: Facts) -> Assessment:
    """Weigh the ready pods' load."""
    if facts.tiers:
        return _assess_behind(facts, facts.tiers[0])
    every = [pod for pod in facts.pods if pod.ready]
    ready = [pod for pod in every if pod.target_port is not None] or every
    weighed = _weigh(ready)
    measured, unread = weighed.measured, len(ready) - len(weighed.names)
    loads = dict(zip(weighed.names, measured.loads, strict=True))
    servers = _servers(ready, loads)
    known = [server for server in servers if server.pod.name in loads]
    order = _lagging(age_order([(server.pod, _placements(server, facts.service)) for server in known]), loads)
    starved = order is not None and not measured.outnumbered and order.starves(loads)
    verdict, reason = decide(facts, measured, unread, starved=starved)
    return Assessment(
        verdict=verdict,
        reason=reason + _cut_off(len(every) - len(ready)),
        balance=_balance(measured, servers, unread, weighed.sources),
        confidence="medium" if unread and measured.confidence == "high" else measured.confidence,
        servers=servers,
        unread=tuple(pod for pod in ready if pod.name not in loads),
        loads={} if measured.unclear else loads,
        unseen=_unseen(ready),
        age_order=order,
    )


_STRAYS = 3
_STRAYS_A_POD = 2
"""Calls that health checks may explain, whose periods are known and whose moments are not."""


class _Weighed(Struct, frozen=True):
    """The load of those ready pods where it is known, in the order of `names`, and who told it."""

    measured: Measured
    names: tuple[str, ...]
    sources: tuple[str, ...]


def _weigh(ready: Sequence[Pod]) -> _Weighed:
    """Take calls, unless connections are known of more pods than calls are; where these are too few, connections.

    Calls that are uneven among the pods of which they are known are never passed over for even connections, which
    would hide it, unless they are those of the connections' lives: then they tell which of these are old. And where the
    other pods' calls could still even them out, connections that are uneven tell.
    """
    read = [(pod, pod.sockets) for pod in ready if not isinstance(pod.sockets, Gap)]
    calls = calls_of(ready)
    counted = by_calls(calls, len(ready))
    of_calls = None if counted is None else _Weighed(counted, tuple(pod.name for pod in calls.pods), calls.sources)
    if of_calls and calls.of_connections_lives and of_calls.measured.uneven and _all_even(ready):
        return _of_connections(read)
    if of_calls and (len(calls.pods) >= max(1, len(read)) or _sticks(of_calls, ready)):
        return of_calls
    few = _Weighed(few_calls(calls), tuple(pod.name for pod in calls.pods), calls.sources)
    if calls.pods and not read:
        return few
    held = _of_connections(read)
    if of_calls and of_calls.measured.uneven and not _sticks(held, ready):
        return of_calls
    if sum(calls.requests) > max(_STRAYS, _STRAYS_A_POD * len(calls.pods)) and not any(held.measured.loads):
        return of_calls or few
    if len(calls.pods) == len(ready) and any(held.measured.loads) and not held.measured.churning:
        return replace(held, measured=replace(held.measured, confidence="low"))  # they carry next to nothing now
    return held


def _of_connections(read: Sequence[tuple[Pod, PodSockets]]) -> _Weighed:
    tools = tuple(dict.fromkeys(sockets.tool for _, sockets in read))
    measured = replace(measure([sockets for _, sockets in read]), meanwhile=tuple(_meanwhile(read)))
    return _Weighed(measured, tuple(pod.name for pod, _ in read), tools)


def _all_even(ready: Sequence[Pod]) -> bool:
    held = [_lasting(pod.sockets) for pod in ready if not isinstance(pod.sockets, Gap)]
    return len(held) == len(ready) and any(held) and not is_uneven(held)


def _lasting(sockets: PodSockets) -> int:
    return sum(connection.lasting for connection in sockets.connections)


def _sticks(weighed: _Weighed, ready: Sequence[Pod]) -> bool:
    """Tell whether the load is uneven, whatever the pods carry of which it is not known."""
    return not weighed.measured.unclear and weighed.measured.stays_uneven(len(ready) - len(weighed.names))


def _unseen(ready: Sequence[Pod]) -> tuple[Pod, ...]:
    return tuple(pod for pod in ready if isinstance(pod.sockets, Gap))


def _servers(ready: Sequence[Pod], loads: Mapping[str, float]) -> tuple[Server, ...]:
    read = [(pod, pod.sockets) for pod in ready if not isinstance(pod.sockets, Gap)]
    others = _meanwhile(read)
    return tuple(
        Server(pod, sockets, loads.get(pod.name, 0.0), other)
        for (pod, sockets), other in zip(read, others, strict=True)
    )


def _meanwhile(read: Sequence[tuple[Pod, PodSockets]]) -> list[int]:
    passing = passing_of([sockets for _, sockets in read]).counts
    return [passed + _called(pod) for (pod, _), passed in zip(read, passing, strict=True)]


def _called(pod: Pod) -> int:
    """Give the most calls that anybody counted within the window; as few as health checks explain are none."""
    counted = max((each.requests for each in pod.counted if each.seconds), default=0)
    return max(counted if counted > _STRAYS_A_POD else 0, pod.requests or 0)


def _cut_off(count: int) -> str:
    """Say how many ready pods are left out, because no connection can be to an endpoint without a port."""
    if not count:
        return ""
    which = "1 other, whose endpoint carries" if count == 1 else f"{count} others, whose endpoints carry"
    return f"; the Service sends no connection to {which} no port"


def _assess_behind(facts: Facts, tier: Tier) -> Assessment:
    """Weigh the servers behind a tier; no age tells there, since Envoy finds added pods by itself."""
    weighed = weigh_behind(facts, tier)
    loads = dict(zip(weighed.names, weighed.measured.loads, strict=True))
    ready = [pod for pod in facts.pods if pod.ready]
    servers = _servers(ready, loads)
    unread = tuple(pod for pod in ready if pod.name not in loads)
    return Assessment(
        verdict=weighed.verdict,
        reason=weighed.reason,
        balance=_balance(weighed.measured, servers, len(unread), _told_behind(weighed.measured, servers)),
        confidence=weighed.measured.confidence,
        servers=servers,
        unread=unread,
        loads=loads,
        unseen=_unseen(ready),
        age_order=None,
    )


def _told_behind(measured: Measured, servers: Sequence[Server]) -> tuple[str, ...]:
    """Name who told: requests Envoy counted itself, everything else is seen at the servers."""
    return _ENVOY if measured.signal == "requests" else tuple(dict.fromkeys(each.sockets.tool for each in servers))


_ENVOY = ("envoy",)


def _lagging(order: AgeOrder | None, loads: Mapping[str, float]) -> AgeOrder | None:
    """Leave out young pods that carry their part of the load, or nearly, however few connections they hold."""
    return order if order is not None and order.lags(loads) else None


def _placements(server: Server, service: Service) -> int:
    """Count the lasting connections that were placed independently of each other.

    kube-proxy places each by itself. Affinity places all of a client's together, and so may a client that
    chooses among a headless Service's addresses: then a client counts once.
    """
    if service.session_affinity or service.headless:
        return len({connection.peer for connection in server.sockets.connections if connection.lasting})
    return server.lasting


def _balance(measured: Measured, servers: Sequence[Server], unread: int, sources: tuple[str, ...]) -> Balance:
    loads = measured.loads
    if not loads or measured.unclear:
        return Balance(
            signal=None,
            sources=(),
            pods=len(loads) + unread,
            unread=unread,
            idle=None,
            max_over_mean=None,
            effective_pods=None,
            chance=None,
        )
    return Balance(
        signal=measured.signal,
        sources=sources,
        pods=len(loads) + unread,
        unread=unread,
        idle=measured.idle,
        max_over_mean=max_over_mean(loads),
        effective_pods=effective_pods(loads),
        chance=None if unread or not any(loads) else _chance(measured, servers, sources),
    )


def _chance(measured: Measured, servers: Sequence[Server], sources: tuple[str, ...]) -> float | None:
    """Say how often the same connections, placed at random, would leave the pods this unevenly loaded.

    Of calls that is known only where they are counted by connection, and all of them are over these. Requests that
    Envoy spreads are placed one by one.
    """
    if measured.signal == "connections" or sources == _ENVOY:
        return chance_of_counts([int(load) for load in measured.loads])
    weights = [[_weight(each, measured.signal) for each in server.sockets.connections] for server in servers]
    known = [[each for each in pod if each is not None] for pod in weights]
    if known != weights or (measured.signal != "bytes" and not _are_all(known, measured.loads)):
        return None
    return chance_of_loads(known)


_OVER_CONNECTIONS = 0.9
"""The part of all calls that must have come over the connections that are there, for these to stand for them."""


def _are_all(weights: Sequence[Sequence[float]], loads: Sequence[float]) -> bool:
    return sum(map(sum, weights)) >= _OVER_CONNECTIONS * sum(loads)


def _weight(connection: Connection, signal: Signal) -> float | None:
    weighed = {"bytes": connection.received or 0, "requests": connection.streams, "streams": connection.messages}
    weight = weighed[signal]
    return None if weight is None else float(weight)
