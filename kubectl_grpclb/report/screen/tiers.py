"""The proxies that a fix put between the Service and the servers, with their clients' connections."""

from collections.abc import Sequence

from kubectl_grpclb.model.finding import Report, TierPodRow, TierRow
from kubectl_grpclb.report.screen import words
from kubectl_grpclb.report.screen.columns import Column, Text, columns
from kubectl_grpclb.report.screen.layout import MANY_PODS, Line, Span, View, wrap

__all__ = ["tiers"]

_MOST_ROWS = 8
_FEW_ROWS = 3
"""The most beside a long list of servers, so that the whole stays on a screen."""


def tiers(report: Report, view: View) -> list[Line]:
    """Give a row a proxy, in the report's order, under its kind as the title."""
    most = _FEW_ROWS if len(report.pods) > MANY_PODS else _MOST_ROWS
    lines: list[Line] = []
    for tier in report.tiers:
        lines += [()] if lines else []
        lines += _tier(tier, most, report, view)
    return lines


def _tier(tier: TierRow, most: int, report: Report, view: View) -> list[Line]:
    if not tier.pods:
        sentence = f"{view.show(tier.kind.upper())}: {view.show(tier.name)} has no pod"
        return [(Span(line),) for line in wrap(sentence, view.prose, rest="  ")]
    shown = tier.pods if view.wide or len(tier.pods) <= most else tier.pods[: most - 1]
    return [*columns(_columns(tier, shown, report, view), view), *_fold(tier.pods[len(shown) :], view)]


def _columns(tier: TierRow, rows: Sequence[TierPodRow], report: Report, view: View) -> list[Column]:
    def texts(values: Sequence[str]) -> list[Text]:
        return [Text(view.show(value)) for value in values]

    held = ["?" if row.connections is None else words.number(row.connections) for row in rows]
    table = [
        Column(view.show(tier.kind.upper()), texts([row.name for row in rows]), least=13, gives_way=2),
        Column("CONN", texts(held), right=True),
        Column("AGE", texts([words.age(row.age_seconds) for row in rows]), right=True),
        Column("READY", texts(["yes" if row.ready else "no" for row in rows])),
        Column("NODE", texts([row.node or "-" for row in rows]), least=10, gives_way=1, droppable=True),
    ]
    if view.wide:
        table.append(Column("HOSTS", texts([_known(row, report) for row in rows])))
        table.append(Column("ZONE", texts([row.zone or "-" for row in rows])))
        table.append(Column("IP", texts([row.ip or "-" for row in rows])))
    return table


def _known(row: TierPodRow, report: Report) -> str:
    """Count the ready servers that the proxy knows."""
    ready = {pod.name for pod in report.pods if pod.ready}
    known = "?" if row.hosts is None else words.number(len(ready & {host.pod for host in row.hosts}))
    return f"{known} of {len(ready):,}"


def _fold(rows: Sequence[TierPodRow], view: View) -> list[Line]:
    if not rows:
        return []
    ready = sum(row.ready for row in rows)
    sentence = f"{view.glyphs.ellipsis} {len(rows):,} more, {ready:,} of them ready (-o wide)"
    return [(Span(line, "dim"),) for line in wrap(sentence, view.prose, rest="  ")]
