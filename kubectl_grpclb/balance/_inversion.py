"""The chance of many equal connections, by inverting the characteristic function of their shared pairs.

Were each pod's connections an independent Poisson number, the total being as observed would leave exactly
the random placement. So the joint characteristic function of pairs and total is one pod's to the power of
pods, and a Fourier sum over the total, then over the pairs, gives the tail without any fit.
"""

import cmath
import math
from itertools import count, takewhile
from operator import mul

from kubectl_grpclb.balance._fit import fitted_tail, pair_moments
from kubectl_grpclb.balance._gamma import poisson_mass

__all__ = ["Inversion"]

NEGLIGIBLE = 1e-10
"""Size of the characteristic function from which on it is left out."""


class Inversion:
    """How many pairs of `connections` share a pod when they are placed at random on `pods`, at least 20.

    With fewer pods the characteristic function falls too slowly, and rises again at fractions of a turn.
    """

    def __init__(self, connections: int, pods: int) -> None:
        self._connections, self._pods = connections, pods
        mean = connections / pods
        reach = 8 * math.sqrt(mean)
        # Loads are counted from the middle: the pairs of a pod are then few, but for a part that is fixed.
        self._middle = middle = round(mean)
        loads = range(max(0, math.floor(mean - reach)), min(connections, math.ceil(mean + reach) + 16) + 1)
        self._steps = [load - middle for load in loads]
        self._masses = [poisson_mass(load, mean) for load in loads]
        self._surplus = connections - middle * pods
        self._fixed = middle * self._surplus + pods * (middle * (middle - 1) // 2)
        even, over = divmod(connections, pods)
        self._fewest = (over * even * (even + 1) + (pods - over) * even * (even - 1)) // 2
        self._span = self._most_likely_pairs()
        self._turns = 2 * math.ceil(4.5 * math.sqrt(connections)) + 21
        self._rows: dict[int, list[complex]] = {}

    @property
    def work(self) -> float:
        """Multiplications that `tail` takes, roughly."""
        fall = math.sqrt(10 ** (40 / (self._pods - 1)) - 1) * self._pods / self._connections
        frequencies = min(math.pi, fall) * self._span / (2 * math.pi) + 4
        return frequencies * 32 * (len(self._steps) + 10)

    def tail(self, pairs: int) -> float:
        """Return P(at least `pairs` pairs share a pod); below 1e-8 the error is as large as the value."""
        low, high = self._fewest - self._fixed, pairs - self._fixed
        if not low < high < low + self._span:
            return float(high <= low)
        every = (self._frequency(j, low, high) for j in range(1, self._span // 2 + 1))
        felt = takewhile(lambda term: term[0] > NEGLIGIBLE, every)
        total = low + self._span - high + 2 * math.fsum(part for _, part in felt)
        return min(1.0, max(0.0, total / self._span))

    def _most_likely_pairs(self) -> int:
        """Return how many values, from the fewest pairs on, hold all but 1e-10 of the chance; an odd number."""
        pairs = self._connections * (self._connections - 1) / 2
        variance, third = pair_moments(pairs, pairs, pairs * (self._connections - 2) / 3, self._pods)
        deviation = math.sqrt(variance)
        far = next(z for z in count(8, 2) if fitted_tail(z * deviation, variance, third) < 1e-11)
        highest = min(pairs, pairs / self._pods + 1.3 * far * deviation + 30)
        return 2 * math.ceil((highest - self._fewest) / 2) + 1

    def _frequency(self, j: int, low: int, high: int) -> tuple[float, float]:
        """Return the characteristic function's size at j turns a span, and its part in the tail."""
        span = self._span
        value = self._characteristic(j)
        beyond = (_turn(-j * high, span) - _turn(-j * low, span)) / (1 - _turn(-j, span))
        return abs(value), (value * beyond).real

    def _characteristic(self, j: int) -> complex:
        turned = [
            mass * _turn(j * (step * (step - 1) // 2), self._span)
            for mass, step in zip(self._masses, self._steps, strict=True)
        ]
        off_middle = self._connections / self._pods - self._middle
        peak = round(self._turns * j / self._span * (0.5 - off_middle))
        half = self._turns // 2
        both = (range(peak, peak + half + 1), range(peak - 1, peak - half - 1, -1))
        terms = (takewhile(lambda t: abs(t) > 1e-14, (self._term(k, turned) for k in side)) for side in both)
        return sum(map(sum, terms), 0j) / self._turns / poisson_mass(self._connections, self._connections)

    def _term(self, k: int, turned: list[complex]) -> complex:
        if k not in self._rows:
            self._rows[k] = [_turn(k * step, self._turns) for step in self._steps]
        one_pod: complex = sum(map(mul, turned, self._rows[k]), 0j)
        return one_pod**self._pods * _turn(-k * self._surplus, self._turns)


def _turn(part: int, whole: int) -> complex:
    return cmath.rect(1.0, 2 * math.pi * (part % whole) / whole)
