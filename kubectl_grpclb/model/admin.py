"""The pages of Envoy's admin interface that are read, and what they say (Envoy's documentation, operations/admin).

`rq_total` of a host counts the requests that were sent to it since Envoy knows it, retries among them and health
checks not; numbers may be JSON strings, and one that is absent is 0.
"""

import re
from typing import TypeVar

import msgspec
from msgspec import Struct

from kubectl_grpclb.model.addresses import canonical
from kubectl_grpclb.model.errors import BadSnapshotError
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Answer, Output, Refused

__all__ = ["CONNECTIONS_PAGE", "HOSTS_PAGE", "Hosts", "all_connections", "client_connections", "requests_by_host"]

HOSTS_PAGE = "/clusters?format=json"
CONNECTIONS_PAGE = "/stats?format=json&filter=downstream_cx_active"

_SERVERS = "servers"
"""The cluster in Envoy's configuration that is the gRPC servers."""
_CLIENTS = "http.grpc.downstream_cx_active"
"""Connections of clients to the listener that takes gRPC."""
_PASSED_THROUGH = re.compile(r"listener\.tcp-\d+\.downstream_cx_active")
"""Connections of clients to a listener of another port, whose `stat_prefix` names it so."""

Page = TypeVar("Page")

Hosts = dict[tuple[str, int], int]
"""Requests since Envoy knows the host, by its address in canonical form and its port."""


class _SocketAddress(Struct, frozen=True):
    address: str = ""
    port_value: int = 0


class _Address(Struct, frozen=True):
    socket_address: _SocketAddress = _SocketAddress()


class _Stat(Struct, frozen=True):
    """A histogram has no name, and a counter that is 0 may have no value."""

    name: str = ""
    value: int | str | None = None


class _Host(Struct, frozen=True):
    address: _Address = _Address()
    stats: tuple[_Stat, ...] = ()


class _Cluster(Struct, frozen=True):
    name: str = ""
    host_statuses: tuple[_Host, ...] = ()


class _Clusters(Struct, frozen=True):
    cluster_statuses: tuple[_Cluster, ...] = ()


class _Stats(Struct, frozen=True):
    stats: tuple[_Stat, ...]


def requests_by_host(answer: Answer) -> Hosts | Gap:
    """Read HOSTS_PAGE: every server that Envoy knows, with the requests that it sent there."""
    page = _page(answer, _Clusters)
    if isinstance(page, Gap):
        return page
    hosts: Hosts = {}
    for host in (
        host for cluster in page.cluster_statuses if cluster.name == _SERVERS for host in cluster.host_statuses
    ):
        where = host.address.socket_address
        total = _number(next((stat.value or 0 for stat in host.stats if stat.name == "rq_total"), 0))
        if total is not None:
            hosts[canonical(where.address), where.port_value] = total
    return hosts


def client_connections(answer: Answer) -> int | Gap:
    """Read CONNECTIONS_PAGE: how many clients' connections for gRPC are open."""
    stats = _page(answer, _Stats)
    return stats if isinstance(stats, Gap) else _grpc_connections(stats)


def all_connections(answer: Answer) -> int | Gap:
    """Read CONNECTIONS_PAGE: how many clients' connections are open, those to the Service's other ports among them."""
    stats = _page(answer, _Stats)
    if isinstance(stats, Gap):
        return stats
    others = (_number(stat.value or 0) or 0 for stat in stats.stats if _PASSED_THROUGH.fullmatch(stat.name))
    grpc = _grpc_connections(stats)
    return grpc if isinstance(grpc, Gap) else grpc + sum(others)


def _grpc_connections(stats: _Stats) -> int | Gap:
    value = next((stat.value for stat in stats.stats if stat.name == _CLIENTS), None)
    number = None if value is None else _number(value)
    return Gap(GapReason.GARBLED, f"Envoy has no counter {_CLIENTS}") if number is None else number


def _page(answer: Answer, kind: type[Page]) -> Page | Gap:
    if isinstance(answer, Refused):
        return Gap(answer.reason, answer.message)
    if not isinstance(answer, Output):
        return Gap(GapReason.GARBLED, "Envoy was not asked for a page")
    if answer.gap is not None:
        return Gap(answer.gap, answer.detail)
    if answer.exit_code:
        return Gap(GapReason.DIED, f"Envoy answered with HTTP status {answer.exit_code}")
    try:
        return msgspec.json.decode(answer.stdout.raw(), type=kind)
    except (msgspec.DecodeError, BadSnapshotError, UnicodeDecodeError, RecursionError) as error:
        return Gap(GapReason.GARBLED, f"what Envoy answered is not the page that was asked for: {error}")


def _number(value: int | str) -> int | None:
    """Read a counter of at least 0; uint64 are strings in JSON (protobuf's JSON mapping)."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) <= 20 else None
    return value if value >= 0 else None
