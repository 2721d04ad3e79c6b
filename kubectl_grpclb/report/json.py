"""`-o json`: the contract, as JSON that is safe to show in a terminal."""

import json
import re
from collections.abc import Sequence

from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.report.page import Page
from kubectl_grpclb.report.wire import Value, document

__all__ = ["encoded", "render"]

_BEYOND_PRINTABLE_ASCII = re.compile(r"[^\n\x20-\x7e]")


def render(reports: Sequence[Report], page: Page) -> str:
    """Give one indented JSON document."""
    return encoded(document(reports), ascii_only=page.ascii)


def encoded(value: Value, *, ascii_only: bool = False) -> str:
    """Give indented JSON; what would steer a terminal is escaped, which is the same value."""
    text = json.dumps(value, indent=2, ensure_ascii=ascii_only)
    return _BEYOND_PRINTABLE_ASCII.sub(_escaped, text) + "\n"


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    return character if printable(character) == character else json.dumps(character)[1:-1]
