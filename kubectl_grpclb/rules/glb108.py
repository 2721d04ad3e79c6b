"""GLB108: channels of one client share a subchannel, and with it a connection."""

from collections.abc import Sequence

from kubectl_grpclb.model.facts import ClientChannels, Facts
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.rule import Claim, Rule

_POLICY = "pick_first"


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where a client's own channelz shows fewer subchannels than channels, and nothing picks among several."""
    if facts.tiers or load.balance.pods < 2:
        return ()
    return [_claim(load, each) for each in facts.channels if _shares(each)]


def _shares(told: ClientChannels) -> bool:
    """Tell whether channels outnumber what is below them; round_robin's share, too, and spread calls all the same.

    Where no policy is named, it may be round_robin as long as they are connected to several addresses.
    """
    if not 0 < told.subchannels < told.channels:
        return False
    if told.policies:
        return set(told.policies) == {_POLICY}
    return told.connections <= 1 or len(told.picked) == 1


def _claim(load: Assessment, told: ClientChannels) -> Claim:
    shared = "one subchannel" if told.subchannels == 1 else f"{told.subchannels} subchannels"
    held = {0: "no connection", 1: "one connection"}.get(told.connections, f"{told.connections} connections")
    with_ = "it" if told.subchannels == 1 else "them"
    return Claim(
        message=(
            f"The {told.channels} channels of {told.client} share {shared}, and with {with_} {held}: more channels do "
            "not spread its calls. gRPC's core (Python, C++, Ruby, PHP, the old C# package) gives channels with the "
            "same "
            "target and options the same subchannel. The channel option grpc.use_local_subchannel_pool=1 gives each "
            "its own; round_robin over a headless Service needs only one channel."
        ),
        evidence=[f"{told.client}'s channelz: {told.channels} channels, {told.subchannels} subchannels, {held}"],
        confidence="high" if told.policies else "medium",
        explains=0.4,
        severity="warning" if load.unbalanced else None,
        remedies=("round-robin",),
    )


RULE = Rule(code="GLB108", title="Channels share one subchannel", severity="info", check=check)
