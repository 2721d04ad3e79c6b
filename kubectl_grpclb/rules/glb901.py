"""GLB901: pods whose connections cannot be seen from within, as a rule for want of a shell."""

from collections.abc import Sequence

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.gaps import evidence, unread_for
from kubectl_grpclb.rules.rule import Claim, Rule
from kubectl_grpclb.rules.words import pods

_REASONS = (GapReason.NO_SHELL, GapReason.SIDECAR, GapReason.NOT_A_POD)


_TELL = frozenset({"auto", "channelz", "exec", "debug", "node"})
"""The sources that tell connections; without any of them nobody looked, as the user wished."""


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where a pod has no shell to ask, or its sockets do not show its clients."""
    if not _TELL & set(facts.via):
        return ()
    unread = [*unread_for(facts, _REASONS), *(pod for pod in unread_for(facts, (GapReason.UNREAD,)) if pod.ready)]
    if not unread:
        return ()
    shellless = unread_for(facts, (GapReason.NO_SHELL,))
    return (
        Claim(
            message=(
                f"The connections of {pods(len(unread))} cannot be seen from inside"
                f"{': no container has a shell' if len(shellless) == len(unread) else ''}. That says nothing about "
                "how many there are."
            ),
            evidence=evidence(unread),
            confidence="high",
            explains=0.0,
            next=_go_on(facts) if shellless and load.verdict == "inconclusive" else (),
        ),
    )


def _go_on(facts: Facts) -> list[str]:
    """Look from an ephemeral container, which stays until its pod goes, or from a pod on each node, which does not."""
    tried = {"--debug": "debug", "--via auto,node": "node"}
    return [facts.aim.grpclb("diagnose", *flag.split()) for flag, source in tried.items() if source not in facts.via]


RULE = Rule(code="GLB901", title="Pods whose connections cannot be seen", severity="info", check=check)
