import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_grpclb.balance._gamma import gamma_tail, normal_tail

# mpmath 1.x, gammainc(shape, x, inf, regularized=True) at 40 digits.
RECORDED = [
    (0.5, 1e-3, 0.96432940827032011),
    (0.5, 200, 5.5072482372124674e-89),
    (3, 1, 0.9196986029286058),
    (10, 40, 3.9259322262861882e-9),
    (50, 40, 0.92966493334060505),
    (500, 450, 0.98928276190871026),
    (500, 700, 7.0321456418285895e-16),
    (50_000, 50_600, 0.0037463690969054138),
]


@pytest.mark.parametrize(("shape", "x", "tail"), RECORDED)
def test_the_gamma_tail_agrees_with_forty_digits(shape, x, tail):
    assert gamma_tail(shape, x) == pytest.approx(tail, rel=1e-10)


@given(st.floats(0, 600))
def test_shape_one_is_the_exponential_distribution(x):
    assert gamma_tail(1, x) == pytest.approx(math.exp(-x), rel=1e-10)


@given(st.floats(1e-3, 25))
def test_shape_one_half_is_the_square_of_a_normal(deviations):
    assert gamma_tail(0.5, deviations**2 / 2) == pytest.approx(2 * normal_tail(deviations), rel=1e-10)


@given(st.floats(0.1, 300), st.floats(0.1, 600))
def test_the_next_shape_adds_one_density(shape, x):
    density = math.exp(shape * math.log(x) - x - math.lgamma(shape + 1))
    assert gamma_tail(shape + 1, x) == pytest.approx(gamma_tail(shape, x) + density, rel=1e-9, abs=1e-300)


def test_nothing_lies_below_zero():
    assert gamma_tail(2.5, 0.0) == 1.0
