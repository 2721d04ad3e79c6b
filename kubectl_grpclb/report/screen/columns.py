"""Columns that share a width: which of them give way, and in what order."""

from collections.abc import Sequence

from msgspec import Struct

from kubectl_grpclb.report.screen.layout import Line, Span, Style, View, cells, cut, middle, padded

__all__ = ["Bar", "Cell", "Column", "Text", "columns"]

_GAP = 2
_LONGEST_BAR = 32


class Text(Struct, frozen=True):
    """A cell of words, which loses its middle where it is too long, or with `reads_on` its end."""

    text: str
    style: Style = ""
    reads_on: bool = False


class Bar(Struct, frozen=True):
    """A cell that is filled to a part of the column, 0 to 1; more than nothing always shows."""

    part: float
    style: Style = ""


Cell = Text | Bar


class Column(Struct, frozen=True):
    """One column; the first to give way is the one with the lowest `gives_way`, down to `least` cells."""

    title: str
    cells: Sequence[Cell]
    right: bool = False
    least: int | None = None
    """None for a column of numbers, which is never cut."""
    gives_way: int = 0
    droppable: bool = False
    """Whether the column may go where all of them at their least are still too wide."""


def columns(table: Sequence[Column], view: View) -> list[Line]:
    """Give the titles' line and a line a row, within the view's width unless the view is wide."""
    kept, widths = _fitted(list(table), view)
    titles = tuple(Text(column.title, "dim") for column in kept)
    rows = [titles, *zip(*(column.cells for column in kept), strict=True)]
    return [_row(row, kept, widths, view) for row in rows]


def _row(row: Sequence[Cell], kept: Sequence[Column], widths: Sequence[int], view: View) -> Line:
    spans: list[Span] = []
    for cell, column, width in zip(row, kept, widths, strict=True):
        text = padded(_filled(cell, width, view), width, right=column.right)
        if spans:
            spans.append(Span(" " * _GAP, cell.style if cell.style == spans[-1].style else ""))
        spans.append(Span(text, cell.style))
    return tuple(spans)


def _fitted(table: list[Column], view: View) -> tuple[list[Column], list[int]]:
    widths = [_natural(column) for column in table]
    while not view.wide:
        excess = sum(widths) + _GAP * (len(widths) - 1) - view.width
        _narrow(table, widths, excess)
        last = max((place for place, column in enumerate(table) if column.droppable), default=None)
        if sum(widths) + _GAP * (len(widths) - 1) <= view.width or last is None:
            break
        table = table[:last] + table[last + 1 :]
        widths = [_natural(column) for column in table]
    return table, widths


def _narrow(table: Sequence[Column], widths: list[int], excess: int) -> None:
    """Take the excess from the columns that give way, in their order."""
    for place in sorted(range(len(table)), key=lambda place: table[place].gives_way):
        least = table[place].least
        spare = 0 if least is None else max(0, widths[place] - least)
        taken = min(spare, max(0, excess))
        widths[place] -= taken
        excess -= taken


def _natural(column: Column) -> int:
    return max(cells(column.title), *(_wanted(cell) for cell in column.cells), 0)


def _wanted(cell: Cell) -> int:
    return _LONGEST_BAR if isinstance(cell, Bar) else cells(cell.text)


def _filled(cell: Cell, width: int, view: View) -> str:
    if isinstance(cell, Bar):
        return _bar(cell.part, min(width, _LONGEST_BAR), view.glyphs.eighths)
    if cell.reads_on and cells(cell.text) > width:
        return cut(cell.text, width - len(view.glyphs.ellipsis)).rstrip() + view.glyphs.ellipsis
    return middle(cell.text, width, view.glyphs.ellipsis)


def _bar(part: float, width: int, steps: str) -> str:
    filled = max(1, round(min(part, 1.0) * width * len(steps)))
    whole, rest = divmod(filled, len(steps))
    return steps[-1] * whole + (steps[rest - 1] if rest else "")
