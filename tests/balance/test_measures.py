from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_grpclb.balance import ENOUGH, effective_pods, is_uneven, max_over_mean, most_effective

loads_of_pods = st.lists(st.floats(0, 1e300, allow_subnormal=False), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("loads", "effective"),
    [
        ([29, 32, 35], 9216 / 3090),
        ([4, 2, 0], 1.8),
        ([2, 0, 0], 1.0),
        ([7, 7, 7, 7], 4.0),
        ([0, 0, 0], 0.0),
        ([], 0.0),
        ([1e308, 1e308, 0], 2.0),
        ([5e-324, 5e-324, 5e-324], 3.0),
    ],
)
def test_effective_pods_are_those_that_equally_loaded_would_do_the_same(loads, effective):
    assert effective_pods(loads) == pytest.approx(effective, rel=1e-12)


@pytest.mark.parametrize("load", [-1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("measure", [effective_pods, max_over_mean, is_uneven, lambda loads: most_effective(loads, 1)])
def test_a_load_that_cannot_be_is_refused(measure, load):
    with pytest.raises(ValueError, match="finite"):
        measure([1.0, load])


def test_fewer_than_no_unread_pods_are_refused():
    with pytest.raises(ValueError, match="-1"):
        most_effective([1.0], -1)


@given(loads_of_pods)
def test_effective_pods_lie_between_one_and_all_where_there_is_load(loads):
    assert effective_pods(loads) == 0 if not any(loads) else 1 - 1e-12 <= effective_pods(loads) <= len(loads)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30).filter(any))
def test_effective_pods_are_jains_index_times_pods(loads):
    exact = Fraction(sum(loads) ** 2, sum(load * load for load in loads))
    assert effective_pods(loads) == pytest.approx(float(exact), rel=1e-12)


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=20), st.floats(1e-100, 1e100))
def test_the_unit_of_the_load_does_not_matter(loads, unit):
    scaled = [load * unit for load in loads]
    assert effective_pods(scaled) == pytest.approx(effective_pods(loads), rel=1e-9)
    assert max_over_mean(scaled) == pytest.approx(max_over_mean(loads), rel=1e-9)


@pytest.mark.parametrize(
    ("loads", "ratio"), [([100.0, 0.0, 0.0], 3.0), ([5, 5], 1.0), ([0, 0], 0.0), ([], 0.0), ([1e308, 1e308], 1.0)]
)
def test_max_over_mean_is_the_busiest_pods_load_over_the_mean(loads, ratio):
    assert max_over_mean(loads) == pytest.approx(ratio)


@pytest.mark.parametrize(
    ("known", "unread", "most"), [([4, 2, 0], 0, 1.8), ([4, 2, 0], 2, 3.8), ([0, 0], 3, 3.0), ([], 2, 2.0)]
)
def test_the_most_effective_pods_count_every_unread_one_in_full(known, unread, most):
    assert most_effective(known, unread) == pytest.approx(most)


@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=8).filter(any),
    st.lists(st.floats(0, 1e4), min_size=1, max_size=4),
)
def test_no_load_on_the_unread_pods_makes_more_pods_effective(known, unread):
    assert effective_pods([*known, *unread]) <= most_effective(known, len(unread)) * (1 + 1e-12)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=8), st.integers(0, 4))
def test_the_most_effective_pods_are_reached(known, unread):
    ideal = sum(load * load for load in known) / sum(known)
    assert effective_pods([*known, *[ideal] * unread]) == pytest.approx(most_effective(known, unread))


@pytest.mark.parametrize("unit", [1, 3, 0.1, 1 / 3, 1e-300, 1e300])
@pytest.mark.parametrize("loads", [[1, 1, 1, 1, 0], [3, 1], [4, 4, 4, 4, 0, 1, 1, 1, 1, 0]])
def test_exactly_enough_effective_pods_are_not_uneven(loads, unit):
    scaled = [load * unit for load in loads]
    assert is_uneven(scaled) is (Fraction(sum(loads) ** 2, sum(x * x for x in loads)) < Fraction(8, 10) * len(loads))


@pytest.mark.parametrize(
    ("loads", "uneven"),
    [([29, 32, 35], False), ([4, 2, 0], True), ([2, 0, 0], True), ([0, 0, 0], False), ([], False), ([9], False)],
)
def test_uneven_is_fewer_than_enough_effective_pods(loads, uneven):
    assert is_uneven(loads) is uneven


def test_enough_is_four_pods_of_five():
    assert ENOUGH == 0.8
