"""The chance of equal connections on 2 to 4 pods, counted out: sums over binomials in place of splits."""

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate

from kubectl_grpclb.balance._gamma import binomial_mass

__all__ = ["FEW", "few_pods_tail"]

FEW = 4
"""Pods up to which counting out takes a number of steps in proportion to the connections."""

NEGLIGIBLE = 1e-18
"""Mass from which on the rest of a binomial no longer matters."""


def few_pods_tail(connections: int, pods: int, squares: int) -> float:
    """Return P(Σ count² ≥ squares) for `connections` placed on 2, 3 or 4 pods at random; 1e-12 absolute.

    Two pods that hold m connections differ by d, and the sum of their squares is (m² + d²) / 2. Three pods are
    one and two, four are two and two, whose numbers are binomial themselves.
    """
    if pods == 2:
        return _Pair(connections).reaches(2 * squares - connections**2)
    share = 1 / 3 if pods == 3 else 1 / 2
    chances = (mass * _split(taken, connections - taken, pods, squares) for taken, mass in _masses(connections, share))
    return min(1.0, math.fsum(chances))


def _split(taken: int, left: int, pods: int, squares: int) -> float:
    rest = _Pair(left)
    if pods == 3:
        return rest.reaches(2 * (squares - taken**2) - left**2)
    needed = 2 * squares - taken**2 - left**2
    return math.fsum(mass * rest.reaches(needed - gap * gap) for gap, mass in _Pair(taken).gaps())


class _Pair:
    """The difference between the counts of two pods that hold so many connections."""

    def __init__(self, connections: int) -> None:
        self._least = connections % 2
        self._masses = list(_half(connections))
        self._tails = _from_the_end(self._masses)

    def gaps(self) -> Iterator[tuple[int, float]]:
        """Yield each difference with its chance."""
        return ((self._least + 2 * step, mass) for step, mass in enumerate(self._masses))

    def reaches(self, square: int) -> float:
        """Return P(difference² ≥ square)."""
        if square <= self._least:
            return 1.0
        gap = math.isqrt(square - 1) + 1
        step = (gap - self._least + 1) // 2
        return self._tails[step] if step < len(self._tails) else 0.0


def _half(connections: int) -> Iterator[float]:
    """Yield the chances of the differences 0, 2, 4 … or 1, 3, 5 … of two pods."""
    lower = connections // 2
    mass = binomial_mass(lower, connections, 0.5) * (1 + connections % 2)
    yield mass
    mass *= 2 - connections % 2
    while lower:
        mass *= lower / (connections - lower + 1)
        if mass < NEGLIGIBLE:
            return
        yield mass
        lower -= 1


def _masses(connections: int, share: float) -> Iterator[tuple[int, float]]:
    """Yield the numbers that a binomial takes with any chance that matters."""
    middle = round(connections * share)
    for steps in (range(middle, connections + 1), range(middle - 1, -1, -1)):
        for taken in steps:
            mass = binomial_mass(taken, connections, share)
            if mass < NEGLIGIBLE:
                break
            yield taken, mass


def _from_the_end(masses: Sequence[float]) -> list[float]:
    return list(accumulate(reversed(masses)))[::-1]
