"""JSON Schema of the files and outputs, from the types that write them."""

import json
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from kubectl_grpclb.flows.verify import Outcome
from kubectl_grpclb.model.finding import Balance, Report
from kubectl_grpclb.model.snapshot import Snapshot

__all__ = ["report", "report_list", "snapshot", "verification"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


class ReportList(Struct, frozen=True, rename="camel"):
    """What `-o json` gives for several Services, in their order; one that could not be read is left out."""

    items: tuple[Report, ...]
    api_version: Literal["grpclb/v1"] = "grpclb/v1"
    kind: Literal["ReportList"] = "ReportList"


class Verification(Report, frozen=True, kw_only=True):
    """What `verify -o json` gives: the report of now, and what it comes to beside the time before the fix."""

    outcome: Outcome
    outcome_reason: str
    """Why that is the outcome, in a sentence; `reason` is the verdict's."""
    before: Balance
    """The balance before the fix."""


def report() -> str:
    """Give the schema of `diagnose -o json`."""
    return _written(_whole(_schema(Report)), "What `kubectl grpclb diagnose SERVICE -o json` prints")


def report_list() -> str:
    """Give the schema of `diagnose -o json` for several Services."""
    return _written(_whole(_schema(ReportList)), "What `kubectl grpclb diagnose SERVICE SERVICE … -o json` prints")


def verification() -> str:
    """Give the schema of `verify -o json`, and of `fix -o json` where it was carried out."""
    return _written(_whole(_schema(Verification)), "What `kubectl grpclb verify SERVICE -o json` prints")


def snapshot() -> str:
    """Give the schema of the files of `record`."""
    return _written(_schema(Snapshot), "The file that `kubectl grpclb record` writes")


def _schema(of: type[Struct]) -> Schema:
    return msgspec.json.schema(of)


def _whole(schema: Schema) -> Schema:
    """Require every property: a report leaves out none, and what could not be read is null."""
    definitions: Mapping[str, Schema] = schema["$defs"]
    required = {
        name: {**each, "required": list(each["properties"])} if "properties" in each else each
        for name, each in definitions.items()
    }
    return {**schema, "$defs": required}


def _written(schema: Schema, title: str) -> str:
    return json.dumps({"$schema": DIALECT, "title": title, **schema}, indent=2, ensure_ascii=False) + "\n"
