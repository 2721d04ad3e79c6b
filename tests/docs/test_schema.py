"""What is written as JSON fits the schemas that are published."""

import copy
import json
import pathlib
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from kubectl_grpclb.flows.diagnose import replayed
from kubectl_grpclb.report import FORMATS, Page
from kubectl_grpclb.report.verification import verification_data

ROOT = pathlib.Path(__file__).parent.parent.parent
SCHEMAS = ROOT / "docs" / "schema"
CASES = sorted(path.parent for path in (ROOT / "tests" / "cases").glob("*/snapshot.json"))
PAGE = Page(width=80, colour=False)


def schema(name: str, *, closed: bool = False) -> dict[str, Any]:
    """Read a schema; a closed one takes no property that it does not name."""
    read: dict[str, Any] = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    definitions = read["$defs"].values()
    shut = {"additionalProperties": False} if closed else {}
    for each in definitions:
        each.update(shut if "properties" in each else {})
    return read


def faults(name: str, document: object, *, closed: bool = False) -> list[str]:
    return [error.message for error in Draft202012Validator(schema(name, closed=closed)).iter_errors(document)]


def reported(case: pathlib.Path) -> Any:
    return json.loads(FORMATS["json"]([replayed((case / "snapshot.json").read_bytes())], PAGE))


@pytest.mark.parametrize("name", [path.name for path in SCHEMAS.glob("*.json")])
def test_a_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_report_fits_its_schema_to_the_last_property(case: pathlib.Path) -> None:
    assert faults("report.json", reported(case), closed=True) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_recorded_file_fits_its_schema(case: pathlib.Path) -> None:
    assert faults("snapshot.json", json.loads((case / "snapshot.json").read_bytes())) == []


def test_several_reports_fit_the_schema_of_a_list() -> None:
    reports = [replayed((case / "snapshot.json").read_bytes()) for case in CASES[:3]]

    document = json.loads(FORMATS["json"](reports, PAGE))

    assert document["kind"] == "ReportList"
    assert faults("report-list.json", document, closed=True) == []


@pytest.mark.parametrize("outcome", ["fixed", "pending", "unchanged", "worse", "unknown"])
def test_a_verification_fits_its_schema(outcome: str) -> None:
    report = replayed((ROOT / "tests" / "cases" / "fixed" / "snapshot.json").read_bytes())

    document = json.loads(verification_data(outcome, report.reason, report.balance, report, "json"))

    assert faults("verification.json", document, closed=True) == []


def test_a_report_that_lacks_a_property_does_not_fit() -> None:
    document = reported(ROOT / "tests" / "cases" / "sticky")
    lacking = copy.deepcopy(document)
    del lacking["pods"][0]["gap"]

    assert faults("report.json", lacking) == ["'gap' is a required property"]


def test_a_verdict_that_there_is_not_does_not_fit() -> None:
    document = {**reported(ROOT / "tests" / "cases" / "sticky"), "verdict": "skewed"}

    assert len(faults("report.json", document)) == 1
