"""What the user may not do."""

from collections.abc import Iterable

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.remedies.preflight.intent import Intent

__all__ = ["check"]


def check(facts: Facts, around: Surroundings, _: Intent) -> Iterable[Check]:
    """Refuse before the first change, instead of half-way."""
    return [
        Check(
            level="refuse",
            name="permissions",
            message=f"You lack a permission that the fix needs: {rule}",
            do=f"Ask for a Role in namespace {facts.target.namespace} with this rule, or hand the manifests that "
            "--dry-run prints to somebody who has it.",
        )
        for rule in around.missing
    ]
