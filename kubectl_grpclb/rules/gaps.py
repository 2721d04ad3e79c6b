"""What the GLB9xx rules share: pods that could not be looked into, by the reason why."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from kubectl_grpclb.model.facts import Facts, Pod
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.words import names

__all__ = ["evidence", "unread_for"]


def unread_for(facts: Facts, reasons: Collection[GapReason]) -> list[Pod]:
    """Give the pods whose sockets are a gap for one of these reasons."""
    return [pod for pod in facts.pods if isinstance(pod.sockets, Gap) and pod.sockets.reason in reasons]


def evidence(unread: Sequence[Pod]) -> list[str]:
    """Say what was answered in place of sockets, pods with the same answer together."""
    said: defaultdict[str, list[str]] = defaultdict(list)
    for pod in unread:
        if isinstance(pod.sockets, Gap):
            said[pod.sockets.detail or pod.sockets.reason].append(pod.name)
    return [f"{names(pods)}: {detail}" for detail, pods in said.items()]
