"""The data that the machine-readable formats share: one Report, or a ReportList of several."""

import math
from collections.abc import Sequence

import msgspec

from kubectl_grpclb.model.finding import Report

__all__ = ["Value", "document", "rounded"]

Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]


def document(reports: Sequence[Report], *, several: bool = False) -> Value:
    """Give the contract's object with the fields in the structs' order and the floats rounded.

    One report is given as itself, except where `several` were asked for.
    """
    items: list[Value] = [rounded(msgspec.to_builtins(report)) for report in reports]
    if len(items) == 1 and not several:
        return items[0]
    return {"apiVersion": "grpclb/v1", "kind": "ReportList", "items": items}


def rounded(value: Value, name: str = "") -> Value:
    """Give 4 decimals of every float, of `chance` 4 significant digits, so that a small one is not 0."""
    if isinstance(value, dict):
        return {key: rounded(member, key) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(member, name) for member in value]
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    return float(f"{value:.4g}") if name == "chance" else round(value, 4)
