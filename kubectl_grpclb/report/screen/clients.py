"""The clients: who connects, and how many of the pods each of them reaches."""

from collections.abc import Sequence

from kubectl_grpclb.model.finding import ClientRow, Report
from kubectl_grpclb.report.screen import words
from kubectl_grpclb.report.screen.columns import Column, Text, columns
from kubectl_grpclb.report.screen.layout import MANY_PODS, Line, Span, View, wrap

__all__ = ["clients"]

_MOST_ROWS = 12
_FEW_ROWS = 4
"""The most beside a long list of pods, so that the whole stays on a screen."""


def clients(report: Report, view: View) -> list[Line]:
    """Give a row a client, in the report's order."""
    rows = report.clients
    if not rows:
        return []
    most = _FEW_ROWS if len(report.pods) > MANY_PODS else _MOST_ROWS
    shown = rows if view.wide or len(rows) <= most else rows[: most - 1]
    return [*columns(_columns(shown, report, view), view), *_fold(rows[len(shown) :], view)]


def _columns(rows: Sequence[ClientRow], report: Report, view: View) -> list[Column]:
    def texts(values: Sequence[str]) -> list[Text]:
        return [Text(view.show(value)) for value in values]

    table = [
        Column("CLIENT", texts([_name(row, report.target.namespace) for row in rows]), least=15, gives_way=2),
        Column("KIND", texts([row.kind for row in rows]), least=7, gives_way=3),
        Column("CONN", texts([words.number(row.connections) for row in rows]), right=True),
        *_rates(rows),
        Column("REACHES", texts([_reached(row, report) for row in rows])),
    ]
    if any(row.owner for row in rows):
        owner = Column("OWNER", texts([row.owner or "-" for row in rows]), least=12, gives_way=1, droppable=True)
        table.insert(2, owner)
    if view.wide:
        table.append(Column("IP", texts([row.ip for row in rows])))
        table.append(Column("PODS", texts([", ".join(row.reaches) or "-" for row in rows])))
    return table


def _rates(rows: Sequence[ClientRow]) -> list[Column]:
    """Give what each calls, where something counts it by connection."""
    if all(row.requests_per_second is None for row in rows):
        return []
    rates = [row.requests_per_second for row in rows]
    return [Column("REQ/S", [Text("?" if rate is None else words.number(rate)) for rate in rates], right=True)]


def _name(row: ClientRow, home: str) -> str:
    name = row.name or row.ip
    return name if row.namespace in (None, home) else f"{name} ({row.namespace})"


def _reached(row: ClientRow, report: Report) -> str:
    """Of the pods that could be looked into: into the others the client may lead as well."""
    read = sum(pod.gap is None for pod in report.pods)
    if read == len(report.pods):
        return f"{words.number(row.pods)} of {words.count(read, 'pod')}"
    return f"{words.number(row.pods)} of {read:,} read"


def _fold(rows: Sequence[ClientRow], view: View) -> list[Line]:
    if not rows:
        return []
    held = words.spread([row.connections for row in rows], "connection")
    reached = words.spread([row.pods for row in rows], "pod")
    more = f"{len(rows):,} more {words.plural(len(rows), 'client')}"
    sentence = f"{view.glyphs.ellipsis} {more}: {held} each, to {reached} each (-o wide)"
    return [(Span(line, "dim"),) for line in wrap(sentence, view.prose, rest="  ")]
