import math
from collections import Counter
from fractions import Fraction
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_grpclb.balance import (
    chance_of_counts,
    chance_of_loads,
    effective_pods,
    few_by_chance,
    is_uneven,
    uneven_beyond_chance,
)

few_counts = st.lists(st.integers(0, 3), min_size=2, max_size=5).filter(lambda counts: sum(counts) <= 6)
many_counts = st.lists(st.integers(0, 40), min_size=2, max_size=40)
few_weights = st.lists(st.lists(st.integers(1, 9), max_size=2), min_size=2, max_size=3)
many_weights = st.lists(st.lists(st.floats(0.01, 100), max_size=12), min_size=2, max_size=5)


def square(loads):
    return sum(load * load for load in loads)


def placements(weights, pods):
    """Σ load² of every way to place the weights."""
    every = product(range(pods), repeat=len(weights))
    return [
        square([sum(w for w, at in zip(weights, way, strict=True) if at == pod) for pod in range(pods)])
        for way in every
    ]


def counted_out(placed):
    """The chance by looking at all pods ** connections placements."""
    squares = placements([weight for pod in placed for weight in pod], len(placed))
    observed = square([sum(pod) for pod in placed])
    return float(Fraction(sum(value >= observed for value in squares), len(squares)))


def placed_at_random(connections, pods, seed):
    random = Random(seed)
    at = Counter(random.randrange(pods) for _ in range(connections))
    return [at[pod] for pod in range(pods)]


@given(few_counts)
@settings(max_examples=25, deadline=None)
def test_the_chance_of_counts_is_that_of_all_placements_counted_out(counts):
    assert chance_of_counts(counts) == pytest.approx(counted_out([[1] * count for count in counts]), rel=1e-12)


@given(few_weights)
@settings(max_examples=25, deadline=None)
def test_the_chance_of_loads_is_that_of_all_placements_counted_out(placed):
    assert chance_of_loads(placed) == pytest.approx(counted_out(placed), rel=1e-12)


@pytest.mark.parametrize(
    ("counts", "chance"),
    [
        ([2, 0, 0], 1 / 3),
        ([4, 2, 0], 43 / 243),
        ([2, 2, 2], 1.0),
        ([0, 0, 0], 1.0),
        ([1, 0, 0], 1.0),
        ([17], 1.0),
        ([20, 0, 0, 0], 4.0**-19),
    ],
)
def test_chances_that_can_be_worked_out_by_hand(counts, chance):
    assert chance_of_counts(counts) == pytest.approx(chance, rel=1e-12)


# P(at least as many pairs) by a two-dimensional Fourier inversion of the Poissonised placement (numpy, 2**13
# or more frequencies of the pairs, all of the total), agreeing with enumeration to 1e-12 for 6 on 3.
# The last column is the method's measured relative bar.
RECORDED = [
    ([29, 32, 35], 0.7667385222792387, 1e-9),
    ([40, 30, 26], 0.2001801168506215, 1e-9),
    ([150, 100, 110, 120, 120], 0.020004375988053845, 0.02),
    ([20, 14, 10, 9, 9, 8, 8, 8, 7, 7], 0.09787094494261632, 0.05),
    ([3] * 10 + [2] * 20 + [1] * 20 + [0] * 10, 0.9940830574833911, 1e-6),
    ([9, 8, 7, 6, 5] * 8 + [4, 3, 3, 2, 1] * 12, 0.00537806917423163, 1e-5),
    ([6] * 20 + [5] * 60 + [4] * 20, 0.9999999999999135, 1e-6),
    ([8] * 30 + [5] * 60 + [2] * 10, 0.9997417979432194, 1e-6),
    ([30, 25, 20, 15, 10] * 4, 0.00015312121482452393, 0.12),
    ([1] * 50 + [2] * 15 + [0] * 135, 0.6056601998110142, 1e-6),
]


@pytest.mark.parametrize(("counts", "chance", "bar"), RECORDED)
def test_the_chance_of_larger_counts_agrees_with_an_independent_inversion(counts, chance, bar):
    assert chance_of_counts(counts) == pytest.approx(chance, rel=bar, abs=1e-9)


@given(many_counts)
@settings(max_examples=25, deadline=None)
def test_a_chance_of_counts_is_a_probability_that_the_order_of_pods_does_not_change(counts):
    chance = chance_of_counts(counts)
    assert 0 <= chance <= 1
    assert chance_of_counts(sorted(counts)) == chance


