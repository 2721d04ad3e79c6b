"""How many calls each pod got, by the source to go by, and how many messages came in streams that stay open."""

from collections.abc import Sequence
from statistics import median

from msgspec import Struct

from kubectl_grpclb.model.facts import Counted, Pod, Source
from kubectl_grpclb.model.finding import Confidence
from kubectl_grpclb.rules.measure import Measured, by_requests, by_streams

__all__ = ["Calls", "by_calls", "calls_of", "few_calls"]

_ALIKE = 0.2
"""Times that differ by no more than so much of the longer one are compared."""
_AT_ONCE = 60.0
"""Seconds within which pods of one rollout are created."""
_IN_STREAMS = 2
"""More messages than so many times the calls, while calls stay open, and the messages are the load."""


class Calls(Struct, frozen=True):
    """What was counted of each of these pods."""

    pods: tuple[Pod, ...]
    counted: tuple[Counted, ...]
    """One a pod."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """Who counted."""
        return tuple(dict.fromkeys(each.source for each in self.counted))

    @property
    def requests(self) -> list[int]:
        """Calls of each pod."""
        return [each.requests for each in self.counted]

    @property
    def of_connections_lives(self) -> bool:
        """Some are those of a single look at channelz: of the connections that are there, each since it was opened."""
        return any(each.source == "channelz" and not each.seconds for each in self.counted)

    @property
    def open_streams(self) -> int:
        """Calls that stay open, of all pods."""
        return sum(each.open_streams or 0 for each in self.counted)


def _chosen(pods: Sequence[Pod], *, timed: bool) -> Source | None:
    """Choose the source that tells of the most pods, of those the first one in the pods' own order.

    With `timed` only counts of windows are looked at.
    """
    sources = list(dict.fromkeys(each.source for pod in pods for each in pod.counted))
    return max(sources, key=lambda source: sum(_by(pod, source, timed=timed) is not None for pod in pods), default=None)


def calls_of(pods: Sequence[Pod]) -> Calls:
    """Give the calls of the pods of which they are known, by one source as far as it tells.

    Like is compared with like: counts of windows are never set beside counts of lives, nor lives of pods that are not
    about as old, nor windows that are not about as long.
    """
    timed = any(each.seconds for pod in pods for each in pod.counted)
    source = _chosen(pods, timed=timed)
    known = [(pod, counted) for pod in pods if (counted := _first(pod, source, timed=timed)) is not None]
    if timed:
        usual = median(counted.seconds for _, counted in known) if known else 0.0
        known = [(pod, counted) for pod, counted in known if _alike(counted.seconds, usual)]
    elif len({pod.age is None for pod, _ in known}) > 1 or not _all_alike([pod.age or 0.0 for pod, _ in known]):
        known = []
    return Calls(tuple(pod for pod, _ in known), tuple(counted for _, counted in known))


def _first(pod: Pod, source: Source | None, *, timed: bool) -> Counted | None:
    """Give what the source counted of the pod, else what another one did over the same time."""
    others = (each for each in pod.counted if each.source != "prometheus" and (each.seconds > 0) == timed)
    return None if source is None else _by(pod, source, timed=timed) or next(others, None)


def _alike(one: float, other: float) -> bool:
    return abs(one - other) <= _ALIKE * max(one, other)


def _all_alike(ages: Sequence[float]) -> bool:
    return not ages or max(ages) - min(ages) <= max(_ALIKE * max(ages), _AT_ONCE)


def by_calls(calls: Calls, ready: int) -> Measured | None:
    """Take messages where streams that stay open carry the load, else calls; None where they are too few of either.

    `ready` pods there are in all; where some of them are not counted nobody can be very sure.
    """
    windows = all(each.seconds for each in calls.counted)
    confidence: Confidence = "high" if windows and len(calls.pods) == ready else "medium"
    return _by_messages(calls, confidence) or by_requests(calls.requests, confidence)


def few_calls(calls: Calls) -> Measured:
    """Give the calls of pods whose connections nobody saw, where they are too few to compare."""
    return Measured("requests", tuple(map(float, calls.requests)), "low", uneven=False, enough=False)


def _by_messages(calls: Calls, confidence: Confidence) -> Measured | None:
    messages = [each.messages for each in calls.counted if each.messages is not None]
    if len(messages) < len(calls.counted) or not calls.open_streams:
        return None
    return by_streams(messages, confidence) if sum(messages) > _IN_STREAMS * sum(calls.requests) else None


def _by(pod: Pod, source: Source, *, timed: bool) -> Counted | None:
    return next((each for each in pod.counted if each.source == source and (each.seconds or not timed)), None)
