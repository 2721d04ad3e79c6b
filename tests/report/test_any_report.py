"""What holds of every report, whatever a cluster puts into it."""

import json
import re
import unicodedata

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.report import FORMATS, Page
from tests.report.strategies import any_text, clean_text, reports

MONOCHROME = Page(width=80, colour=False)
COMMAND = "  $ "
SGR = re.compile(r"\x1b\[[0-9;]*m")
UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

many_ways = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def unsafe(text: str) -> set[str]:
    return {character for character in text if unicodedata.category(character) in UNSAFE} - {"\n"}


@pytest.mark.parametrize("output", FORMATS)
@many_ways
@given(report=reports(any_text), ascii_only=st.booleans())
def test_nothing_that_steers_a_terminal_is_written(output: str, report: Report, ascii_only: bool) -> None:
    text = FORMATS[output]([report], Page(width=80, colour=False, ascii=ascii_only))

    assert unsafe(text) == set()
    assert text.isascii() or not ascii_only


@pytest.mark.parametrize("output", FORMATS)
@many_ways
@given(report=reports(any_text))
def test_colour_adds_sgr_sequences_and_nothing_else(output: str, report: Report) -> None:
    plain = FORMATS[output]([report], MONOCHROME)
    coloured = FORMATS[output]([report], Page(width=80, colour=True))

    assert SGR.sub("", coloured) == plain


@many_ways
@given(report=reports(any_text), width=st.integers(60, 200), ascii_only=st.booleans())
def test_no_line_of_a_table_but_a_command_is_longer_than_the_page_is_wide(
    report: Report, width: int, ascii_only: bool
) -> None:
    text = FORMATS["table"]([report], Page(width=width, colour=False, ascii=ascii_only))

    lines = [line for line in text.split("\n") if not line.startswith(COMMAND)]
    assert [line for line in lines if cell_len(line, "latest") > width] == []


@pytest.mark.parametrize("output", ["table", "wide"])
@many_ways
@given(report=reports(any_text))
def test_no_line_for_people_ends_in_a_space(output: str, report: Report) -> None:
    text = FORMATS[output]([report], MONOCHROME)

    assert [line for line in text.split("\n") if line != line.rstrip()] == []
    assert text.endswith("\n")


@many_ways
@given(report=reports(clean_text))
def test_json_gives_the_report_back(report: Report) -> None:
    text = FORMATS["json"]([report], MONOCHROME)

    assert msgspec.json.decode(text, type=Report) == report


@many_ways
@given(report=reports(clean_text))
def test_yaml_holds_what_json_holds(report: Report) -> None:
    as_json = FORMATS["json"]([report, report], MONOCHROME)
    as_yaml = FORMATS["yaml"]([report, report], MONOCHROME)

    assert yaml.safe_load(as_yaml) == json.loads(as_json)
