"""GLB902: reads that the user may not make."""

from collections import Counter
from collections.abc import Sequence

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.need import CONNECTION
from kubectl_grpclb.model.rbac import rule_text
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.gaps import evidence, unread_for
from kubectl_grpclb.rules.rule import Claim, Rule
from kubectl_grpclb.rules.words import pods

_EXEC, _FORWARD = rule_text("pods/exec", CONNECTION), rule_text("pods/portforward", CONNECTION)
_DOING = {_EXEC: "run commands in", _FORWARD: "forward ports to"}
"""What a rule would allow; what else was forbidden is said in the evidence, with what to do."""


def check(facts: Facts, _load: Assessment) -> Sequence[Claim]:
    """Hold where the cluster refused a read for want of a permission."""
    unread = unread_for(facts, (GapReason.FORBIDDEN,))
    if not unread and not facts.refusals:
        return ()
    lacking = Counter(pod.sockets.rule for pod in unread if isinstance(pod.sockets, Gap))
    said = [_said(rule, count) for rule, count in lacking.items()]
    said += [f"You are not permitted to {refusal.request}: {refusal.consequence}." for refusal in facts.refusals]
    return (
        Claim(
            message=" ".join(said),
            evidence=[*evidence(unread), *(f"to allow it: {refusal.rule}" for refusal in facts.refusals)],
            confidence="high",
            explains=0.0,
            next=_ask(facts) if _EXEC in lacking else (),
        ),
    )


def _said(rule: str, count: int) -> str:
    unknown = f"{pods(count)}, so their connections are unknown, which does not mean none"
    if rule not in _DOING:
        return f"You are not permitted to look into {unknown}; the evidence says what is missing."
    return f"You are not permitted to {_DOING[rule]} {unknown}. A role with this rule allows it: {rule}."


def _ask(facts: Facts) -> list[str]:
    may = ("auth", "can-i")
    return [facts.aim.kubectl(*may, verb, "pods", "--subresource=exec") for verb in ("get", "create")]


RULE = Rule(code="GLB902", title="Not permitted to look", severity="info", check=check)
