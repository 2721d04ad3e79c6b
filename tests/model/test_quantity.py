"""Kubernetes quantities are read exactly."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_grpclb.model.quantity import parse_quantity

UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("100m", Fraction(1, 10)),
        ("2", 2),
        ("1500M", 1_500_000_000),
        ("1Gi", 2**30),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1E", 10**18),
        ("0.5", Fraction(1, 2)),
        ("-1", -1),
    ],
)
def test_a_quantity_is_a_number_with_a_unit_or_an_exponent(text: str, amount: Fraction) -> None:
    assert parse_quantity(text) == amount


@pytest.mark.parametrize("text", ["", "m", "1 Gi", "1gi", "1KI", "1e", "0x10", "1e999999999", "٣", "1\n"])
def test_what_is_no_quantity_is_none(text: str) -> None:
    assert parse_quantity(text) is None


@given(st.integers(0, 10**12), st.sampled_from(sorted(UNITS)))
def test_units_multiply(number: int, unit: str) -> None:
    assert parse_quantity(f"{number}{unit}") == number * UNITS[unit]


@given(st.integers(0, 10**9))
def test_a_thousand_of_a_thousandth_is_one(number: int) -> None:
    assert parse_quantity(f"{number * 1000}m") == parse_quantity(str(number))


@given(st.text(max_size=60))
def test_any_text_is_a_quantity_or_none(text: str) -> None:
    assert parse_quantity(text) is None or isinstance(parse_quantity(text), Fraction)
