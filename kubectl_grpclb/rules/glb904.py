"""GLB904: two sources tell different things of the same pod."""

from collections.abc import Iterator, Sequence
from math import sqrt

from kubectl_grpclb.model.facts import Counted, Facts, Pod, PodSockets
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.rule import Claim, Rule
from kubectl_grpclb.rules.words import connections

_APART = 0.2
"""A difference of so much of the larger one is more than two looks at slightly different times make."""
_CALLS = 50
"""Fewer calls may differ by so much through where a look happens to fall."""
_CHANCE = 4.0
"""Two counts of calls that come at random differ by so many times the root of their sum once in 10,000 times."""
_CONNECTIONS = 3


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where calls of the same window, or lasting connections, differ by more than a fifth and than chance."""
    said = [each for pod in facts.pods for each in (*_calls(pod, load.balance.sources), *_connections(pod))]
    if not said:
        return ()
    return (
        Claim(
            message=(
                "Sources contradict each other; the report uses the one named first. Perhaps only some of the calls "
                "are "
                "counted, because some methods have no interceptor or a second server in the pod has a counter of its "
                "own; or connections come and go between the looks. Ask one source alone with --via to compare."
            ),
            evidence=said,
            confidence="medium",
            explains=0.0,
        ),
    )


def _calls(pod: Pod, sources: Sequence[str]) -> Iterator[str]:
    """Compare what was counted within the window by the report's own source with what the others counted."""
    timed = [(each, each.rate) for each in pod.counted if each.rate is not None and each.source != "prometheus"]
    timed.sort(key=lambda pair: pair[0].source not in sources)
    for first, rate in timed[:1]:
        for other, other_rate in timed[1:]:
            if _contradict(first, other, other_rate * first.seconds):
                yield f"{pod.name}: {rate:.1f} calls a second by {first.source}, {other_rate:.1f} by {other.source}"


def _contradict(first: Counted, other: Counted, expected: float) -> bool:
    """Tell whether the first counted other than `expected`, which is what the other makes of the same seconds."""
    apart = abs(first.requests - expected)
    enough = max(first.requests, other.requests) >= _CALLS
    return enough and _differ(first.requests, expected) and apart > _CHANCE * sqrt(first.requests + expected)


def _connections(pod: Pod) -> Iterator[str]:
    if isinstance(pod.sockets, Gap):
        return
    held = _lasting(pod.sockets)
    for other in pod.others:
        there = _lasting(other)
        if abs(held - there) >= _CONNECTIONS and _differ(held, there):
            yield f"{pod.name}: {connections(held)} that lasted by {pod.sockets.tool}, {there} by {other.tool}"


def _lasting(sockets: PodSockets) -> int:
    return sum(each.lasting for each in sockets.connections)


def _differ(one: float, other: float) -> bool:
    return abs(one - other) > _APART * max(one, other)


RULE = Rule(code="GLB904", title="Sources contradict each other", severity="info", check=check)
