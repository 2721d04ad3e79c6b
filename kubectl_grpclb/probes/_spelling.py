"""How ss and netstat spell the ends of a socket: `address:port`, the address with or without brackets and zone."""

from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address

from kubectl_grpclb.probes._listing import NotUnderstoodError, port_of

__all__ = ["address_of", "addresses_of", "end_of"]


def end_of(spelling: str) -> tuple[str, int]:
    """Read `address:port`; every address, `*`, stays as it is. Raises NotUnderstoodError."""
    address, _, port = spelling.rpartition(":")
    return address_of(address), port_of(port)


def addresses_of(spellings: Sequence[str]) -> list[str]:
    """Read many addresses. Raises NotUnderstoodError."""
    return list(map(address_of, spellings))


def address_of(spelling: str) -> str:
    """Read an address, with or without brackets and zone. Raises NotUnderstoodError."""
    bare = spelling.partition("%")[0].removeprefix("[").removesuffix("]")
    if bare == "*":
        return bare
    try:
        address = ip_address(bare)
    except ValueError as error:
        raise NotUnderstoodError(f"address {spelling[:100]}") from error
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
