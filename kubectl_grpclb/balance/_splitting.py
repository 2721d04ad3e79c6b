"""The chance of few equal connections: every way to split them among pods, by how often it comes about."""

import math
from collections.abc import Iterator

__all__ = ["splits", "splitting_tail"]


def splits(connections: int, pods: int) -> float:
    """Return in how many ways `connections` split into at most `pods` loads; infinite above 160 on 4 pods."""
    if pods <= 2:
        return connections // pods + 1
    if pods == 3:
        return round((connections + 3) ** 2 / 12)
    if connections > 160:
        return math.inf
    ways = [1] + [0] * connections
    for part in range(1, min(pods, connections) + 1):
        for total in range(part, connections + 1):
            ways[total] += ways[total - part]
    return ways[connections]


def splitting_tail(connections: int, pods: int, pairs: int) -> float:
    """Return P(at least `pairs` pairs of connections share a pod), to 1e-12 relative for small numbers."""
    factorials = [math.lgamma(n + 1) for n in range(max(connections, pods) + 1)]
    orders = factorials[connections] + factorials[pods] - connections * math.log(pods)
    found = _splits(connections, pods, connections, 0, factorials)
    return min(1.0, math.fsum(math.exp(orders - rest) for shared, rest in found if shared >= pairs))


def _splits(left: int, pods: int, most: int, run: int, factorials: list[float]) -> Iterator[tuple[int, float]]:
    """Yield pairs that share a pod, and ln of the orders that make no difference, for each split.

    Loads fall from pod to pod; `run` pods before these already carry `most`.
    """
    if not left:
        # The pods without any connection are alike as well.
        yield 0, factorials[pods]
        return
    for load in range(min(left, most), (left - 1) // pods, -1):
        alike = run + 1 if load == most else 1
        own = factorials[load] + math.log(alike)
        for shared, rest in _splits(left - load, pods - 1, load, alike, factorials):
            yield shared + load * (load - 1) // 2, rest + own
