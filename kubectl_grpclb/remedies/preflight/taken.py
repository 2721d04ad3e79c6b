"""Names that the bundle needs and somebody else has."""

from collections.abc import Iterable

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.remedies.preflight.intent import Intent

__all__ = ["check"]


def check(facts: Facts, around: Surroundings, _: Intent) -> Iterable[Check]:
    """Refuse to take over what is not ours."""
    return [
        Check(
            level="refuse",
            name="names",
            message=f"{name} exists already and is not of this tool's making; the fix needs the name.",
            do=f"Look whose it is: {facts.aim.kubectl('describe', name.lower())}. Rename or "
            "delete it, if nobody needs it.",
        )
        for name in around.taken
    ]
