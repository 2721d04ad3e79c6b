"""What a rule is: a function from facts to claims, with a name that never changes."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.finding import Confidence, Severity
from kubectl_grpclb.rules.assess import Assessment

__all__ = ["Check", "Claim", "NothingToGoBy", "Rule"]


class Claim(Struct, frozen=True, kw_only=True):
    """What one rule says of one subject; the analysis adds the rule's code, title and page."""

    message: str
    evidence: Sequence[str]
    confidence: Confidence
    explains: float
    """How much of what users feel this accounts for, 0 to 1; the report leads with the highest."""
    subject: str | None = None
    """`Kind/namespace/name`; None means the Service."""
    severity: Severity | None = None
    """Where it differs from the rule's."""
    remedies: Sequence[str] = ()
    next: Sequence[str] = ()
    """Commands to copy."""


class NothingToGoBy(Struct, frozen=True):
    """The rule's inputs could not be read."""

    reason: str


Check = Callable[[Facts, Assessment], Sequence[Claim] | NothingToGoBy]


class Rule(Struct, frozen=True):
    """One finding that can be made."""

    code: str
    title: str
    severity: Severity
    check: Check
