"""Counting out connections on few pods by binomials, against every split and every placement."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_grpclb.balance import chance_of_counts
from kubectl_grpclb.balance._few_pods import few_pods_tail
from kubectl_grpclb.balance._splitting import splitting_tail

few_pods = st.lists(st.integers(0, 30), min_size=2, max_size=4).filter(any)


@given(few_pods)
def test_binomials_and_splits_agree(counts):
    connections, pods = sum(counts), len(counts)
    pairs = sum(count * (count - 1) // 2 for count in counts)

    by_binomials = few_pods_tail(connections, pods, 2 * pairs + connections)

    assert by_binomials == pytest.approx(splitting_tail(connections, pods, pairs), rel=1e-9, abs=1e-14)


@pytest.mark.parametrize(("connections", "pods", "squares"), [(7, 3, 21), (7, 4, 17), (9, 2, 53), (6, 4, 14)])
def test_binomials_and_all_placements_agree(connections, pods, squares):
    placements = list(product(range(pods), repeat=connections))
    reaching = sum(sum(placed.count(pod) ** 2 for pod in range(pods)) >= squares for placed in placements)

    assert few_pods_tail(connections, pods, squares) == pytest.approx(reaching / len(placements), rel=1e-12)


@pytest.mark.parametrize("counts", [[60, 40, 30, 20], [700, 650, 650], [5200, 4800], [1100, 900, 1000, 1000]])
def test_a_connection_more_on_the_busiest_pod_is_never_likelier_in_large_numbers(counts):
    busier = [counts[0] + 1, counts[1] - 1, *counts[2:]]

    assert chance_of_counts(busier) < chance_of_counts(counts)
