"""Where the figures come from, and what each source cost."""

from kubectl_grpclb.model.finding import Report, SourceRow
from kubectl_grpclb.report.screen import words
from kubectl_grpclb.report.screen.layout import Line, Span, View, wrap

__all__ = ["sources"]

_GIVES = {
    "metrics": "calls",
    "prometheus": "calls",
    "channelz": "calls, connections and clients",
    "envoy": "what Envoys count",
    "exec": "connections and clients",
    "debug": "connections and clients",
    "node": "connections and clients",
    "metrics-api": "CPU and memory",
}
_OF = {"node": "node", "prometheus": "question", "metrics-api": "question"}
"""What was asked, where it is not a pod."""


_LEAST = 0.01
"""Seconds below which nobody cares how many."""


def sources(report: Report, view: View) -> list[Line]:
    """Give a line a source that was asked, in the order in which they are tried."""
    if not report.sources:
        return []
    lines: list[Line] = [(Span("SOURCES", "dim"),)]
    for row in report.sources:
        lines += [(Span(line),) for line in wrap(_told(row, view), view.prose, first="  ", rest="    ")]
    return lines


def _told(row: SourceRow, view: View) -> str:
    of = _OF.get(row.source, "pod")
    answered = f"{row.answered:,} of {words.count(row.asked, of)} answered"
    cost = [words.count(row.requests, "request"), f"at most {words.seconds(max(_LEAST, row.seconds))} each"]
    cost += [words.size(row.bytes)] if row.bytes else []
    gives = _GIVES.get(row.source, "") if row.answered else "nothing"
    stays = "; its containers stay until their pods go" if row.source == "debug" and row.answered else ""
    return f"{view.show(row.source)} ({gives}): {answered}, {', '.join(cost)}{stays}"
