"""Lines of styled text: measuring them in terminal cells, cutting, wrapping and painting them."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Literal

from msgspec import Struct

from kubectl_grpclb.model.text import printable
from kubectl_grpclb.report.page import Page

__all__ = [
    "MANY_PODS",
    "Glyphs",
    "Line",
    "Span",
    "Style",
    "View",
    "cells",
    "cut",
    "flow",
    "middle",
    "padded",
    "paint",
    "wrap",
]

MANY_PODS = 12
"""Where a report has more pods than this, the other sections keep short, so that it stays on a screen."""

Style = Literal["", "bold", "dim", "bad", "doubtful", "good"]

_SGR: dict[Style, str] = {"bold": "1", "dim": "2", "bad": "1;31", "doubtful": "1;33", "good": "1;32"}


class Span(Struct, frozen=True):
    """A piece of a line in one style; cluster text in it has been through `View.show`."""

    text: str
    style: Style = ""


Line = tuple[Span, ...]


class Glyphs(Struct, frozen=True):
    """The signs of our own that have a plain stand-in."""

    ellipsis: str
    arrow: str
    dot: str
    times: str
    rule: str
    eighths: str
    """A bar's last cell from nearly empty to full; as many steps as there are characters."""


_UNICODE = Glyphs(ellipsis="…", arrow="→", dot="·", times="\N{MULTIPLICATION SIGN}", rule="─", eighths="▏▎▍▌▋▊▉█")
_ASCII = Glyphs(ellipsis="..", arrow="->", dot="|", times="x", rule="-", eighths="#")
_PLAIN = str.maketrans(
    {
        "\N{HORIZONTAL ELLIPSIS}": "...",
        "\N{RIGHTWARDS ARROW}": "->",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{MIDDLE DOT}": "|",
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{GREATER-THAN OR EQUAL TO}": ">=",
        "\N{LESS-THAN OR EQUAL TO}": "<=",
    }
)
"""What our own sentences may hold; anything else that is not ASCII becomes an escape."""


class View(Struct, frozen=True):
    """How the sections lay themselves out: on which page, folded or not."""

    page: Page
    wide: bool
    """Every column and every row, however long; otherwise what fits the page."""

    @property
    def glyphs(self) -> Glyphs:
        """The signs that the page can show."""
        return _ASCII if self.page.ascii else _UNICODE

    @property
    def width(self) -> int:
        """Columns that rows may take; at least 40, since below that nothing can be laid out."""
        return max(40, self.page.width)

    @property
    def prose(self) -> int:
        """Columns that sentences take: long lines are hard to read."""
        return min(100, self.width)

    def show(self, text: str) -> str:
        """Make text from a cluster, or a sentence that may quote it, fit to be shown on this page."""
        shown = printable(text)
        if not self.page.ascii or shown.isascii():
            return shown
        return shown.translate(_PLAIN).encode("ascii", "backslashreplace").decode("ascii")


def cells(text: str) -> int:
    """Count the terminal cells that the text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text, "latest")  # by default it asks the environment, which a report must not


def cut(text: str, width: int) -> str:
    """Give the longest beginning that fits."""
    if text.isascii():
        return text[:width]
    end = min(len(text), 2 * width)
    while cells(text[:end]) > width:
        end -= 1
    return text[:end]


def _end(text: str, width: int) -> str:
    if text.isascii():
        return text[len(text) - width :]
    start = max(0, len(text) - 2 * width)
    while cells(text[start:]) > width:
        start += 1
    return text[start:]


def middle(text: str, width: int, ellipsis: str) -> str:
    """Shorten a name in its middle; a third of the room, 6 cells at least, goes to what sets it apart."""
    if cells(text) <= width:
        return text
    room = width - len(ellipsis)
    if room < 3:
        return cut(text, width)
    tail = min(max(6, room // 3), room - 1)
    return cut(text, room - tail) + ellipsis + _end(text, tail)


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Fill up with spaces to the width in cells, on the left where the text stands on the right."""
    space = " " * (width - cells(text))
    return space + text if right else text + space


def _pieces(words: Sequence[str], width: int) -> Iterator[str]:
    for word in words:
        rest = word
        while cells(rest) > width:
            piece = cut(rest, width) or rest[0]
            rest = rest[len(piece) :]
            yield piece
        if rest:
            yield rest


def wrap(text: str, width: int, *, first: str = "", rest: str = "") -> list[str]:
    """Break a text into lines of the width, indents included; a word longer than a line is broken."""
    return flow(text.split(), width, " ", first=first, rest=rest)


def flow(parts: Sequence[str], width: int, separator: str, *, first: str = "", rest: str = "") -> list[str]:
    """Put parts one after the other into lines; a part is broken only where it is longer than a line."""
    lines: list[str] = []
    line = first
    empty = True
    for piece in _pieces(parts, width - max(cells(first), cells(rest))):
        joined = line + piece if empty else line + separator + piece
        if cells(joined) <= width or empty:
            line, empty = joined, False
        else:
            lines.append(line)
            line = rest + piece
    return lines if empty else [*lines, line]


def paint(line: Line, *, colour: bool) -> str:
    """Give the line without trailing space, with SGR sequences where colour is wanted."""
    room = len("".join(span.text for span in line).rstrip())
    painted: list[str] = []
    for style, spans in groupby(line, key=lambda span: span.style):
        text = "".join(span.text for span in spans)[:room]
        room -= len(text)
        painted.append(f"\x1b[{_SGR[style]}m{text}\x1b[0m" if colour and style and text else text)
    return "".join(painted)
