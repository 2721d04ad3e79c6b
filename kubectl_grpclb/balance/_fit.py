"""Distributions fitted to random placement, and the moments they are fitted by."""

import math

from kubectl_grpclb.balance._gamma import gamma_tail, log_density, normal_tail

__all__ = ["around_tail", "fitted_tail", "pair_moments"]

NARROW = 2000.0
"""Shape of a gamma distribution above which its cube root is normal, to 1e-6 absolute."""


def fitted_tail(excess: float, variance: float, third: float, narrow: float = NARROW) -> float:
    """Return P(X ≥ mean + excess) for X with this variance and third central moment.

    X is Pearson III, a shifted gamma. Above shape `narrow`, Wilson and Hilferty's cube root stands in for it
    (PNAS 17, 1931), which is faster: at 30 still good to 1% where the tail is 1e-4.
    """
    if variance <= 0:
        return float(excess <= 0)
    deviation = math.sqrt(variance)
    skewness = third / variance / deviation
    z = excess / deviation
    if skewness < 0:
        return 1 - fitted_tail(-excess, variance, -third, narrow)
    if skewness < 1e-6:
        return normal_tail(z)
    shape = 4 / (skewness * skewness)
    ratio = 1 + z * skewness / 2
    if ratio <= 0:
        return 1.0
    if shape > narrow:
        return normal_tail(3 * math.sqrt(shape) * (math.cbrt(ratio) - 1 + 1 / (9 * shape)))
    return gamma_tail(shape, shape * ratio)


def around_tail(squares: float, centre: float, freedom: int) -> float:
    """Return P(|centre + Z|² ≥ squares) for standard normal Z in `freedom` dimensions.

    The noncentral chi-square tail, as a Poisson mixture of central ones; `centre` is the squared distance.
    """
    if squares <= 0:
        return 1.0
    shape, x = freedom / 2, squares / 2
    first = max(0, math.floor(centre / 2 - 5 * math.sqrt(centre + 4)))
    last = math.ceil(centre / 2 + 5 * math.sqrt(centre + 4) + 5)
    tail = gamma_tail(shape + first, x)
    mass = math.exp(first * math.log(centre / 2) - centre / 2 - math.lgamma(first + 1)) if centre else float(not first)
    step = math.exp(log_density(shape + first, x)) / (shape + first)
    total = 0.0
    for j in range(first, last + 1):
        total += mass * tail
        tail += step
        mass *= centre / 2 / (j + 1)
        step *= x / (shape + j + 1)
    return min(1.0, total)


def pair_moments(second: float, third: float, triangles: float, pods: int) -> tuple[float, float]:
    """Return variance and third central moment of the sum of a_jk over the pairs j, k that share a pod.

    `second` and `third` are Σa² and Σa³ over all pairs, `triangles` is Σ a_jk·a_kl·a_jl over all triples:
    two pairs share pods independently of each other, the three pairs of a triple do not.
    """
    p = 1 / pods
    return p * (1 - p) * second, p * (1 - p) * ((1 - 2 * p) * third + 6 * p * triangles)
