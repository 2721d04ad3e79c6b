"""The environment's proxy for an address, as kubectl reads it.

The rules are those of Go's golang.org/x/net/http/httpproxy, which are not Python's: this machine is never asked for
through a proxy, NO_PROXY takes networks, and ALL_PROXY says nothing.
"""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from msgspec import Struct

__all__ = ["proxy_for", "variable_for"]

_PORTS = {"http": 80, "https": 443}
"""The port that is meant where an address has none."""


class _Target(Struct, frozen=True):
    """Where a request goes to: `host` in lower case, `address` where that is one."""

    host: str
    port: str
    address: IPv4Address | IPv6Address | None

    @property
    def is_here(self) -> bool:
        """Whether it is this machine."""
        return self.host == "localhost" or (self.address is not None and self.address.is_loopback)


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """Give the proxy's URL, None where the address is to be reached without one or is not http:// or https://.

    What comes back is as the variable has it, with http:// before it where it has no scheme.
    """
    target = _target(url)
    if target is None:
        return None
    proxy = _value(environ, variable_for(url))
    exceptions = _value(environ, "NO_PROXY").split(",")
    if not proxy or target.is_here or any(_matches(each.strip().lower(), target) for each in exceptions):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def variable_for(url: str) -> str:
    """Name the variable that holds the proxy for an address: HTTPS_PROXY."""
    return f"{urlsplit(url).scheme.upper()}_PROXY"


def _value(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.lower()) or ""


def _target(url: str) -> _Target | None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return _Target(host, str(port), _address(host)) if host else None


def _matches(exception: str, target: _Target) -> bool:
    """Tell whether one entry of NO_PROXY is about the target; one that is malformed is about none."""
    if exception == "*":
        return True
    if "/" in exception:
        return target.address is not None and _is_within(target.address, exception)
    host, port = _split(exception)
    if port not in {"", target.port}:
        return False
    address = _address(host)
    return address == target.address if address else _is_named(target.host, host)


def _is_within(address: IPv4Address | IPv6Address, network: str) -> bool:
    try:
        return address in ip_network(network, strict=False)
    except ValueError:
        return False


def _is_named(host: str, pattern: str) -> bool:
    """Tell whether the host is named by `foo.com` or below it; by `.foo.com` and `*.foo.com` it must be below."""
    suffix = pattern[1:] if pattern.startswith("*.") else pattern
    if suffix.startswith("."):
        return host.endswith(suffix)
    return bool(suffix) and (host == suffix or host.endswith(f".{suffix}"))


def _split(exception: str) -> tuple[str, str]:
    """Take `host:port` and `[IPv6]:port` apart; the colons of a bare IPv6 address are its own."""
    host, colon, port = exception.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        return host[1:-1], port
    return (host, port) if colon and ":" not in host else (exception, "")


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
