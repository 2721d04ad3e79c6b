"""Pods of looks from nodes that their own process did not delete, because it was killed."""

from datetime import UTC, datetime

from kubectl_grpclb.change.node_look import LABELS
from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.write import Delete, Denied, Done

__all__ = ["remove_leftovers"]

_OVER = frozenset({"Succeeded", "Failed"})

_CLOCKS = 300.0
"""Seconds that this machine's clock may be ahead of the cluster's."""


async def remove_leftovers(workshop: Workshop, namespace: str) -> int:
    """Delete those that are over, and those whose node did not even end them in time; give how many.

    A look of somebody else that is at work is neither: its pod runs, and not for longer than its deadline. One that
    may not be listed or deleted stays. Raises ClusterError where the cluster as a whole gave no answer.
    """
    selector = ",".join(f"{key}={value}" for key, value in LABELS.items())
    found = await workshop.fetch_all("pods", namespace, selector)
    if isinstance(found, Denied):
        return 0
    now = datetime.now(UTC)
    removed = 0
    for pod in found.object.get("items") or ():
        if _is_over(pod, now):
            metadata = pod["metadata"]
            outcome = await workshop.write(Delete("pods", namespace, metadata["name"], metadata["uid"]))
            removed += isinstance(outcome, Done)
    return removed


def _is_over(pod: Manifest, now: datetime) -> bool:
    if pod.get("status", {}).get("phase") in _OVER:
        return True
    created = datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
    deadline: float = pod["spec"].get("activeDeadlineSeconds", 0.0)
    return (now - created).total_seconds() > deadline + _CLOCKS
