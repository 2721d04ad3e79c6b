"""How evenly the ready pods are loaded, by the best signal at hand, and what verdict that allows.

Effect decides: fewer effective pods than 80% of the ready ones is unbalanced, and so are pods that were added later
and get next to nothing, be they few. Chance is only told beside it, but for event counts, which must be more uneven
than an even split of so many would be by chance.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from kubectl_grpclb.balance import is_uneven
from kubectl_grpclb.model.facts import Facts, Pod, Service, Tier
from kubectl_grpclb.model.finding import Balance, Confidence, Verdict
from kubectl_grpclb.rules.balance_of import ENVOY, balance_of
from kubectl_grpclb.rules.behind import weigh_behind
from kubectl_grpclb.rules.measure import Measured
from kubectl_grpclb.rules.order import AgeOrder, age_order
from kubectl_grpclb.rules.servers import Server, servers_of, unseen_of
from kubectl_grpclb.rules.verdict import decide
from kubectl_grpclb.rules.weigh import weigh

__all__ = ["Assessment", "assess"]


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
    weighed = weigh(ready)
    measured, unread = weighed.measured, len(ready) - len(weighed.names)
    loads = dict(zip(weighed.names, measured.loads, strict=True))
    servers = servers_of(ready, loads)
    known = [server for server in servers if server.pod.name in loads]
    order = _lagging(age_order([(server.pod, _placements(server, facts.service)) for server in known]), loads)
    starved = order is not None and not measured.outnumbered and order.starves(loads)
    verdict, reason = decide(facts, measured, unread, starved=starved)
    return Assessment(
        verdict=verdict,
        reason=reason + _cut_off(len(every) - len(ready)),
        balance=balance_of(measured, servers, unread, weighed.sources),
        confidence="medium" if unread and measured.confidence == "high" else measured.confidence,
        servers=servers,
        unread=tuple(pod for pod in ready if pod.name not in loads),
        loads={} if measured.unclear else loads,
        unseen=unseen_of(ready),
        age_order=order,
    )


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
    servers = servers_of(ready, loads)
    unread = tuple(pod for pod in ready if pod.name not in loads)
    return Assessment(
        verdict=weighed.verdict,
        reason=weighed.reason,
        balance=balance_of(weighed.measured, servers, len(unread), _told_behind(weighed.measured, servers)),
        confidence=weighed.measured.confidence,
        servers=servers,
        unread=unread,
        loads=loads,
        unseen=unseen_of(ready),
        age_order=None,
    )


def _told_behind(measured: Measured, servers: Sequence[Server]) -> tuple[str, ...]:
    """Name who told: requests Envoy counted itself, everything else is seen at the servers."""
    return ENVOY if measured.signal == "requests" else tuple(dict.fromkeys(each.sockets.tool for each in servers))


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
