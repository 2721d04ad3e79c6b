"""What load and verdict come to behind Envoys of ours: which signal tells, and what it leaves out.

An Envoy spreads the requests of all its clients over connections of its own, so how many of these a server holds
says nothing. Its counters tell how many requests each server got, and the servers' sockets who goes past it.
"""

from collections.abc import Sequence

from msgspec import Struct, structs

from kubectl_grpclb.model.facts import Facts, Pod, PodSockets, Tier
from kubectl_grpclb.model.finding import Confidence, Verdict
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.rules.measure import Measured, by_bytes, by_connections, by_requests
from kubectl_grpclb.rules.passing import are_more_than_strays
from kubectl_grpclb.rules.past import lasting_past_envoy, past_envoy
from kubectl_grpclb.rules.verdict import decide

__all__ = ["Weighed", "weigh_behind"]

_UNSEEN = "connections that bypass it could not be seen"
_NOTHING = Measured("requests", (), "low", uneven=False)


class Weighed(Struct, frozen=True):
    """The load of those ready pods where it is known, in the order of `names`, and the verdict."""

    measured: Measured
    names: tuple[str, ...]
    verdict: Verdict
    reason: str


def weigh_behind(facts: Facts, tier: Tier) -> Weighed:
    """Weigh the servers behind a tier by the best signal at hand.

    Requests tell, as long as the bytes that go past Envoy cannot be compared with those through it. Where there
    are too few requests the next signals are bytes, and connections that go past Envoy.
    """
    ready = [pod for pod in facts.pods if pod.ready]
    read = {pod.name: pod.sockets for pod in ready if not isinstance(pod.sockets, Gap)}
    dead_end = _dead_end(facts, tier, len(ready))
    if dead_end:
        return Weighed(_NOTHING, (), "inconclusive", dead_end)
    past = {pod.name: len(lasting_past_envoy(facts, pod)) for pod in ready if pod.name in read}
    by_bytes_ = by_bytes(list(read.values())) if len(read) == len(ready) and any(_held(read)) else None
    counted = None if by_bytes_ and any(past.values()) else _requests(ready, past)
    if counted:
        verdict, reason = decide(facts, counted, 0, starved=False)
        return Weighed(counted, tuple(pod.name for pod in ready), verdict, reason + _unseen(ready, past))
    if by_bytes_:
        verdict, reason = decide(facts, by_bytes_, 0, starved=False)
        return Weighed(by_bytes_, tuple(read), verdict, reason)
    if any(past.values()):
        measured = structs.replace(
            by_connections(list(past.values())),
            what="the connections that bypass Envoy",
            confidence="low",
            meanwhile=tuple(_through(pod) for pod in ready if pod.name in read),
        )
        verdict, reason = decide(facts, measured, len(ready) - len(read), starved=False)
        return Weighed(measured, tuple(read), verdict, reason)
    passing = any(past_envoy(facts, pod) for pod in ready) or are_more_than_strays(list(read.values()))
    return _quiet(facts, ready, read, passing=passing)


def _dead_end(facts: Facts, tier: Tier, ready: int) -> str:
    if tier.servers is None:
        return f"the Service leads to Envoy, and Service {tier.headless}, which names the servers, does not exist"
    if isinstance(tier.servers, Gap):
        return f"the Service leads to Envoy, and Service {tier.headless}, which names the servers, could not be read"
    if not any(pod.ready for pod in tier.pods):
        return "the Service leads to Envoy, and no Envoy is ready"
    if not ready:
        return "the Service leads to Envoy, and no server behind it is ready"
    if all(pod.target_port is None for pod in facts.pods if pod.ready):
        return "the endpoints behind Envoy carry no port, so no connection can reach them"
    return ""


def _through(pod: Pod) -> int:
    """Give what came through Envoy; where that is not known, its connections, over which something may have."""
    if pod.requests is not None:
        return pod.requests
    return 0 if isinstance(pod.sockets, Gap) else len(pod.sockets.connections)


def _requests(ready: Sequence[Pod], past: dict[str, int]) -> Measured | None:
    counts = [pod.requests for pod in ready if pod.requests is not None]
    if len(counts) < len(ready):
        return None
    sure: Confidence = "medium" if len(past) < len(ready) or any(past.values()) else "high"
    return by_requests(counts, sure, "the requests that come through Envoy")


def _unseen(ready: Sequence[Pod], past: dict[str, int]) -> str:
    going = sum(past.values())
    if going:
        return f"; what bypasses it over {'1 connection' if going == 1 else f'{going} connections'} is not counted"
    return f"; {_UNSEEN}" if len(past) < len(ready) else ""


def _quiet(facts: Facts, ready: Sequence[Pod], read: dict[str, PodSockets], *, passing: bool) -> Weighed:
    """Say what it comes to where no connection past Envoy lasts, and few requests or none came through it."""
    counts = [pod.requests for pod in ready]
    known = [count for count in counts if count is not None]
    if len(known) < len(ready):
        if len(read) == len(ready) and not any(_held(read)) and not passing:
            return _weighed(ready, [0] * len(ready), "idle", "neither Envoy nor a client is connected to any ready pod")
        unknown = "how many requests Envoy sends to each pod is not known"
        once = "" if facts.window else "; it takes two looks: leave out --window 0"
        return Weighed(_NOTHING, (), "inconclusive", unknown + once)
    if any(known):
        said = f"{sum(known)} {'request' if sum(known) == 1 else 'requests'} through Envoy"
        return _weighed(ready, known, "inconclusive", f"only {said}: too few to say how they are spread")
    if len(read) < len(ready) or passing:
        unknown = "short-lived connections that bypass it are not counted" if passing else _UNSEEN
        reason = f"no request came through Envoy, and {unknown}"
        return _weighed(ready, known, "inconclusive", reason)
    return _weighed(ready, known, "idle", "no request came through Envoy, and no client is connected directly")


def _weighed(ready: Sequence[Pod], counts: Sequence[int], verdict: Verdict, reason: str) -> Weighed:
    measured = Measured("requests", tuple(map(float, counts)), "low", uneven=False)
    return Weighed(measured, tuple(pod.name for pod in ready), verdict, reason)


def _held(read: dict[str, PodSockets]) -> list[int]:
    return [len(sockets.connections) for sockets in read.values()]
