"""The chance of unequal connections: the heaviest placed in every way there is, the rest by a fit.

Where neither the heaviest few nor sheer numbers decide, so that the possible values lie in clumps that no
fit follows, a sample of placements stands in; its seed is fixed, so the same question has one answer.
"""

import math
from collections.abc import Sequence
from operator import mul
from random import Random

from kubectl_grpclb.balance._fit import around_tail, fitted_tail, pair_moments

__all__ = ["placing_tail"]

TRIED = 10_000
"""Ways to place a connection that are tried in all; few enough connections are placed in every way."""

FITTED = 400
"""Ways to place the heaviest up to which the rest is fitted for every one."""

MANY = 400
"""Connections from which a fit is better than the sample there is time for."""

CLUMPED = 0.02
"""Share of the variance that the heaviest leave to the rest, above which the clumps of few show."""

SHARED = 60
"""Pairs expected to share a pod below which they are so few that clumps show, whatever the weights."""

SAMPLED = 2_500_000
"""Connections placed in the whole sample."""

TRIALS = 25_000
"""Placements in a sample at most, from which it is within 0.01 by three deviations."""

RARE = 4e-3
"""Chance below which the sample has too few hits to go by."""

Ways = dict[tuple[float, ...], float]
"""Loads of the pods that have any, lightest first, to the chance of coming about."""


def placing_tail(weights: Sequence[float], pods: int, squares: float, half_step: float) -> float:
    """Return P(Σ load² ≥ squares) for positive `weights` placed on `pods` at random.

    `half_step` is half the distance between the values that Σ load² can take, 0.0 where it can take any.
    """
    heaviest_first = sorted(weights, reverse=True)
    ways: Ways = {(): 1.0}
    fitted, placed, tried = ways, 0, 0
    for number, weight in enumerate(heaviest_first, start=1):
        tried += len(ways) * min(pods, number)
        if tried > TRIED:
            break
        ways = _placed(ways, weight, pods)
        if len(ways) <= FITTED:
            fitted, placed = ways, number
    else:
        reaching = (chance for loads, chance in ways.items() if math.fsum(map(mul, loads, loads)) >= squares)
        return min(1.0, math.fsum(reaching))
    rest = _Rest(heaviest_first[placed:], pods)
    fit = min(1.0, math.fsum(c * rest.tail(loads, squares - half_step) for loads, c in fitted.items()))
    if not (_is_sparse(len(weights), pods) or _is_clumped(heaviest_first, placed)):
        return fit
    sampled = _sampled(heaviest_first, pods, squares)
    return sampled if sampled >= RARE else min(RARE, fit)


def _placed(ways: Ways, weight: float, pods: int) -> Ways:
    """Put one more connection on each pod in turn; pods without load are all alike."""
    following: Ways = {}
    for loads, chance in ways.items():
        for i, load in enumerate(loads):
            after = tuple(sorted((*loads[:i], load + weight, *loads[i + 1 :])))
            following[after] = following.get(after, 0.0) + chance / pods
        if len(loads) < pods:
            after = tuple(sorted((*loads, weight)))
            following[after] = following.get(after, 0.0) + chance * (pods - len(loads)) / pods
    return following


def _is_sparse(connections: int, pods: int) -> bool:
    return connections**2 < SHARED * 2 * pods


def _is_clumped(heaviest_first: Sequence[float], placed: int) -> bool:
    if len(heaviest_first) >= MANY:
        return False
    return _pair_squares(heaviest_first[:placed]) < (1 - CLUMPED) * _pair_squares(heaviest_first)


def _pair_squares(weights: Sequence[float]) -> float:
    """Return Σ (w_j·w_k)² over ordered pairs, to which the variance of Σ load² is in proportion."""
    squares = math.fsum(w * w for w in weights)
    return squares * squares - math.fsum(w**4 for w in weights)


def _sampled(weights: Sequence[float], pods: int, squares: float) -> float:
    random = Random(len(weights) * pods)  # noqa: S311 -- a sample of placements, not a secret
    trials = min(TRIALS, SAMPLED // len(weights))
    hits = 0
    for _ in range(trials):
        loads: dict[int, float] = {}
        for pod, weight in zip(random.choices(range(pods), k=len(weights)), weights, strict=True):
            loads[pod] = loads.get(pod, 0.0) + weight
        values = loads.values()
        hits += sum(map(mul, values, values)) >= squares
    return hits / trials


class _Rest:
    """The lighter connections, of which only moments are kept."""

    def __init__(self, weights: Sequence[float], pods: int) -> None:
        self._pods = pods
        squares = list(map(mul, weights, weights))
        cubes = list(map(mul, squares, weights))
        self._sum, s2, self._cubes = map(math.fsum, (weights, squares, cubes))
        s4, s6 = math.fsum(map(mul, squares, squares)), math.fsum(map(mul, cubes, cubes))
        self._squares = s2
        self._pairs = max(0.0, (s2 * s2 - s4) / 2)
        cubed_pairs = max(0.0, (self._cubes**2 - s6) / 2)
        triangles = max(0.0, (s2**3 - 3 * s2 * s4 + 2 * s6) / 6)
        self._shared = (self._sum**2 - s2) / 2 / pods
        self._variance, self._third = pair_moments(self._pairs, cubed_pairs, triangles, pods)

    def tail(self, loads: Sequence[float], squares: float) -> float:
        """Return P(Σ load² ≥ squares) when the heaviest connections already make these loads."""
        n = self._pods
        mean = math.fsum(loads) / n
        bare = n - len(loads)
        gaps = [load - mean for load in loads]
        distance = math.fsum(map(mul, gaps, gaps)) + bare * mean * mean
        if n <= 4 and distance * n < 400 * self._squares:
            whole = math.fsum(loads) + self._sum
            scale = n / self._squares
            return around_tail((squares - whole * whole / n) * scale, distance * scale, n - 1)
        second = distance / n
        third = (math.fsum(g * g * g for g in gaps) - bare * mean**3) / n
        expected = math.fsum(map(mul, loads, loads)) + 2 * mean * self._sum + self._squares + 2 * self._shared
        return fitted_tail(
            (squares - expected) / 2,
            self._squares * second + self._variance,
            self._cubes * third + 6 / n * second * self._pairs + self._third,
            narrow=30,
        )
