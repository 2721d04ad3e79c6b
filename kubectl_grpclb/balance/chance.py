"""How likely chance alone makes a load this uneven: each connection on one of the pods, all alike, at random.

Measured worst errors on grids of 2 to 200 pods. Equal connections, up to 2,000: exact where every split can be
visited (35 connections on any number of pods) and up to 4,000 on 2 to 4 pods, else 0.006 absolute; in the tail,
at 1e-4, the fit gives too little: by 40% for 50 connections on 10 pods, 25% for 100, 10% for 300. Unequal ones,
up to 1,000, of five families of weights: exact up to 8, else 0.016 absolute against samples of 60,000 placements,
mostly below 0.01; in the tail, from 0.01 down, they can be off by a factor of 2.
"""

import math
from collections.abc import Sequence
from functools import reduce

from kubectl_grpclb.balance._few_pods import FEW, few_pods_tail
from kubectl_grpclb.balance._fit import fitted_tail, pair_moments
from kubectl_grpclb.balance._gamma import binomial_mass
from kubectl_grpclb.balance._inversion import Inversion
from kubectl_grpclb.balance._placing import placing_tail
from kubectl_grpclb.balance._splitting import splits, splitting_tail

__all__ = ["chance_of_counts", "chance_of_loads", "few_by_chance", "uneven_beyond_chance"]

SPLITS = 16_000
"""Splits of the connections that there is time to visit."""

WORK = 2.5e5
"""Multiplications that there is time for."""

COUNTED = 4_000
"""Connections on few pods that there is time to count out; a fit is good to 0.002 beyond."""

SPARSE = 200_000
"""Connections up to which an inversion may be worth its work."""

STEPPED = 2_000
"""Connections up to which it is felt that their weights go in steps."""

ROUNDING = 1e-10
"""What float sums over weights may be off by, relative."""


def chance_of_counts(counts: Sequence[int]) -> float:
    """Return the chance that so many connections, placed at random, make this few effective pods or fewer.

    `counts` are connections, one number a pod. 1.0 without connections and with a single pod. Raises
    ValueError for a negative count and for no pods.
    """
    if not counts or min(counts) < 0:
        raise ValueError("counts are one number of at least 0 a pod")
    pods, connections = len(counts), sum(counts)
    pairs = sum(count * (count - 1) // 2 for count in counts)
    if pods == 1 or connections <= 1:
        return 1.0
    if splits(connections, pods) <= SPLITS:
        return splitting_tail(connections, pods, pairs)
    fitted = _fitted(connections, pods, pairs)
    if pods == 2 or (pods <= FEW and connections <= COUNTED):
        chance = few_pods_tail(connections, pods, 2 * pairs + connections)
        return chance if chance >= 1e-9 else min(1e-9, fitted)
    if pods < 20 or connections > SPARSE:
        return fitted
    inversion = Inversion(connections, pods)
    if inversion.work > WORK:
        return fitted
    # Each of the two never rises with pairs, so neither does the one that is capped by the other's end.
    chance = inversion.tail(pairs)
    return chance if chance >= 1e-6 else min(1e-6, fitted)


def chance_of_loads(placed: Sequence[Sequence[float]]) -> float:
    """Return the chance that connections this heavy, placed at random, make this few effective pods or fewer.

    `placed` holds for each pod the weights of its connections, in any unit: requests a second, bytes.
    Connections without weight do not matter. 1.0 without any weight and with a single pod. Raises
    ValueError for a weight that is negative, infinite or not a number, and for no pods.
    """
    every = [weight for pod in placed for weight in pod]
    if not placed or not all(map(math.isfinite, every)) or min(every, default=0.0) < 0:
        raise ValueError("weights are finite numbers of at least 0, on at least one pod")
    heaviest = max(every, default=0.0)
    if len(placed) == 1 or not heaviest:
        return 1.0
    pods = [sorted(weight / heaviest for weight in pod if weight) for pod in placed]
    weights = sorted(weight for pod in pods for weight in pod)
    if weights[0] > 1 - ROUNDING:
        return chance_of_counts([len(pod) for pod in pods])
    squares = math.fsum(math.fsum(pod) ** 2 for pod in pods)
    step = reduce(_common_step, weights) if len(weights) <= STEPPED else 0.0
    return placing_tail(weights, len(pods), squares * (1 - ROUNDING), step**2)


def uneven_beyond_chance(events: Sequence[int]) -> float:
    """Return the chance that an even split of so many events would be this uneven or more.

    `events` are requests or streams, one number a pod. Small numbers are counted out, large ones are
    Pearson's chi-square test in effect, so millions are as quick. Raises ValueError as chance_of_counts.
    """
    return chance_of_counts(events)


def few_by_chance(taken: int, total: int, share: float) -> float:
    """Return P(X ≤ taken) for X of Binomial(total, share): so few of `total` connections, or fewer.

    `share` is the share of the pods that took them, 0 to 1. About 1e-12 relative, in the deep tail as
    well, until it vanishes below 1e-307. Raises ValueError for 0 ≤ taken ≤ total or 0 ≤ share ≤ 1 not kept.
    """
    if not (0 <= taken <= total and 0 <= share <= 1):
        raise ValueError(f"not a share of a total: {taken} of {total} at {share}")
    if taken == total or not share:
        return 1.0
    if share == 1:
        return 0.0
    odds = share / (1 - share)
    if taken <= total * share:
        return _run(taken, total, binomial_mass(taken, total, share), 1 / odds)
    # Above the mean the other tail is the small one; it is the lower tail of those not taken.
    left = total - taken - 1
    return 1 - _run(left, total, binomial_mass(left, total, 1 - share), odds)


def _run(taken: int, total: int, mass: float, odds: float) -> float:
    """Add the binomial masses from `taken` downwards until they no longer matter."""
    tail = mass
    for value in range(taken, 0, -1):
        mass *= value / (total - value + 1) * odds
        tail += mass
        if mass < tail * 1e-17:
            break
    return min(1.0, tail)


def _fitted(connections: int, pods: int, pairs: int) -> float:
    every = connections * (connections - 1) // 2
    variance, third = pair_moments(every, every, every * (connections - 2) / 3, pods)
    # Pairs go in steps of 1; the excess is taken in integers because both sides can be large.
    return fitted_tail((2 * (pairs * pods - every) - pods) / (2 * pods), variance, third)


def _common_step(one: float, other: float) -> float:
    """Return the greatest common divisor of two weights, or next to nothing where rounding leaves none."""
    while other > ROUNDING:
        one, other = other, math.fmod(one, other)
    return one
