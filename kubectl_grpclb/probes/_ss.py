"""The parse of `ss -tain` (iproute2), of every version since `-i` came.

A socket is `STATE recv-q send-q local:port peer:port …`, and what TCP knows of it follows on an indented
line, or after the ports with -O. IPv6 addresses came without brackets until 2017, a zone follows `%`, and
columns are padded as the version pleases. A counter that is zero is left out (tcp_stats_print in misc/ss.c).
"""

import re
from collections.abc import Set as AbstractSet

from kubectl_grpclb.probes._listing import (
    Counters,
    Ends,
    Listing,
    NotUnderstoodError,
    Part,
    listening,
    port_of,
    rows,
)
from kubectl_grpclb.probes._spelling import end_of

__all__ = ["parse_ss"]

_RECEIVED = re.compile(r"[\t ]bytes_received:([0-9]{1,19})(?![0-9])")
_SEGMENTS = re.compile(r"[\t ]data_segs_in:([0-9]{1,19})(?![0-9])")


def parse_ss(part: Part, ports: AbstractSet[int], ends: Ends) -> Listing:
    """Read one listing. Raises NotUnderstoodError where a line is not of ss."""
    if "Recv-Q" not in part:
        raise NotUnderstoodError("no header")
    absent = _absent(part)
    connections: dict[int, Counters] = {}
    listeners: set[str] = set()
    current: int | None = None
    for block in rows(_line(ports), part):
        for local, peer, port, info, listener, more in block:
            if local:
                current = ends.locals[local] + ends.peers[peer] + port_of(port)
                connections[current] = _counters(info, absent)
            elif not more:
                current = None
                listeners.add(listener)
            elif current is not None:
                connections[current] = _counters(more, connections[current])
    listeners.discard("")
    return Listing(connections, listening(map(end_of, listeners)))


def _line(ports: AbstractSet[int]) -> re.Pattern[str]:
    """Match any line; groups are a wanted connection's ends and its info, a listener, an indented line."""
    queues = "[ ]+[0-9]+[ ]+[0-9]+[ ]+"
    wanted = "|".join(map(str, sorted(ports))) or "(?!)"
    return re.compile(
        rf"^ESTAB{queues}(\S+:(?:{wanted}))[ ]+(\S+):([0-9]+)(?=\s)(.*)\n"
        rf"|^LISTEN{queues}(\S+:[0-9]+)[ ]+\S+:\*(?=\s).*\n"
        rf"|^[A-Z][A-Z0-9-]+{queues}\S+:(?:[0-9]+|\*)[ ]+\S+:(?:[0-9]+|\*)(?=\s).*\n"
        r"|^([\t ].*)\n"
        r"|^State\s.*\n"
        r"|^\n",
        re.MULTILINE,
    )


def _absent(part: Part) -> Counters:
    """Say what a counter that is not shown means: zero where this ss and this kernel know it, else unknown.

    Linux tells bytes since 4.1, all segments since 4.2, those with data since 4.6 and `delivered`, which is
    never zero, since 4.18; iproute2 followed each within a release or two.
    """
    received = any(word in part for word in (" bytes_received:", " bytes_acked:", " segs_in:"))
    segments = any(word in part for word in (" data_segs_in:", " data_segs_out:", " delivered:"))
    return (0 if received else None, 0 if segments else None)


def _counters(info: str, otherwise: Counters) -> Counters:
    received, segments = _RECEIVED.search(info), _SEGMENTS.search(info)
    return (
        int(received[1]) if received else otherwise[0],
        int(segments[1]) if segments else otherwise[1],
    )
