"""PodDisruptionBudgets that Envoy's pods would match besides their own."""

from collections.abc import Iterable

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.model.words import names
from kubectl_grpclb.remedies.preflight.intent import Intent
from kubectl_grpclb.remedies.preflight.selectors import matches
from kubectl_grpclb.remedies.words import labels

__all__ = ["check", "over_envoy"]

_NAME = "disruption-budget"


def over_envoy(around: Surroundings, intent: Intent) -> tuple[str, ...]:
    """Name the budgets of others that Envoy's pods match; one without a selector matches none (policy/v1)."""
    budgets = () if isinstance(around.budgets, Gap) else around.budgets
    return tuple(
        budget.name
        for budget in budgets
        if budget.name != intent.bundle.envoy
        and budget.selector is not None
        and matches(budget.selector, intent.labels)
    )


def check(_: Facts, around: Surroundings, intent: Intent) -> Iterable[Check]:
    """Warn of each budget that holds for Envoy's pods: with a second one nobody could drain their nodes.

    The API server answers 500 to every eviction of a pod with more than one (kubernetes
    pkg/registry/core/pod/storage/eviction.go).
    """
    if isinstance(around.budgets, Gap):
        return [_unread(around.budgets, intent)]
    found = over_envoy(around, intent)
    if not found:
        return []
    whose = names([f"PodDisruptionBudget {name}" for name in found])
    return [
        Check(
            level="warn",
            name=_NAME,
            message=f"{whose} would hold for Envoy's pods, too. A pod with two budgets cannot be evicted at all, and "
            "its node not be drained, so Envoy gets none of its own, and counts among the pods of that one.",
            do="Let it select by a label that only its own pods have, and run fix again: then Envoy gets its own.",
        )
    ]


def _unread(gap: Gap, intent: Intent) -> Check:
    return Check(
        level="warn",
        name=_NAME,
        message=f"The PodDisruptionBudgets of the namespace could not be read ({gap.detail or gap.reason}). If one "
        "holds for Envoy's pods besides their own, the nodes of these pods cannot be drained.",
        do=f"Make sure that no other one selects pods by some of these labels alone: {labels(intent.labels)}",
    )
