"""How ss and netstat spell the ends of a socket: `address:port`, the address with or without brackets and zone."""

from ipaddress import IPv6Address, ip_address

from kubectl_grpclb.probes._listing import NotUnderstoodError, Pair, port_of

__all__ = ["end_of", "pair_of"]


def pair_of(spelling: str) -> Pair:
    """Read `local:port peer`. Raises NotUnderstoodError."""
    local, _, peer = spelling.partition(" ")
    return end_of(local)[0], _address(peer)


def end_of(spelling: str) -> tuple[str, int]:
    """Read `address:port`; every address, `*`, stays as it is. Raises NotUnderstoodError."""
    address, _, port = spelling.rpartition(":")
    return _address(address), port_of(port)


def _address(spelling: str) -> str:
    bare = spelling.partition("%")[0].removeprefix("[").removesuffix("]")
    if bare == "*":
        return bare
    try:
        address = ip_address(bare)
    except ValueError as error:
        raise NotUnderstoodError(f"address {spelling[:100]}") from error
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
