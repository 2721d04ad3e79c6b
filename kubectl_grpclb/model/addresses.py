"""IP addresses in one spelling, so that they compare equal wherever they were read."""

import ipaddress

__all__ = ["canonical", "is_loopback"]


def canonical(text: str) -> str:
    """Give an address in its short form, IPv4-mapped IPv6 as IPv4, without a zone; other text as it is."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return text
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def is_loopback(text: str) -> bool:
    """Tell whether the address never leaves its host; text that is no address does not count."""
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False
