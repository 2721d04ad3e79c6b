"""What proxies between clients and servers told of themselves: others' Envoys, and those of a fix.

`model/facts.py` has the rest, and gives these as well.
"""

from msgspec import Struct

from kubectl_grpclb.model.gap import Gap

__all__ = ["Proxy", "ProxyHost", "TierPod"]


class ProxyHost(Struct, frozen=True):
    """Where a proxy may send calls to, and what it counts of that."""

    address: str
    port: int
    pod: str | None
    """The server's name; None where it is the Service's own address, or nobody's any more."""
    requests: int
    """Since the proxy knows the host."""
    active_requests: int
    connections: int
    """Open ones."""
    healthy: bool = True
    """The proxy may choose it now."""


class Proxy(Struct, frozen=True):
    """An Envoy of somebody else's that is among the clients, and whose admin interface answered."""

    name: str
    """Its pod's name."""
    owner: str | None
    hosts: tuple[ProxyHost, ...]
    """Those that are servers or the Service's own address; without a pod is the latter."""
    dials_service: bool
    """One of them is the Service's own address."""


class TierPod(Struct, frozen=True):
    """One proxy of a tier."""

    name: str
    ip: str
    addresses: tuple[str, ...]
    """Every address that it connects to servers from."""
    ready: bool
    node: str | None
    zone: str | None
    age: float | None
    """Seconds since the pod was created."""
    connections: int | Gap
    """Of clients, established when it was asked."""
    hosts: tuple[ProxyHost, ...] | Gap = ()
    """The servers that it knew when it was asked last."""