@given(many_weights)
@settings(max_examples=10, deadline=None)
def test_a_chance_of_loads_is_a_probability_that_no_order_changes(placed):
    chance = chance_of_loads(placed)
    assert 0 <= chance <= 1
    assert chance_of_loads([pod[::-1] for pod in placed[::-1]]) == pytest.approx(chance, rel=1e-9)


@given(many_weights, st.floats(1e-150, 1e150))
@settings(max_examples=8, deadline=None)
def test_the_unit_of_the_weights_does_not_change_the_chance(placed, unit):
    scaled = [[weight * unit for weight in pod] for pod in placed]
    assert chance_of_loads(scaled) == pytest.approx(chance_of_loads(placed), rel=1e-6, abs=1e-3)


@given(many_counts.filter(lambda counts: min(counts) > 0))
@settings(max_examples=25, deadline=None)
def test_a_connection_more_on_the_busiest_pod_is_never_likelier(counts):
    first, *between, last = sorted(counts)
    assert chance_of_counts([first - 1, *between, last + 1]) <= chance_of_counts(counts) * (1 + 1e-9)


@given(many_weights.filter(lambda placed: any(placed[:-1])))
@settings(max_examples=10, deadline=None)
def test_all_load_on_one_pod_is_never_likelier(placed):
    together = [[weight for pod in placed for weight in pod], *[[] for _ in placed[1:]]]
    assert chance_of_loads(together) <= chance_of_loads(placed) * (1 + 1e-9)


@given(st.lists(st.integers(0, 12), min_size=2, max_size=8), st.floats(0.001, 1000))
@settings(max_examples=10, deadline=None)
def test_equal_weights_are_counts(counts, weight):
    assert chance_of_loads([[weight] * count for count in counts]) == chance_of_counts(counts)


def test_connections_without_weight_do_not_matter():
    assert chance_of_loads([[5.0, 0.0, 3.0], [0.0], [4.0]]) == chance_of_loads([[5.0, 3.0], [], [4.0]])


@pytest.mark.parametrize("light", [1e-9, 1e-120, 5e-324])
@pytest.mark.parametrize("pods", [2, 3, 20])
def test_weights_next_to_nothing_beside_the_others_do_no_harm(light, pods):
    placed = [[1.0 + pod, *[light * (1 + k) for k in range(12)]] for pod in range(pods)]
    assert 0 < chance_of_loads(placed) <= 1


def test_weights_without_any_load_are_sure():
    assert chance_of_loads([[0.0], [], []]) == 1.0
    assert chance_of_loads([[], [], []]) == 1.0
    assert chance_of_loads([[3.0, 1.5]]) == 1.0


def sample_of(placed, trials):
    random = Random(7)
    weights = [weight for pod in placed for weight in pod]
    observed = square([sum(pod) for pod in placed]) * (1 - 1e-9)
    pods = range(len(placed))
    hits = 0
    for _ in range(trials):
        loads = [0.0] * len(pods)
        for weight, pod in zip(weights, random.choices(pods, k=len(weights)), strict=True):
            loads[pod] += weight
        hits += square(loads) >= observed
    return hits / trials


def drawn(weight, connections, pods, seed):
    random = Random(seed)
    placed: list[list[float]] = [[] for _ in range(pods)]
    for _ in range(connections):
        placed[random.randrange(pods)].append(weight(random))
    return placed


@pytest.mark.parametrize(
    "weight",
    [
        pytest.param(lambda random: random.expovariate(1), id="exponential"),
        pytest.param(lambda random: random.paretovariate(1), id="one dominates"),
        pytest.param(lambda random: random.choice([1.0, 10.0]), id="two kinds"),
        pytest.param(lambda random: random.uniform(1, 1.02), id="nearly equal"),
    ],
)
@pytest.mark.parametrize(("connections", "pods"), [(14, 3), (30, 2), (30, 10), (60, 5)])
def test_the_chance_of_unequal_connections_agrees_with_a_large_sample(weight, connections, pods):
    placed = drawn(weight, connections, pods, seed=connections)
    # The sample itself is off by up to 0.01 (three deviations of 20,000 trials).
    assert chance_of_loads(placed) == pytest.approx(sample_of(placed, 10_000), abs=0.03)


