"""The parse of `netstat -tan` of net-tools, busybox and toybox.

A socket is `tcp recv-q send-q local:port peer:port STATE`; net-tools and toybox say `tcp6` where busybox says
`tcp` of both families. Without -W net-tools and toybox cut what is longer than 23 characters, from the
address's end and never from the port (addr_do_one in netstat.c of net-tools, addr2str in netstat.c of toybox),
and what is left may look like an address. So an IPv6 end of just that length is not believed.
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

__all__ = ["CutAddressError", "parse_netstat"]

_NOT_COUNTED: Counters = (None, None)
_CUT_LENGTH = 23


class CutAddressError(ValueError):
    """An address may have been cut, so that nobody knows whose it is; the message shows it."""


def parse_netstat(part: Part, ports: AbstractSet[int], ends: Ends, *, wide: bool) -> Listing:
    """Read one listing. Raises NotUnderstoodError or CutAddressError."""
    if "Recv-Q" not in part:
        raise NotUnderstoodError("no header")
    connections: dict[int, Counters] = {}
    listeners: set[str] = set()
    for block in rows(_line(ports), part):
        for six, local, peer, port, listener in block:
            if local:
                if six and not wide:
                    _believe(local, f"{peer}:{port}")
                connections[ends.locals[local] + ends.peers[peer] + port_of(port)] = _NOT_COUNTED
            elif listener:
                listeners.add(listener)
    return Listing(connections, listening(map(end_of, listeners)))


def _believe(*ends: str) -> None:
    for end in ends:
        if len(end) == _CUT_LENGTH and end.count(":") > 1:
            raise CutAddressError(end)


def _line(ports: AbstractSet[int]) -> re.Pattern[str]:
    """Match any line; groups are the 6 of tcp6 and the ends of a wanted connection, or a listener."""
    queues = "[ ]+[0-9]+[ ]+[0-9]+[ ]+"
    wanted = "|".join(map(str, sorted(ports))) or "(?!)"
    return re.compile(
        rf"^tcp(6?){queues}(\S+:(?:{wanted}))[ ]+(\S+):([0-9]+)[ ]+ESTABLISHED(?=\s).*\n"
        rf"|^tcp6?{queues}(\S+:[0-9]+)[ ]+\S+:\*[ ]+LISTEN(?=\s).*\n"
        rf"|^tcp6?{queues}\S+:(?:[0-9]+|\*)[ ]+\S+:(?:[0-9]+|\*)[ ]+[A-Z][A-Z0-9_]+(?=\s).*\n"
        r"|^Active Internet connections .*\n"
        r"|^Proto\s.*\n"
        r"|^\n",
        re.MULTILINE,
    )
