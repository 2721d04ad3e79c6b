"""The chance of few connections that are equal, or nearly: every way to split their number among the pods."""

import math
from collections.abc import Iterator, Sequence

from kubectl_grpclb.balance._fit import fitted_tail

__all__ = ["splits", "splitting_tail", "spread_tail"]

NARROW = 100.0
"""Shape from which a gamma distribution's cube root is normal, to 1e-5 absolute."""


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
    return min(1.0, math.fsum(chance for squares, _, chance in _chances(connections, pods) if squares >= least))


def spread_tail(weights: Sequence[float], pods: int, squares: float) -> float:
    """Return P(Σ load² ≥ squares) for `weights` that are nearly equal.

    How many connections each pod has is counted out; which ones is a draw without replacement, of which
    mean and variance are known.
    """
    c = len(weights)
    mean = math.fsum(weights) / c
    scatter = math.fsum((w - mean) ** 2 for w in weights)
    # Of equally loaded pods only chi-square is left; of pods with one connection each, nothing is.
    equal, alone = 2 * (pods - 1) * (scatter / pods) ** 2, 2 * (scatter / c) ** 2
    total = 0.0
    for n2, n3, chance in _chances(c, pods):
        expected = mean * mean * n2 + scatter * (c - n2 / c) / (c - 1)
        variance = 4 * mean * mean * scatter * max(0.0, n3 - n2 * n2 / c) / (c - 1)
        least = min(equal, alone * (n2 - c))
        tail = fitted_tail(squares - expected, variance + least, 4 * least * scatter / pods, NARROW)
        total += chance * tail
    return min(1.0, total)


def _chances(connections: int, pods: int) -> Iterator[tuple[int, int, float]]:
    """Yield Σn² and Σn³ of the pods' numbers of connections, and the chance, for each split."""
    factorials = [math.lgamma(n + 1) for n in range(max(connections, pods) + 1)]
    orders = factorials[connections] + factorials[pods] - connections * math.log(pods)
    for squares, cubes, alike in _splits(connections, pods, connections, 0, factorials):
        yield squares, cubes, math.exp(orders - alike)


def _splits(left: int, pods: int, most: int, run: int, factorials: list[float]) -> Iterator[tuple[int, int, float]]:
    """Yield Σn², Σn³ and ln of the orders that make no difference, for each split of those left.

    Numbers fall from pod to pod; `run` pods before these already have `most`.
    """
    if not left:
        # The pods without any connection are alike as well.
        yield 0, 0, factorials[pods]
        return
    for n in range(min(left, most), (left - 1) // pods, -1):
        same = run + 1 if n == most else 1
        own = factorials[n] + math.log(same)
        for squares, cubes, alike in _splits(left - n, pods - 1, n, same, factorials):
            yield squares + n * n, cubes + n * n * n, alike + own
