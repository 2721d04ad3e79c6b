"""The pods: how much each carries, as a bar and in numbers, the busiest first."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from kubectl_grpclb.model.finding import PodRow, Report
from kubectl_grpclb.report.screen import words
from kubectl_grpclb.report.screen.columns import Bar, Cell, Column, Text, columns
from kubectl_grpclb.report.screen.layout import Line, Span, Style, View, wrap

__all__ = ["pods"]

_MOST_ROWS = 30
"""More pods than this are folded."""
_IDLE_ROWS = 12
"""The same where no pod carries anything, so that there is nothing to compare."""


class _Group(Struct, frozen=True):
    """Pods that are folded together: `head` and `tail` of them stay, `told` describes the rest."""

    rows: Sequence[PodRow]
    head: int
    tail: int
    told: Callable[[Sequence[PodRow]], str]

    @property
    def folded(self) -> Sequence[PodRow]:
        between = self.rows[self.head : len(self.rows) - self.tail]
        return between if len(between) > 1 else ()

    @property
    def shown(self) -> Sequence[PodRow]:
        left_out = len(self.folded)
        return [*self.rows[: self.head], *self.rows[self.head + left_out :]] if left_out else self.rows


def pods(report: Report, view: View) -> list[Line]:
    """Give a row a pod: ready ones, then those that are not, then those that could not be looked into."""
    if not report.pods:
        return []
    groups = [group for group in _groups(report, view) if group.rows]
    titles, *rows = columns(_columns([row for group in groups for row in group.shown], report, view), view)
    lines = [titles]
    for group in groups:
        before = group.head if group.folded else len(group.shown)
        lines += rows[:before]
        lines += _fold(group, view) if group.folded else []
        lines += rows[before : len(group.shown)]
        rows = rows[len(group.shown) :]
    return lines


def _groups(report: Report, view: View) -> list[_Group]:
    ranked = sorted(report.pods, key=_rank)
    read = [row for row in ranked if not _unread(row)]
    ready = [row for row in read if row.ready]
    unready = [row for row in read if not row.ready]
    unread = [row for row in ranked if _unread(row)]
    if view.wide or len(ranked) <= (_IDLE_ROWS if report.verdict == "idle" else _MOST_ROWS):
        return [_Group(rows, len(rows), 0, _rest) for rows in (ready, unready, unread)]
    first = _Group(ready, 6, 0, _rest) if report.verdict == "idle" else _Group(ready, 12, 12, _between)
    return [first, _Group(unready, 3, 0, _rest_unready), _Group(unread, 3, 0, _rest_unread)]


def _rank(row: PodRow) -> tuple[float, int, int, str]:
    """Most load first, then the oldest, so that what was added later stands together at the end."""
    return -(row.share or 0.0), -(row.connections or 0), -(row.age_seconds or 0), row.name


def _fold(group: _Group, view: View) -> list[Line]:
    sentence = f"{view.glyphs.ellipsis} {group.told(group.folded)} (-o wide)"
    return [(Span(line, "dim"),) for line in wrap(sentence, view.prose, rest="  ")]


def _between(rows: Sequence[PodRow]) -> str:
    connections = [row.connections for row in rows if row.connections is not None]
    shares = [row.share for row in rows if row.share is not None]
    parts = [words.spread(connections, "connection")] if connections else []
    if shares:
        least, most = words.percent(min(shares)), words.percent(max(shares))
        parts.append((most if least == most else f"{least} to {most}") + " of the load")
    return f"{words.count(len(rows), 'pod')} between: {', '.join(parts)} each"


def _rest(rows: Sequence[PodRow]) -> str:
    return f"{len(rows):,} more {words.plural(len(rows), 'pod')}, none with a client"


def _rest_unready(rows: Sequence[PodRow]) -> str:
    return f"{len(rows):,} more {words.plural(len(rows), 'pod')} not ready"


def _rest_unread(rows: Sequence[PodRow]) -> str:
    return f"{len(rows):,} more {words.plural(len(rows), 'pod')} not read"


def _columns(rows: Sequence[PodRow], report: Report, view: View) -> list[Column]:
    styles = [_style(row) for row in rows]

    def texts(values: Sequence[str]) -> list[Text]:
        return [Text(view.show(value), style) for value, style in zip(values, styles, strict=True)]

    def numbers(title: str, values: Sequence[str]) -> Column:
        return Column(title, texts(values), right=True)

    def rates(title: str, values: Sequence[float | None]) -> Column:
        return Column(title, texts(_known(values, words.number, unknown)), right=True, droppable=True)

    unknown = ["?" if _unread(row) else "-" for row in rows]
    unseen = ["?" if _unread(row) or row.gap else "-" for row in rows]
    name = Column("POD", texts([row.name for row in rows]), least=13, gives_way=2)
    node = Column("NODE", texts(_nodes(rows, view)), least=10, gives_way=1, droppable=True)
    ages = numbers("AGE", [words.age(row.age_seconds) for row in rows])
    states = [Text(_ready(row), style, reads_on=True) for row, style in zip(rows, styles, strict=True)]
    ready = Column("READY", states, least=8, gives_way=3)
    if report.verdict == "idle" and not view.wide:
        return [name, ages, ready, node]
    load = Column("LOAD", _loads(rows, report, view), least=12)
    carried = numbers("CONN", _known([row.connections for row in rows], words.number, unseen))
    requests = rates("REQ/S", [row.requests_per_second for row in rows])
    received = rates("BYTES/S", [row.bytes_per_second for row in rows])
    streams = rates("OPEN", [row.open_streams for row in rows])
    share = numbers("SHARE", _known([row.share for row in rows], words.percent, unknown))
    if not view.wide:
        signals = {"requests": [requests], "bytes": [received], "streams": [streams]}
        return [name, load, carried, *signals.get(report.balance.signal or "", []), share, ages, ready, node]
    lasting = numbers("LASTING", _known([row.lasting for row in rows], words.number, unseen))
    ports = numbers("PORT", [str(row.target_port or "-") for row in rows])
    return [
        *(name, load, carried, lasting, requests),
        *([streams] if any(row.open_streams is not None for row in rows) else []),
        *(received, share, ages, ready, node),
        *_usage(rows, numbers, unknown),
        Column("ZONE", texts([row.zone or "-" for row in rows])),
        Column("IP", texts([row.ip or "-" for row in rows])),
        ports,
        Column("OWNER", texts([row.owner or "-" for row in rows])),
        Column("SOURCES", texts([",".join(row.sources) or "-" for row in rows])),
    ]


def _usage(
    rows: Sequence[PodRow], numbers: Callable[[str, Sequence[str]], Column], unknown: Sequence[str]
) -> list[Column]:
    """Give CPU and memory where the metrics API told any."""
    if all(row.cpu_cores is None for row in rows):
        return []
    cpu = _known([row.cpu_cores for row in rows], words.number, unknown)
    memory = _known([row.memory_bytes for row in rows], lambda value: words.size(int(value)), unknown)
    return [numbers("CPU", cpu), numbers("MEMORY", memory)]


def _known(values: Sequence[float | None], word: Callable[[float], str], unknown: Sequence[str]) -> list[str]:
    return [sign if value is None else word(value) for value, sign in zip(values, unknown, strict=True)]


def _style(row: PodRow) -> Style:
    return "dim" if _idle(row) else ""


def _unread(row: PodRow) -> bool:
    return row.connections is None and row.share is None


def _idle(row: PodRow) -> bool:
    """By the balance's signal; a pod whose share is not known counts by its connections.

    A connection that came and went was a client's, too.
    """
    return not (row.connections if row.share is None else row.share) and not row.passed and not _unread(row)


def _ready(row: PodRow) -> str:
    if row.terminating:
        return "terminating"
    return "yes" if row.ready else "no"


def _loads(rows: Sequence[PodRow], report: Report, view: View) -> list[Cell]:
    """Give a bar where there is load, and a word where there is none or nobody knows: never just blank."""
    nothing = "-" if report.balance.idle is None else "idle"
    by_share = any(row.share is not None for row in rows)
    loads = [float((row.share if by_share else row.connections) or 0) for row in rows]
    busiest = max(loads, default=0.0)
    parts = [load / busiest if busiest > 0 else 0.0 for load in loads]
    return [_load(row, part, nothing, view) for row, part in zip(rows, parts, strict=True)]


def _load(row: PodRow, part: float, nothing: str, view: View) -> Cell:
    if part > 0:
        return Bar(part, _style(row))
    if _unread(row):
        return Text(f"? {view.show(words.in_short(row.gap))}", "doubtful", reads_on=True)
    if not row.ready:
        return Text("not ready", _style(row))
    return Text(nothing if _idle(row) else "-", _style(row))


def _nodes(rows: Sequence[PodRow], view: View) -> list[str]:
    """Leave out the domain where all nodes share it: `ip-10-0-12-7.eu-west-1.compute.internal`."""
    names = [row.node for row in rows if row.node]
    domains = {name.partition(".")[2] for name in names}
    short = not view.wide and len(domains) == 1 and not any(name[:1].isdigit() for name in names)
    return [(row.node.partition(".")[0] if short else row.node) if row.node else "-" for row in rows]
