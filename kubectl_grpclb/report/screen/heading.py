"""What the report comes to: the verdict, the figures behind it, and when and where they were taken."""

from kubectl_grpclb.model.facts import Target
from kubectl_grpclb.model.finding import Report, Signal, Verdict
from kubectl_grpclb.report.screen import words
from kubectl_grpclb.report.screen.layout import Line, Span, Style, View, flow, wrap

__all__ = ["heading"]

_STYLES: dict[Verdict, Style] = {
    "balanced": "good",
    "unbalanced": "bad",
    "idle": "bold",
    "inconclusive": "doubtful",
}

_SIGNALS: dict[Signal, str] = {
    "requests": "by requests",
    "streams": "by messages in streams",
    "bytes": "by bytes received",
    "connections": "by connections",
}


def heading(report: Report, view: View) -> list[Line]:
    """Give the verdict's sentence, then the figures."""
    verdict = report.verdict.upper()
    sentence = f"{_target(report.target, view)}: {view.show(report.reason)}"
    first, *more = flow([verdict + " ", *sentence.split()], view.prose, " ", rest="  ")
    lines: list[Line] = [
        (Span(verdict, _STYLES[report.verdict]), Span(first[len(verdict) :], "bold")),
        *((Span(line, "bold"),) for line in more),
    ]
    separator = f" {view.glyphs.dot} "
    told = [
        *flow(_figures(report, view), view.prose, separator, first="  ", rest="  "),
        *wrap(_chance(report), view.prose, first="  ", rest="  "),
        *flow(_circumstances(report, view), view.prose, separator, first="  ", rest="  "),
    ]
    return [*lines, *((Span(line),) for line in told)]


def _target(target: Target, view: View) -> str:
    ports = [view.show(str(port)) for port in (target.port, target.target_port) if port is not None]
    port = " port " + f" {view.glyphs.arrow} ".join(ports) if ports else ""
    return f"{view.show(target.service)} ({view.show(target.namespace)}){port}"


def _figures(report: Report, view: View) -> list[str]:
    """Where nobody is connected, or nothing was read, the verdict has said it all."""
    balance = report.balance
    if report.verdict == "idle" or balance.effective_pods is None:
        return []
    read = balance.pods - balance.unread
    of = words.count(read, "read pod" if balance.unread else "pod")
    parts = [_SIGNALS[balance.signal]] if balance.signal else []
    parts.append(f"{balance.effective_pods:.1f} of {of} effective")
    if balance.max_over_mean is not None:
        parts.append(f"busiest {balance.max_over_mean:.1f}{view.glyphs.times} the mean")
    if balance.idle:
        parts.append(f"{balance.idle:,} idle")
    if balance.unread:
        parts.append(f"{balance.unread:,} of {words.count(balance.pods, 'ready pod')} not read")
    return parts


def _chance(report: Report) -> str:
    """Where the load is even or absent, how often chance would do it tells nobody anything."""
    if report.balance.chance is None or report.verdict in {"balanced", "idle"}:
        return ""
    return f"random placement alone would be this uneven {words.chance(report.balance.chance)}"


def _circumstances(report: Report, view: View) -> list[str]:
    window = report.window_seconds
    return [
        f"two looks {words.seconds(window)} apart" if window > 0 else "a single look",
        f"context {view.show(report.target.context)}",
        view.show(report.taken_at),
    ]
