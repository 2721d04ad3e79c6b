"""Quantities in words."""

import pytest

from kubectl_grpclb.report.screen import words

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "-"),
        (-3, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (320, "5m20s"),
        (10 * MINUTE + 59, "10m"),
        (179 * MINUTE, "179m"),
        (3 * HOUR, "3h"),
        (3 * HOUR + 5 * MINUTE, "3h5m"),
        (47 * HOUR, "47h"),
        (2 * DAY, "2d"),
        (2 * DAY + 5 * HOUR, "2d5h"),
        (9 * DAY + 5 * HOUR, "9d"),
        (2 * YEAR + 30 * DAY, "2y30d"),
        (9 * YEAR, "9y"),
    ],
)
def test_an_age_reads_as_in_kubectl(value: int | None, said: str) -> None:
    assert words.age(value) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.0, "0%"), (0.0004, "<0.1%"), (0.012, "1.2%"), (0.05, "5%"), (0.0996, "10%"), (1 / 3, "33%"), (1.0, "100%")],
)
def test_a_share_is_as_exact_as_it_is_small(share: float, said: str) -> None:
    assert words.percent(share) == said


@pytest.mark.parametrize(
    ("chance", "said"),
    [
        (0.0, "less than 1 time in 10,000"),
        (0.0000154, "less than 1 time in 10,000"),
        (0.00084, "about 1 time in 1,200"),
        (0.0093, "about 1 time in 110"),
        (0.015, "1.5% of the time"),
        (1 / 3, "33% of the time"),
        (1.0, "nearly always"),
    ],
)
def test_a_chance_is_how_often_it_comes_true(chance: float, said: str) -> None:
    assert words.chance(chance) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (12_345, "12345"),
        (123_456, "123k"),
        (0.0, "0"),
        (0.004, "<0.01"),
        (0.04, "0.04"),
        (7.0, "7"),
        (812.4, "812"),
        (12_400.0, "12.4k"),
        (3_100_000.0, "3.1M"),
        (2.5e12, "2.5T"),
        (4e18, "4e18"),
    ],
)
def test_a_quantity_is_short(value: float, said: str) -> None:
    assert words.number(value) == said


@pytest.mark.parametrize(
    ("gap", "said"), [("no-shell: sh is missing", "no shell"), ("died", "died"), (None, "not read")]
)
def test_a_gap_in_short_is_its_reason(gap: str | None, said: str) -> None:
    assert words.in_short(gap) == said
