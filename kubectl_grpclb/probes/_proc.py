"""The parse of /proc/net/tcp and /proc/net/tcp6, one after the other.

A line is `sl: local remote state queues …`, an address `hex:port` (tcp4_seq_show in net/ipv4/tcp_ipv4.c and
get_tcp6_sock in net/ipv6/tcp_ipv6.c of Linux). The kernel prints an address's 32-bit words as its own
processor holds them; little-endian is assumed, which holds for every architecture that Kubernetes is released
for but s390x.
"""

import re
from collections.abc import Set as AbstractSet
from functools import lru_cache
from ipaddress import IPv6Address

from kubectl_grpclb.probes._listing import (
    Counters,
    Ends,
    Listing,
    NotUnderstoodError,
    Pair,
    Part,
    listening,
    rows,
)

__all__ = ["pair_of_proc", "parse_proc"]

_NOT_COUNTED: Counters = (None, None)
_HEADER = "local_address"


def parse_proc(part: Part, ports: AbstractSet[int], ends: Ends) -> Listing:
    """Read both files. Raises NotUnderstoodError where a line is not the kernel's."""
    if _HEADER not in part:
        raise NotUnderstoodError("no header")
    connections: dict[int, Counters] = {}
    listeners: set[str] = set()
    for block in rows(_line(ports), part):
        connections |= dict.fromkeys([ends[pair] + int(port, 16) for pair, port, _ in block if pair], _NOT_COUNTED)
        listeners |= {listener for _, _, listener in block}
    listeners.discard("")
    return Listing(connections, listening(map(_end, listeners)))


def _line(ports: AbstractSet[int]) -> re.Pattern[str]:
    """Match any line; groups are the ends and the peer's port of a wanted connection, or a listener."""
    end = "[0-9A-F]+:[0-9A-F]{4}"
    wanted = "|".join(f"{number:04X}" for number in sorted(ports)) or "(?!)"
    return re.compile(
        rf"^ *[0-9]+: (?:([0-9A-F]+:(?:{wanted}) [0-9A-F]+):([0-9A-F]{{4}}) 01"
        rf"|({end}) {end} 0A"
        rf"|{end} {end} [0-9A-F]{{2}}) [0-9A-F]+:.*\n"
        rf"|^ *sl +{_HEADER}.*\n"
        r"|^\n",
        re.MULTILINE,
    )


def pair_of_proc(spelling: str) -> Pair:
    """Read `0AC012C6:C383 098012C6`. Raises NotUnderstoodError."""
    local, _, peer = spelling.partition(" ")
    return _end(local)[0], _address(peer)


@lru_cache(maxsize=64)
def _end(spelling: str) -> tuple[str, int]:
    address, _, port = spelling.partition(":")
    return _address(address), int(port, 16)


def _address(spelling: str) -> str:
    if len(spelling) == 8:
        return ".".join(map(str, bytes.fromhex(spelling)[::-1]))
    if len(spelling) != 32:
        raise NotUnderstoodError(f"address {spelling[:100]}")
    words = (bytes.fromhex(spelling[at : at + 8])[::-1] for at in range(0, 32, 8))
    address = IPv6Address(b"".join(words))
    return str(address.ipv4_mapped or address)
