"""The chance of few equal connections: every way to split their number among the pods."""

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
    least = 2 * pairs + connections
    return min(1.0, math.fsum(chance for squares, chance in _chances(connections, pods) if squares >= least))


def _chances(connections: int, pods: int) -> Iterator[tuple[int, float]]:
    """Yield Σn² of the pods' numbers of connections, and the chance, for each split."""
    factorials = [math.lgamma(n + 1) for n in range(max(connections, pods) + 1)]
    orders = factorials[connections] + factorials[pods] - connections * math.log(pods)
    for squares, alike in _splits(connections, pods, connections, 0, factorials):
        yield squares, math.exp(orders - alike)


def _splits(left: int, pods: int, most: int, run: int, factorials: list[float]) -> Iterator[tuple[int, float]]:
    """Yield Σn² and ln of the orders that make no difference, for each split of those left.

    Numbers fall from pod to pod; `run` pods before these already have `most`.
    """
    if not left:
        # The pods without any connection are alike as well.
        yield 0, factorials[pods]
        return
    for n in range(min(left, most), (left - 1) // pods, -1):
        same = run + 1 if n == most else 1
        own = factorials[n] + math.log(same)
        for squares, alike in _splits(left - n, pods - 1, n, same, factorials):
            yield squares + n * n, alike + own
