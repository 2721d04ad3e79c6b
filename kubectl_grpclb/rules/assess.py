"""How evenly the ready pods are loaded, by the best signal at hand, and what verdict that allows.

Effect decides: fewer effective pods than 80% of the ready ones is unbalanced, and so are pods that were added later
and get next to nothing, be they few. Chance is only told beside it, but for event counts, which must be more uneven
than an even split of so many would be by chance.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from kubectl_grpclb.balance import chance_of_counts, chance_of_loads, effective_pods, max_over_mean
from kubectl_grpclb.model.facts import Facts, Pod, PodSockets, Service, Tier
from kubectl_grpclb.model.finding import Balance, Confidence, Verdict
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.rules.behind import weigh_behind
from kubectl_grpclb.rules.measure import Measured, measure
from kubectl_grpclb.rules.order import AgeOrder, age_order
from kubectl_grpclb.rules.verdict import decide

__all__ = ["Assessment", "Server", "assess"]


class Server(Struct, frozen=True):
    """A ready pod that could be looked into."""

    pod: Pod
    sockets: PodSockets
    load: float
    """By the assessment's signal."""

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
    """How sure the signal lets anybody be, and medium at most where ready pods could not be read."""
    servers: tuple[Server, ...]
    """The ready pods that were read."""
    unread: tuple[Pod, ...]
    """The ready pods whose load is not known."""
    loads: dict[str, float]
    """The load of each ready pod that is known, by the signal; behind Envoys also of pods that were not read."""
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


def assess(facts: Facts) -> Assessment:
    """Weigh the ready pods' load."""
    if facts.tiers:
        return _assess_behind(facts, facts.tiers[0])
    every = [pod for pod in facts.pods if pod.ready]
    ready = [pod for pod in every if pod.target_port is not None] or every
    read = [(pod, pod.sockets) for pod in ready if not isinstance(pod.sockets, Gap)]
    unread = tuple(pod for pod in ready if isinstance(pod.sockets, Gap))
    measured = measure([sockets for _, sockets in read])
    servers = tuple(Server(pod, sockets, load) for (pod, sockets), load in zip(read, measured.loads, strict=True))
    loads = {server.pod.name: server.load for server in servers}
    order = _lagging(age_order([(server.pod, _placements(server, facts.service)) for server in servers]), loads)
    starved = order is not None and not measured.outnumbered and order.starves(loads)
    verdict, reason = decide(facts, measured, len(unread), starved=starved)
    return Assessment(
        verdict=verdict,
        reason=reason + _cut_off(len(every) - len(ready)),
        balance=_balance(measured, _weights(servers), len(unread)),
        confidence="medium" if unread and measured.confidence == "high" else measured.confidence,
        servers=servers,
        unread=unread,
        loads={} if measured.unclear else loads,
        age_order=order,
    )


def _cut_off(count: int) -> str:
    """Say how many ready pods are left out, because no connection can be to an endpoint without a port."""
    if not count:
        return ""
    which = "1 other, whose endpoint carries" if count == 1 else f"{count} others, whose endpoints carry"
    return f"; the Service leads no connection to {which} no port"


def _assess_behind(facts: Facts, tier: Tier) -> Assessment:
    """Weigh the servers behind a tier; no age tells there, since Envoy finds added pods by itself."""
    weighed = weigh_behind(facts, tier)
    loads = dict(zip(weighed.names, weighed.measured.loads, strict=True))
    ready = [pod for pod in facts.pods if pod.ready]
    servers = tuple(
        Server(pod, pod.sockets, loads.get(pod.name, 0.0)) for pod in ready if not isinstance(pod.sockets, Gap)
    )
    unread = tuple(pod for pod in ready if pod.name not in loads)
    return Assessment(
        verdict=weighed.verdict,
        reason=weighed.reason,
        balance=_balance(weighed.measured, _weights(servers), len(unread)),
        confidence=weighed.measured.confidence,
        servers=servers,
        unread=unread,
        loads=loads,
        age_order=None,
    )


def _lagging(order: AgeOrder | None, loads: Mapping[str, float]) -> AgeOrder | None:
    """Leave out young pods that carry their part of the load, however few connections they hold."""
    return order if order is not None and order.part(loads) < 1 else None


def _placements(server: Server, service: Service) -> int:
    """Count the lasting connections that were placed independently of each other.

    kube-proxy places each by itself. Affinity places all of a client's together, and so may a client that
    chooses among a headless Service's addresses: then a client counts once.
    """
    if service.session_affinity or service.headless:
        return len({connection.peer for connection in server.sockets.connections if connection.lasting})
    return server.lasting


def _weights(servers: Sequence[Server]) -> list[list[float]]:
    return [[float(each.received or 0) for each in server.sockets.connections] for server in servers]


def _balance(measured: Measured, weights: Sequence[Sequence[float]], unread: int) -> Balance:
    """Give the figures; `weights` are the bytes of each connection of each pod, for where bytes are the signal."""
    loads = measured.loads
    if not loads or measured.unclear:
        return Balance(
            signal=None,
            pods=len(loads) + unread,
            unread=unread,
            idle=None,
            max_over_mean=None,
            effective_pods=None,
            chance=None,
        )
    return Balance(
        signal=measured.signal,
        pods=len(loads) + unread,
        unread=unread,
        idle=measured.idle,
        max_over_mean=max_over_mean(loads),
        effective_pods=effective_pods(loads),
        chance=None if unread or not any(loads) else _chance(measured, weights),
    )


def _chance(measured: Measured, weights: Sequence[Sequence[float]]) -> float:
    if measured.signal == "bytes":
        return chance_of_loads(weights)
    return chance_of_counts([int(load) for load in measured.loads])
