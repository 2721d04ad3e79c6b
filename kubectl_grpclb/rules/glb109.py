"""GLB109: a client of a headless Service says itself that its policy is pick_first."""

from collections.abc import Sequence

from kubectl_grpclb.model.facts import ClientChannels, Facts
from kubectl_grpclb.model.words import names
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.rule import Claim, Rule
from kubectl_grpclb.rules.words import headless_target

_POLICY = "pick_first"


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where channelz of a client of a headless Service with several ready pods names no policy but pick_first."""
    if facts.tiers or not facts.service.headless or load.balance.pods < 2:
        return ()
    picking = [each for each in facts.channels if each.policies == (_POLICY,)]
    if not picking:
        return ()
    return (
        Claim(
            message=_message(facts, picking),
            evidence=[_said(each) for each in picking],
            confidence="high",
            explains=0.95 if load.unbalanced else 0.3,
            severity=None if load.unbalanced else "info",
            remedies=("round-robin",),
        ),
    )


def _message(facts: Facts, picking: Sequence[ClientChannels]) -> str:
    who = names([each.client for each in picking], at_most=3)
    says, its, takes, dial = (
        ("itself says", "its", "it uses", "it")
        if len(picking) == 1
        else ("themselves say", "their", "each uses", "them")
    )
    target = headless_target(facts, facts.target.service) or "the Service's name as dns:///"
    return (
        f"{who} {says} that {its} policy is pick_first: {takes} the first address of this headless Service that "
        f"answers, and stays there. Have {dial} dial {target} with the service config "
        '{"loadBalancingConfig":[{"round_robin":{}}]}.'
    )


def _said(told: ClientChannels) -> str:
    where = f", connected to {names(told.picked)}" if told.picked else ""
    return f"{told.client}'s channelz: {_POLICY} for {names(told.targets) or 'its channel'}{where}"


RULE = Rule(code="GLB109", title="A client reports pick_first as its policy", severity="warning", check=check)
