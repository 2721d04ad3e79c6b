"""`-o json`: the contract, as JSON that is safe to show in a terminal."""

import json
import re
from collections.abc import Sequence

from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.report.page import Page
from kubectl_grpclb.report.wire import Value, document

__all__ = ["encoded", "render", "shown"]

_BEYOND_PRINTABLE_ASCII = re.compile(r"[^\n\x20-\x7e]")


def render(reports: Sequence[Report], page: Page) -> str:
    """Give one indented JSON document."""
    return encoded(document(reports, several=page.several), ascii_only=page.ascii)


def encoded(value: Value, *, ascii_only: bool = False) -> str:
    """Give indented JSON that is safe to show."""
    return shown(json.dumps(value, indent=2, ensure_ascii=False), ascii_only=ascii_only) + "\n"


def shown(text: str, *, ascii_only: bool = False) -> str:
    """Give JSON with what would steer a terminal escaped, or all that is not ASCII; it is the same value."""
    return _BEYOND_PRINTABLE_ASCII.sub(_escaped if ascii_only else _escaped_where_unsafe, text)


def _escaped(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]


def _escaped_where_unsafe(match: re.Match[str]) -> str:
    return match[0] if printable(match[0]) == match[0] else _escaped(match)
