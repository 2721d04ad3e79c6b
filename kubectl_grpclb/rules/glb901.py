"""GLB901: pods whose connections cannot be seen from within, as a rule for want of a shell."""

from collections.abc import Sequence

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.gaps import evidence, unread_for
from kubectl_grpclb.rules.rule import Claim, Rule
from kubectl_grpclb.rules.words import command, pods

_REASONS = (GapReason.NO_SHELL, GapReason.SIDECAR, GapReason.NOT_A_POD)
_NETSTAT = ("netstat", "-tn")


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where a pod has no shell to ask, or its sockets do not show its clients."""
    unread = [*unread_for(facts, _REASONS), *(pod for pod in unread_for(facts, (GapReason.UNREAD,)) if pod.ready)]
    if not unread:
        return ()
    shellless = unread_for(facts, (GapReason.NO_SHELL,))
    return (
        Claim(
            message=(
                f"The connections of {pods(len(unread))} cannot be seen from within"
                f"{': no container has a shell' if len(shellless) == len(unread) else ''}. That says nothing about "
                "how many there are."
            ),
            evidence=evidence(unread),
            confidence="high",
            explains=0.0,
            next=_by_hand(facts, shellless[0].name) if shellless and load.verdict == "inconclusive" else (),
        ),
    )


def _by_hand(facts: Facts, pod: str) -> list[str]:
    where = ("-n", facts.target.namespace)
    return [
        command("kubectl", "debug", pod, *where, "-c", "look", "--image=busybox", "--profile=general", "--", *_NETSTAT),
        command("kubectl", "logs", pod, *where, "-c", "look"),
    ]


RULE = Rule(code="GLB901", title="Pods whose connections cannot be seen", severity="info", check=check)
