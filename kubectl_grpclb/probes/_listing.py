"""What a tool lists, read in blocks of lines so that a long list is never held twice."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from kubectl_grpclb.model.addresses import is_loopback
from kubectl_grpclb.model.text import printable

__all__ = [
    "PEER",
    "PORT",
    "Addresses",
    "Counters",
    "Ends",
    "Listing",
    "NotUnderstoodError",
    "Part",
    "listening",
    "port_of",
    "rows",
]

Counters = tuple[int | None, int | None]
"""Bytes and data segments received; None where the tool does not tell."""

PORT = (1 << 16) - 1
PEER = (1 << 32) - 1
PEER_SHIFT = 16
"""Masks of a connection's number: the peer's port, and above it the peer."""

_BLOCK = 1 << 16
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


class Spellings(dict[str, int]):
    """Numbers what comes, in the order in which it comes, `shift` bits up."""

    def __init__(self, shift: int) -> None:
        super().__init__()
        self._shift = shift

    def __missing__(self, spelling: str) -> int:
        number = self[spelling] = len(self) << self._shift
        return number


class Ends:
    """Numbers local ends, `address:port`, and peers' addresses by the tool's spelling of them.

    The sum of both numbers and the peer's port stands for one connection, at a fifth of the memory of its
    values and the same in both looks.
    """

    def __init__(self) -> None:
        self.locals = Spellings(48)
        self.peers = Spellings(PEER_SHIFT)


class Addresses:
    """What the numbers of `Ends` stand for, in canonical form."""

    def __init__(self, ends: Ends, read: Callable[[Sequence[str]], list[str]]) -> None:
        """Read each address once. Raises what `read` raises."""
        self.locals = read([local.rpartition(":")[0] for local in ends.locals])
        self.peers = read(list(ends.peers))

    def of(self, number: int) -> tuple[str, str, int]:
        """Give a connection's local address, its peer's, and the peer's port."""
        return self.locals[number >> 48], self.peers[number >> 16 & PEER], number & PORT


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
