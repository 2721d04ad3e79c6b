"""How evenly a load lies on pods: measures of effect, which know nothing of chance.

A load is anything that adds up: requests a second, streams, bytes a second, connections. All measures are
the same for loads in another unit.
"""

import math
from collections.abc import Sequence

__all__ = ["ENOUGH", "effective_pods", "is_uneven", "max_over_mean", "most_effective"]

ENOUGH = 0.8
"""Share of the ready pods that must be effective for the load to count as balanced."""

ROUNDING = 1e-12
"""What float sums over loads may be off by, relative."""


def effective_pods(loads: Sequence[float]) -> float:
    """Return how many equally loaded pods would do the same: (Σx)² / Σx², 0.0 when there is no load.

    Jain's fairness index times pods (Jain, Chiu and Hawe, DEC-TR-301, 1984). Between 1 and the number of
    pods where there is load. Raises ValueError for a load that is negative, infinite or not a number.
    """
    total, squares = _sums(loads)
    return min(total * total / squares, float(len(loads))) if squares else 0.0


def max_over_mean(loads: Sequence[float]) -> float:
    """Return the busiest pod's load over the mean, 1.0 when all are equal, 0.0 when there is no load.

    Raises ValueError for a load that is negative, infinite or not a number.
    """
    total, _ = _sums(loads)
    return len(loads) / total if total else 0.0


def most_effective(known: Sequence[float], unread: int) -> float:
    """Return the most effective pods there can be, whatever load the `unread` pods carry.

    Effective pods are highest where each unread pod carries Σx² / Σx of the known loads, and are then the
    effective pods of the known ones plus `unread`. Raises ValueError as effective_pods does, and for a
    negative `unread`.
    """
    if unread < 0:
        raise ValueError(f"unread pods cannot be {unread}")
    return effective_pods(known) + unread


def is_uneven(loads: Sequence[float]) -> bool:
    """Tell whether fewer than ENOUGH of the pods are effective; False when there is no load.

    Exactly ENOUGH is not uneven. Raises ValueError as effective_pods does.
    """
    effective = effective_pods(loads)
    return 0.0 < effective < ENOUGH * len(loads) * (1 - ROUNDING)


def _sums(loads: Sequence[float]) -> tuple[float, float]:
    """Return Σx and Σx² in units of the largest load, so that squares neither overflow nor vanish."""
    if not all(0 <= load < math.inf for load in loads):
        raise ValueError("a load is a finite number of at least 0")
    largest = max(loads, default=0.0)
    if not largest:
        return 0.0, 0.0
    shares = [load / largest for load in loads]
    return math.fsum(shares), math.fsum(share * share for share in shares)
