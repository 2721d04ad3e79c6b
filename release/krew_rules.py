"""What krew, its index' CI and its reviewers ask of a plugin: every rule, and what of them a submission breaks."""

import msgspec

from release.krew_archive_rules import ARCHIVE_RULES
from release.krew_manifest_rules import MANIFEST_RULES
from release.krew_submission import Rule, Submission

__all__ = ["RULES", "Problem", "problems"]

RULES: tuple[Rule, ...] = (*MANIFEST_RULES, *ARCHIVE_RULES)


class Problem(msgspec.Struct, frozen=True):
    """Something that a rule is broken by."""

    rule: str
    message: str


def problems(given: Submission) -> tuple[Problem, ...]:
    """Tell everything that is wrong, in the rules' order."""
    return tuple(Problem(rule.name, message) for rule in RULES for message in rule.check(given))
