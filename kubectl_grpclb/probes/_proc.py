"""The parse of /proc/net/tcp and /proc/net/tcp6, one after the other.

A line is `sl: local remote state queues …`, an address `hex:port` (tcp4_seq_show in net/ipv4/tcp_ipv4.c and
get_tcp6_sock in net/ipv6/tcp_ipv6.c of Linux). The kernel prints an address's 32-bit words as its own
processor holds them; little-endian is assumed, which holds for every architecture that Kubernetes is released
for but s390x.
"""

import re
from array import array
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from ipaddress import IPv6Address
from socket import inet_ntoa

from kubectl_grpclb.probes._listing import (
    PEER_SHIFT,
    Counters,
    Ends,
    Listing,
    NotUnderstoodError,
    Part,
    listening,
    rows,
)

__all__ = ["address_of_proc", "address_of_route", "addresses_of_proc", "parse_proc"]

_NOT_COUNTED: Counters = (None, None)
_HEADER = "local_address"
_IPV4_DIGITS = 8
_MAPPED = "0000000000000000FFFF0000"
"""What an IPv4 address begins with in /proc/net/tcp6."""


def parse_proc(part: Part, ports: AbstractSet[int], ends: Ends) -> Listing:
    """Read both files. Raises NotUnderstoodError where a line is not the kernel's."""
    if _HEADER not in part:
        raise NotUnderstoodError("no header")
    locals_, peers = ends.locals, ends.peers
    numbers: list[int] = []
    number = peers.setdefault
    listeners: set[str] = set()
    for block in rows(_line(ports), part):
        # Not `peers[peer]`: where most peers are new, a Python call for each would take a fifth of the time.
        numbers += [
            locals_[local] + number(peer, len(peers) << PEER_SHIFT) + int(port, 16)
            for local, peer, port, _ in block
            if local
        ]
        listeners |= {listener for _, _, _, listener in block}
    listeners.discard("")
    return Listing(dict.fromkeys(numbers, _NOT_COUNTED), listening(map(_end, listeners)))


def _line(ports: AbstractSet[int]) -> re.Pattern[str]:
    """Match any line; groups are the ends and the peer's port of a wanted connection, or a listener."""
    end = "[0-9A-F]+:[0-9A-F]{4}"
    wanted = "|".join(f"{number:04X}" for number in sorted(ports)) or "(?!)"
    return re.compile(
        rf"^ *[0-9]+: (?:([0-9A-F]+:(?:{wanted})) ([0-9A-F]+):([0-9A-F]{{4}}) 01"
        rf"|({end}) {end} 0A"
        rf"|{end} {end} [0-9A-F]{{2}}) [0-9A-F]+:.*\n"
        rf"|^ *sl +{_HEADER}.*\n"
        r"|^\n",
        re.MULTILINE,
    )


def _end(spelling: str) -> tuple[str, int]:
    address, _, port = spelling.partition(":")
    return address_of_proc(address), int(port, 16)


def addresses_of_proc(spellings: Sequence[str]) -> list[str]:
    """Read many: IPv4 in one piece, and what is not, one by one. Raises NotUnderstoodError."""
    bare = spellings
    if _lengths(bare) != {_IPV4_DIGITS}:
        bare = [each[24:] if each.startswith(_MAPPED) else each for each in spellings]
    if _lengths(bare) != {_IPV4_DIGITS}:
        return list(map(address_of_proc, spellings))
    words = array("I", bytes.fromhex("".join(bare)))
    words.byteswap()  # as `address_of_proc` does; the network's order is what inet_ntoa takes
    octets = words.tobytes()
    return [inet_ntoa(octets[at : at + 4]) for at in range(0, len(octets), 4)]


def _lengths(texts: Sequence[str]) -> set[int]:
    return set(map(len, texts))


def address_of_proc(spelling: str) -> str:
    """Read `098012C6` or the 32 digits of an IPv6 address. Raises NotUnderstoodError."""
    if len(spelling) == _IPV4_DIGITS:
        return inet_ntoa(int(spelling, 16).to_bytes(4, "little"))
    if len(spelling) != 32:
        raise NotUnderstoodError(f"address {spelling[:100]}")
    if spelling.startswith(_MAPPED):
        return address_of_proc(spelling[24:])
    words = (bytes.fromhex(spelling[at : at + 8])[::-1] for at in range(0, 32, 8))
    return str(IPv6Address(b"".join(words)))


def address_of_route(spelling: str) -> str:
    """Read a gateway of /proc/net/route, or of ipv6_route, which has its digits in the network's order."""
    if len(spelling) == _IPV4_DIGITS:
        return address_of_proc(spelling)
    return str(IPv6Address(bytes.fromhex(spelling)))
