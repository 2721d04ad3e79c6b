"""Tails of the gamma and the normal distribution, with full relative accuracy where they are tiny."""

import math

__all__ = ["binomial_mass", "gamma_tail", "log_density", "normal_tail", "poisson_mass"]

STEPS = 100_000
"""Far above the √shape steps that either expansion takes."""


def gamma_tail(shape: float, x: float) -> float:
    """Return P(X ≥ x) for X of a gamma distribution of this shape and scale 1: Γ(shape, x) / Γ(shape).

    A power series below the mean and Lentz's continued fraction above it (DLMF 8.7.1 and 8.9.2); 1e-10
    relative, deep in the tail as well. `shape` is positive.
    """
    if x <= 0:
        return 1.0
    if x < shape + 1:
        return max(0.0, 1.0 - math.exp(log_density(shape, x)) * _series(shape, x))
    return math.exp(log_density(shape, x)) * _fraction(shape, x)


def normal_tail(deviations: float) -> float:
    """Return P(Z ≥ deviations) of a standard normal Z."""
    return 0.5 * math.erfc(deviations / math.sqrt(2))


def poisson_mass(count: int, mean: float) -> float:
    """Return P(X = count) for a Poisson X of this positive mean."""
    if not count:
        return math.exp(-mean)
    return math.exp(-_deviance(count, mean) - _stirling_rest(count)) / math.sqrt(2 * math.pi * count)


def binomial_mass(taken: int, total: int, share: float) -> float:
    """Return P(X = taken) for X of Binomial(total, share), 0 < share < 1, by Loader's saddle point."""
    if taken in (0, total):
        return math.exp(total * (math.log(share) if taken else math.log1p(-share)))
    left = total - taken
    rest = _stirling_rest(total) - _stirling_rest(taken) - _stirling_rest(left)
    far = _deviance(taken, total * share) + _deviance(left, total * (1 - share))
    return math.exp(rest - far) * math.sqrt(total / (2 * math.pi * taken * left))


def _deviance(value: float, mean: float) -> float:
    """Return value·ln(value / mean) - value + mean, without cancellation where the two are close."""
    if not value:
        return mean
    gap = (value - mean) / (value + mean)
    if abs(gap) > 0.1:
        return value * math.log(value / mean) - value + mean
    # ln(value / mean) = 2·atanh(gap), of which the first term is taken out (Loader 2000).
    odd = sum(gap ** (2 * k + 1) / (2 * k + 1) for k in range(1, 9))
    return (value - mean) * gap + 2 * value * odd


def _stirling_rest(n: float) -> float:
    """Return ln Γ(n + 1) less Stirling's ½·ln(2πn) + n·ln n - n, for n > 0."""
    if n < 16:
        return math.lgamma(n + 1) - (0.5 * math.log(2 * math.pi * n) + n * math.log(n) - n)
    square = n * n
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / n


def log_density(shape: float, x: float) -> float:
    """Return ln(x^shape · e^-x / Γ(shape)), by the deviance because x^shape alone overflows."""
    return 0.5 * math.log(shape / (2 * math.pi)) - _deviance(shape, x) - _stirling_rest(shape)


def _series(shape: float, x: float) -> float:
    term = total = 1 / shape
    for step in range(1, STEPS):
        term *= x / (shape + step)
        total += term
        if term < total * 1e-16:
            break
    return total


def _fraction(shape: float, x: float) -> float:
    b = x + 1 - shape
    c = math.inf
    d = total = 1 / b
    for step in range(1, STEPS):
        a = -step * (step - shape)
        b += 2
        d = 1 / (a * d + b)
        c = b + a / c
        total *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return total
