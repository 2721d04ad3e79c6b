"""GLB404: the autoscaler goes by the mean of all pods, which hides the one that is full."""

from collections.abc import Sequence

from kubectl_grpclb.model.facts import Autoscaler, Facts
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.cpu import cores, cpu_of
from kubectl_grpclb.rules.rule import Claim, NothingToGoBy, Rule

_ABOVE = 1.5
"""So many times the mean, and the mean tells little of the busiest pod."""


def check(facts: Facts, load: Assessment) -> Sequence[Claim] | NothingToGoBy:
    """Hold where load is uneven, an autoscaler goes by CPU, sees no need to scale, and a pod is above its aim."""
    scaler = facts.autoscaler
    if facts.tiers or scaler is None or not load.unbalanced:
        return ()
    used = cpu_of(facts)
    if scaler.current is None:
        return NothingToGoBy(f"the autoscaler {scaler.name} does not report what CPU it sees")
    if used is None:
        return NothingToGoBy("the metrics API does not give every ready pod's CPU")
    busiest, mean = max(used, key=lambda name: used[name]), sum(used.values()) / len(used)
    times = used[busiest] / mean if mean else 0.0
    if scaler.desired > scaler.replicas:
        return ()
    if scaler.current > scaler.target or times < _ABOVE or scaler.current * times <= scaler.target:
        return ()
    return (
        Claim(
            message=_message(scaler, scaler.current, busiest, times),
            evidence=[
                f"{scaler.name}: {scaler.current}% of {scaler.target}%, {scaler.replicas} of {scaler.most} pods",
                *(f"{name}: {cores(used[name])} (metrics API)" for name in sorted(used, key=lambda each: -used[each])),
            ],
            confidence="medium",
            explains=0.3,
            remedies=("envoy", "round-robin"),
        ),
    )


def _message(scaler: Autoscaler, current: int, busiest: str, times: float) -> str:
    return (
        f"The autoscaler {scaler.name} aims at {scaler.target}% CPU on average and sees {current}%, while {busiest} "
        f"uses {times:.1f} times the average, about {current * times:.0f}%. It adds no pod for that, and one that it "
        "added would stay idle as long as load stays where it is. Balance requests first; then the average is "
        "meaningful."
    )


RULE = Rule(code="GLB404", title="The autoscaler is misled by the average", severity="warning", check=check)
