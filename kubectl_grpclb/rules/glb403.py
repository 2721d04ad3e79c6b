"""GLB403: pods get as many calls, and some need far more CPU for them: unequal work, not unequal load."""

from collections.abc import Sequence

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.cpu import cores, cpu_of
from kubectl_grpclb.rules.rule import Claim, NothingToGoBy, Rule
from kubectl_grpclb.rules.words import at_most

_UNEQUAL = 2.0
"""So many times the mean of the other pods is more than measuring wobbles."""
_NOTABLE = 0.05
"""Cores; below that a pod's own housekeeping counts for more than its calls."""


def check(facts: Facts, load: Assessment) -> Sequence[Claim] | NothingToGoBy:
    """Hold where calls are even and CPU is not."""
    if load.verdict != "balanced" or not load.by_calls or load.balance.pods < 2:
        return ()
    used = cpu_of(facts)
    if used is None:
        return NothingToGoBy("the metrics API does not give every ready pod's CPU")
    busiest = max(used, key=lambda name: used[name])
    others = (sum(used.values()) - used[busiest]) / max(1, len(used) - 1)
    if used[busiest] < _UNEQUAL * others or used[busiest] < _NOTABLE:
        return ()
    what = "messages" if load.balance.signal == "streams" else "calls"
    return (
        Claim(
            message=_message(facts, what, busiest, used[busiest], others),
            evidence=[
                f"{name}: {cores(used[name])} (metrics API), {load.loads.get(name, 0.0):,.0f} {what}"
                for name in sorted(used, key=lambda each: -used[each])
            ],
            confidence=at_most("medium", load.confidence),
            explains=0.0,
        ),
    )


def _message(facts: Facts, what: str, busiest: str, most: float, others: float) -> str:
    return (
        f"Each pod gets about as many {what}, but {busiest} uses {cores(most)} while the others use "
        f"{cores(others)} on average. That is unequal work: calls that cost more than others, a slower node, or "
        "something besides the calls. Balancing by the number of calls cannot fix it; LEAST_REQUEST in Envoy "
        f"({facts.aim.grpclb('fix', '--lb-policy', 'least-request')}) sends fewer to pods that take longer."
    )


RULE = Rule(code="GLB403", title="Equal calls, unequal work", severity="info", check=check)
