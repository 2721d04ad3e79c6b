"""Envoy's configuration for the lab: a cluster's own, with this machine's addresses in it."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from msgspec import Struct

__all__ = ["Address", "Json", "Proxy", "listener_names", "on_loopback"]

Json = dict[str, Any]
Address = tuple[str, int]
"""An IPv4 address and a port."""


class Proxy(Struct, frozen=True, kw_only=True):
    """The Envoys that a lab puts before its servers."""

    binary: str
    """Path of Envoy's program."""
    config: Json
    """The configuration as a cluster has it. The listener `grpc` takes the calls, `status` tells readiness; the
    cluster `servers` leads to the servers, `service` to the Service, `admin` to Envoy itself."""
    replicas: int
    concurrency: int
    """Worker threads of each Envoy."""


def listener_names(config: Json) -> list[str]:
    """Give the name of every listener, the admin interface's aside."""
    return [listener["name"] for listener in config["static_resources"]["listeners"]]


def on_loopback(
    config: Json, *, admin: Address, listeners: Mapping[str, Address], clusters: Mapping[str, Iterable[Address]]
) -> Json:
    """Give the configuration with these addresses: listeners and clusters by name, addresses in place of DNS.

    Nothing else differs but the socket options, whose numbers are Linux's, and what is given stays as it is. Raises
    KeyError for a listener or a cluster that has no address.
    """
    here = deepcopy(config)
    here["admin"]["address"] = _address(admin)
    for listener in here["static_resources"]["listeners"]:
        listener["address"] = _address(listeners[listener["name"]])
    for cluster in here["static_resources"]["clusters"]:
        cluster.pop("cluster_type", None)
        cluster.pop("upstream_bind_config", None)
        cluster["type"] = "STATIC"
        endpoints = [{"endpoint": {"address": _address(each)}} for each in clusters[cluster["name"]]]
        cluster["load_assignment"]["endpoints"] = [{"lb_endpoints": endpoints}]
    return here


def _address(address: Address) -> Json:
    host, port = address
    return {"socket_address": {"address": host, "port_value": port}}
