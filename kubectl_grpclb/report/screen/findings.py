"""The findings: what is wrong, how that is known, and the commands that help."""

from collections.abc import Sequence

from kubectl_grpclb.model.finding import Finding, Report, Severity
from kubectl_grpclb.report.screen.layout import MANY_PODS, Line, Span, Style, View, flow, wrap

__all__ = ["findings"]

_STYLES: dict[Severity, Style] = {"error": "bad", "warning": "doubtful", "info": "bold"}
_LEADING_EVIDENCE = 5
_EVIDENCE = 2


def findings(report: Report, view: View) -> list[Line]:
    """Give the findings in the report's order, with most said about the first, which leads."""
    lines: list[Line] = []
    for finding in report.findings:
        most = _EVIDENCE if lines or len(report.pods) > MANY_PODS else _LEADING_EVIDENCE
        lines += [()] if lines else []
        lines += _finding(finding, report, most, view)
    return lines


def _finding(finding: Finding, report: Report, most: int, view: View) -> list[Line]:
    label = f"{view.show(finding.code)} {finding.severity}"
    sentence = [label, f"({finding.confidence} confidence) ", *view.show(finding.title).split()]
    title, *more = flow(sentence, view.prose, " ", rest="  ")
    lines: list[Line] = [
        (Span(title[: len(label)], _STYLES[finding.severity]), Span(title[len(label) :], "bold")),
        *((Span(line, "bold"),) for line in more),
    ]
    if finding.subject != f"Service/{report.target.namespace}/{report.target.service}":
        lines += _plain(f"about {view.show(finding.subject)}", view)
    lines += _plain(view.show(finding.message), view)
    lines += _evidence(finding.evidence, most, view)
    commands = dict.fromkeys([*finding.next, f"kubectl grpclb explain {finding.code}"])
    return [*lines, *((Span("  $ ", "dim"), Span(view.show(command))) for command in commands)]


def _plain(text: str, view: View) -> list[Line]:
    return [(Span(line),) for line in wrap(text, view.prose, first="  ", rest="  ")]


def _evidence(evidence: Sequence[str], most: int, view: View) -> list[Line]:
    shown = evidence if view.wide or len(evidence) <= most + 1 else evidence[:most]
    lines: list[Line] = []
    for item in shown:
        lines += [(Span(line),) for line in wrap(view.show(item), view.prose, first="  - ", rest="    ")]
    if left := len(evidence) - len(shown):
        lines.append((Span(f"  {view.glyphs.ellipsis} {left:,} more like these (-o wide)", "dim"),))
    return lines
