"""The words that every part of Envoy's configuration is put together from."""

from typing import Any

__all__ = [
    "TCP_KEEPALIVE",
    "TYPES",
    "Json",
    "address",
    "assignment",
    "extension",
    "http_manager",
    "router",
    "seconds",
]

Json = dict[str, Any]

TYPES = "type.googleapis.com/envoy"

TCP_KEEPALIVE: Json = {"keepalive_time": 60, "keepalive_interval": 10, "keepalive_probes": 3}
"""A peer whose machine died without a word is found out 90 s after it was last heard. The kernel's own default is 2 h,
and only for sockets that ask for it (tcp(7))."""


def address(host: str, port: int) -> Json:
    """Give where something listens or is dialled."""
    return {"socket_address": {"address": host, "port_value": port}}


def assignment(name: str, host: str, port: int) -> Json:
    """Give a cluster's one place, a name or an address."""
    endpoint = {"endpoint": {"address": address(host, port)}}
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]}


def http_manager(fields: Json) -> Json:
    """Wrap the fields of an HTTP connection manager."""
    return extension(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        **fields,
    )


def router() -> Json:
    """Give the filter that every chain of HTTP filters ends with."""
    return extension("envoy.filters.http.router", "extensions.filters.http.router.v3.Router")


def extension(name: str, message: str, **fields: object) -> Json:
    """Name an extension with its typed configuration."""
    return {"name": name, "typed_config": {"@type": f"{TYPES}.{message}", **fields}}


def seconds(value: float) -> str:
    """Write a duration, in seconds, to the millisecond and without an exponent, which Envoy does not read."""
    return f"{value:.3f}".rstrip("0").rstrip(".") + "s"
