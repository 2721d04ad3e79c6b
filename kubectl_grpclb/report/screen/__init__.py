"""The report for people: one file a section, put together from the verdict down."""

from collections.abc import Callable, Sequence

from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.report.page import Page
from kubectl_grpclb.report.screen.clients import clients
from kubectl_grpclb.report.screen.findings import findings
from kubectl_grpclb.report.screen.gaps import gaps, skips
from kubectl_grpclb.report.screen.heading import heading
from kubectl_grpclb.report.screen.layout import Line, Span, View, paint
from kubectl_grpclb.report.screen.pods import pods
from kubectl_grpclb.report.screen.sources import sources
from kubectl_grpclb.report.screen.tiers import tiers

__all__ = ["screen"]

_SECTIONS: tuple[Callable[[Report, View], list[Line]], ...] = (
    heading,
    pods,
    tiers,
    clients,
    findings,
    gaps,
    skips,
    sources,
)
"""From top to bottom; a section without anything to say gives no line."""


def screen(reports: Sequence[Report], page: Page, *, wide: bool) -> str:
    """Give the reports one below the other, with a rule between them."""
    view = View(page=page, wide=wide)
    rule: Line = (Span(view.glyphs.rule * view.prose, "dim"),)
    lines: list[Line] = []
    for report in reports:
        lines += [(), rule, ()] if lines else []
        lines += _lines(report, view)
    return "".join(paint(line, colour=page.colour) + "\n" for line in lines)


def _lines(report: Report, view: View) -> list[Line]:
    lines: list[Line] = []
    for section in _SECTIONS:
        if part := section(report, view):
            lines += [(), *part] if lines else part
    return lines
