"""One file a format; each turns reports into text, and does nothing else."""

from collections.abc import Mapping
from types import MappingProxyType

from kubectl_grpclb.report import json, table, wide, yaml
from kubectl_grpclb.report.page import Format, Page

__all__ = ["FORMATS", "Format", "Page"]

FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "table": table.render,
        "wide": wide.render,
        "json": json.render,
        "yaml": yaml.render,
    }
)
"""Every value of `-o/--output`, the default first."""
