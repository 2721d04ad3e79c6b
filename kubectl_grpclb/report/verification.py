"""What a fix came to, as text and as the contract's JSON."""

import msgspec

from kubectl_grpclb.model.finding import Balance, Report
from kubectl_grpclb.model.yaml_text import yaml_text
from kubectl_grpclb.report.json import encoded
from kubectl_grpclb.report.page import Page
from kubectl_grpclb.report.screen.layout import Line, Span, Style, View, paint, wrap
from kubectl_grpclb.report.wire import rounded

__all__ = ["render_verification", "verification_data"]

_STYLES: dict[str, Style] = {"fixed": "good", "pending": "doubtful", "unknown": "doubtful"}


def verification_data(outcome: str, reason: str, before: Balance, report: Report, form: str) -> str:
    """Give the report's JSON or YAML with `outcome`, `outcomeReason` and `before` (the balance then).

    The report's own `reason` is that of its verdict.
    """
    came_to = {"outcome": outcome, "outcomeReason": reason, "before": msgspec.to_builtins(before)}
    data = rounded({**msgspec.to_builtins(report), **came_to})
    if form == "yaml":
        return yaml_text(data)
    return encoded(data)


def render_verification(outcome: str, reason: str, before: Balance, report: Report, page: Page) -> str:
    """Give the outcome with the figures before and after, in a few lines."""
    view = View(page, wide=False)
    words = f"{outcome.upper()} "
    first, *rest = wrap(view.show(reason), view.prose, first=words, rest="  ")
    lines: list[Line] = [
        (Span(words, _STYLES.get(outcome, "bad")), Span(first[len(words) :])),
        *((Span(line),) for line in rest),
        (Span(f"  before  {_figures(before, view)}"),),
        (Span(f"  now     {_figures(report.balance, view)}"),),
    ]
    return "".join(f"{paint(line, colour=page.colour)}\n" for line in lines)


def _figures(balance: Balance, view: View) -> str:
    if balance.effective_pods is None:
        return "not measured"
    read = balance.pods - balance.unread
    parts = [f"{balance.effective_pods:.1f} of {read} pods effective"]
    if balance.max_over_mean is not None:
        parts.append(f"busiest {balance.max_over_mean:.2f}{view.glyphs.times} the mean")
    if balance.idle:
        parts.append(f"{balance.idle} idle")
    if balance.signal:
        parts.append(f"by {balance.signal}")
    return f" {view.glyphs.dot} ".join(parts)
