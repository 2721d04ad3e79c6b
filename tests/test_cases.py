"""Recorded snapshots, each with what is to be concluded from it.

`snapshot.json` is a file that `kubectl grpclb record` wrote; a user's bug report becomes a case by being moved
here. `expect.json` says which findings the case is about: those that must fire, and those that must keep quiet
although something like them is there.
"""

import json
import pathlib
from typing import Any

import msgspec
import pytest

from kubectl_grpclb.flows.diagnose import exit_code, replayed
from kubectl_grpclb.rules import RULES

CASES = sorted(path.parent for path in pathlib.Path(__file__).parent.glob("cases/*/snapshot.json"))
PAGES = pathlib.Path(__file__).parent.parent / "kubectl_grpclb" / "rules"


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What a case is about."""

    verdict: str
    exit_code: int
    fires: tuple[str, ...]
    """All findings, the leading one first."""
    quiet: tuple[str, ...]
    """Findings that the case is there to keep quiet."""


def expected(case: pathlib.Path) -> Expected:
    return msgspec.json.decode((case / "expect.json").read_bytes(), type=Expected)


def concluded(case: pathlib.Path) -> tuple[str, int, list[str]]:
    report = replayed((case / "snapshot.json").read_bytes())
    return report.verdict, exit_code([report], "warning"), [finding.code for finding in report.findings]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_recorded_case_is_concluded_as_it_should_be(case: pathlib.Path) -> None:
    wanted = expected(case)

    assert concluded(case) == (wanted.verdict, wanted.exit_code, list(wanted.fires))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_case_both_fires_and_keeps_quiet(case: pathlib.Path) -> None:
    assert not set(expected(case).fires) & set(expected(case).quiet)


@pytest.mark.parametrize("code", [rule.code for rule in RULES])
def test_every_rule_has_a_case_in_which_it_fires_and_one_in_which_it_keeps_quiet(code: str) -> None:
    wanted = [expected(case) for case in CASES]

    assert any(code in case.fires for case in wanted)
    assert any(code in case.quiet for case in wanted)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_rule_has_a_page_of_its_name_that_begins_with_its_title(rule: Any) -> None:
    page = (PAGES / f"{rule.code.lower()}.md").read_text()

    assert page.startswith(f"# {rule.code}: {rule.title}\n")


def test_every_rule_file_is_in_the_tuple() -> None:
    assert {path.stem.upper() for path in PAGES.glob("glb*.py")} == {rule.code for rule in RULES}


def test_every_page_belongs_to_a_rule() -> None:
    assert {path.stem.upper() for path in PAGES.glob("glb*.md")} == {rule.code for rule in RULES}


def test_a_recorded_file_is_json_that_people_can_read() -> None:
    first = json.loads((CASES[0] / "snapshot.json").read_text())

    assert first["kind"] == "Snapshot"
