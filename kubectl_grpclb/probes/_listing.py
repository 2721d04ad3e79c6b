"""What a tool lists, read in blocks of lines so that a long list is never held twice."""

import re
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from kubectl_grpclb.model.text import printable
from kubectl_grpclb.probes.addresses import is_loopback

__all__ = ["Counters", "Ends", "Listing", "NotUnderstoodError", "Pair", "Part", "listening", "port_of", "rows"]

Counters = tuple[int | None, int | None]
"""Bytes and data segments received; None where the tool does not tell."""

Pair = tuple[str, str]
"""The local and the peer's address of connections to one local port, in canonical form."""

_BLOCK = 1 << 18
_LONGEST_SHOWN = 100


class NotUnderstoodError(ValueError):
    """A line is not what the tool prints; the message shows it."""


class Part(Struct, frozen=True, gc=False):
    """A stretch of a longer text, which is not copied."""

    text: str
    start: int
    end: int

    def __contains__(self, word: str) -> bool:
        return self.text.find(word, self.start, self.end) >= 0


class Ends(dict[str, int]):
    """Numbers each pair of addresses, by the tool's spelling of them, in the high bits of an integer.

    With the peer's port in the low 16 bits the number stands for one connection, at a fifth of the memory
    of its values and the same in both looks.
    """

    def __init__(self, read: Callable[[str], Pair]) -> None:
        super().__init__()
        self._read = read
        self.pairs: list[Pair] = []
        """By number without the low 16 bits."""

    def __missing__(self, spelling: str) -> int:
        self.pairs.append(self._read(spelling))
        number = self[spelling] = (len(self.pairs) - 1) << 16
        return number


class Listing(Struct, frozen=True):
    """One look: connections to the wanted ports by their number, and where something listens."""

    connections: dict[int, Counters]
    listens_on: frozenset[int]


def rows(line: re.Pattern[str], part: Part) -> Iterator[list[tuple[str, ...]]]:
    """Give the groups of each line, a block of lines at a time.

    The pattern has two or more groups and matches one whole line, from `^` to the line's end. Raises
    NotUnderstoodError at a line that it does not match.
    """
    text, start = part.text, part.start
    while start < part.end:
        end = text.find("\n", min(start + _BLOCK, part.end - 1), part.end) + 1 or part.end
        found = line.findall(text, start, end)
        if len(found) != text.count("\n", start, end):
            raise NotUnderstoodError(_odd_line(line, text[start:end]))
        yield found
        start = end


def _odd_line(line: re.Pattern[str], block: str) -> str:
    odd = next((each for each in block.split("\n") if not line.fullmatch(each + "\n")), block)
    return printable(odd[:_LONGEST_SHOWN])


def listening(ends: Iterable[tuple[str, int]]) -> frozenset[int]:
    """Keep the ports of listeners that can be reached from outside."""
    return frozenset(port for address, port in ends if not is_loopback(address))


def port_of(text: str) -> int:
    """Read a decimal port. Raises NotUnderstoodError where there is no such port."""
    if len(text) > 5 or int(text) > 65535:
        raise NotUnderstoodError(f"port {text[:_LONGEST_SHOWN]}")
    return int(text)
