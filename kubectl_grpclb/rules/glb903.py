"""GLB903: looks that timed out, died half-way or came back unreadable."""

from collections.abc import Sequence

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.gaps import evidence, unread_for
from kubectl_grpclb.rules.rule import Claim, Rule
from kubectl_grpclb.rules.words import pods

_REASONS = (GapReason.TIMED_OUT, GapReason.DIED, GapReason.GARBLED, GapReason.TOO_LARGE)


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where a look at a pod came to no complete answer."""
    unread = unread_for(facts, _REASONS)
    if not unread:
        return ()
    return (
        Claim(
            message=(
                f"The look at {pods(len(unread))} returned no complete answer, so what they hold is unknown, which "
                "does not mean nothing. Another look shows whether that was temporary."
            ),
            evidence=evidence(unread),
            confidence="high",
            explains=0.0,
            next=[facts.aim.grpclb("diagnose")] if load.verdict == "inconclusive" else (),
        ),
    )


RULE = Rule(code="GLB903", title="A look timed out or died", severity="info", check=check)
