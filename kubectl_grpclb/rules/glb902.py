"""GLB902: reads that the user may not make."""

from collections.abc import Sequence

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.gaps import evidence, unread_for
from kubectl_grpclb.rules.rule import Claim, Rule
from kubectl_grpclb.rules.words import command, pods

_EXEC = 'apiGroups: [""], resources: ["pods/exec"], verbs: ["get", "create"]'
"""An exec over a WebSocket is authorised for both verbs (seen with Kubernetes 1.37)."""


def check(facts: Facts, _load: Assessment) -> Sequence[Claim]:
    """Hold where the cluster refused a read for want of a permission."""
    unread = unread_for(facts, (GapReason.FORBIDDEN,))
    if not unread and not facts.refusals:
        return ()
    said = []
    if unread:
        said.append(
            f"You may not run commands in {pods(len(unread))}, so their connections are unknown, which is not none. "
            f"A role with this rule allows it: {_EXEC}."
        )
    said += [f"You may not {refusal.request}: {refusal.consequence}." for refusal in facts.refusals]
    return (
        Claim(
            message=" ".join(said),
            evidence=[*evidence(unread), *(f"to allow it: {refusal.rule}" for refusal in facts.refusals)],
            confidence="high",
            explains=0.0,
            next=_ask(facts) if unread else (),
        ),
    )


def _ask(facts: Facts) -> list[str]:
    where = ("pods", "--subresource=exec", "-n", facts.target.namespace)
    return [command("kubectl", "auth", "can-i", verb, *where) for verb in ("get", "create")]


RULE = Rule(code="GLB902", title="Not permitted to look", severity="info", check=check)