def test_one_connection_that_outweighs_all_is_no_surprise_on_any_pod():
    assert chance_of_loads([[1000.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]) > 0.9


@pytest.mark.parametrize(
    "counts", [placed_at_random(1000, 100, seed) for seed in range(10)], ids=lambda counts: f"max {max(counts)}"
)
def test_a_thousand_random_connections_on_a_hundred_pods_have_an_ordinary_chance(counts):
    assert 1e-3 < chance_of_counts(counts) < 1


def test_a_thousand_random_connections_on_a_hundred_pods_are_never_uneven():
    assert not any(is_uneven(placed_at_random(1000, 100, seed)) for seed in range(1000))


def test_six_random_connections_on_three_pods_are_uneven_where_fewer_than_four_fifths_are_effective():
    every = [placed_at_random(6, 3, seed) for seed in range(1000)]
    uneven = [Fraction(36, square(counts)) < Fraction(12, 5) for counts in every]
    assert [is_uneven(counts) for counts in every] == uneven
    assert any(uneven)
    assert not all(uneven)


def test_six_as_uneven_as_four_two_none_are_ordinary():
    assert effective_pods([4, 2, 0]) == pytest.approx(1.8)
    assert chance_of_counts([4, 2, 0]) > 0.15


@pytest.mark.parametrize("counts", [[], [3, -1]])
def test_counts_that_cannot_be_are_refused(counts):
    with pytest.raises(ValueError, match="at least 0 a pod"):
        chance_of_counts(counts)


@pytest.mark.parametrize("placed", [[], [[1.0], [-1.0]], [[math.nan]], [[math.inf], []]])
def test_weights_that_cannot_be_are_refused(placed):
    with pytest.raises(ValueError, match="finite"):
        chance_of_loads(placed)


@pytest.mark.parametrize(
    ("events", "chance"),
    [
        # scipy.stats.chi2.sf of Pearson's statistic.
        ([1_000_000, 1_002_000, 999_000], 0.0969719679),
        ([2_000_000] * 50 + [2_001_000] * 50, 0.999999978),
        ([10_000_000] * 1000, 1.0),
    ],
)
def test_millions_of_events_are_judged_by_chi_square(events, chance):
    assert uneven_beyond_chance(events) == pytest.approx(chance, abs=2e-3)


@pytest.mark.parametrize("events", [[600, 300, 300], [40_000, 30_000], [3_000_000, 2_900_000, 3_000_000]])
def test_events_of_a_real_skew_are_beyond_chance(events):
    assert uneven_beyond_chance(events) < 1e-6


def test_few_events_are_within_chance():
    assert uneven_beyond_chance([4, 2, 0]) > 0.01
    assert uneven_beyond_chance([0, 0, 0]) == 1.0


@pytest.mark.parametrize(
    ("taken", "total", "share", "chance"),
    [
        # Summed at 40 digits with mpmath 1.x.
        (0, 96, 1 / 3, 1.2452000534560419e-17),
        (3, 100, 0.2, 5.8298696495207713e-7),
        (50, 1000, 0.1, 5.9951676323796015e-9),
        (700, 1000, 0.6, 0.99999999997994335),
        (10, 100_000, 0.01, 0.0),
        (5, 5, 0.3, 1.0),
        (0, 0, 0.3, 1.0),
        (0, 7, 0.0, 1.0),
        (6, 7, 1.0, 0.0),
    ],
)
def test_few_by_chance_is_the_binomial_lower_tail(taken, total, share, chance):
    assert few_by_chance(taken, total, share) == pytest.approx(chance, rel=1e-11, abs=1e-300)


@given(st.integers(1, 60), st.data())
def test_few_by_chance_adds_up_exact_binomials(total, data):
    taken = data.draw(st.integers(0, total))
    share = data.draw(st.fractions(Fraction(1, 100), Fraction(99, 100), max_denominator=100))
    exact = sum(math.comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(taken + 1))
    assert few_by_chance(taken, total, float(share)) == pytest.approx(float(exact), rel=1e-11)


@pytest.mark.parametrize(("taken", "total", "share"), [(-1, 5, 0.5), (6, 5, 0.5), (1, 5, 1.5), (1, 5, math.nan)])
def test_a_share_that_cannot_be_is_refused(taken, total, share):
    with pytest.raises(ValueError, match="not a share"):
        few_by_chance(taken, total, share)
