"""The pages of Envoy's admin interface that are read, and what they say (Envoy's documentation, operations/admin).

`rq_total` of a host counts the requests that were sent to it since Envoy knows it, retries among them and health
checks not; numbers may be JSON strings, and one that is absent is 0.
"""

import re
from collections.abc import Collection
from typing import TypeVar

import msgspec
from msgspec import Struct, structs

from kubectl_grpclb.model.addresses import canonical
from kubectl_grpclb.model.errors import BadSnapshotError
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Answer, Output, Refused

__all__ = [
    "CONNECTIONS_PAGE",
    "HOSTS_PAGE",
    "SERVERS",
    "HostSeen",
    "Hosts",
    "all_connections",
    "client_connections",
    "hosts_of",
    "only_hosts",
    "requests_by_host",
]

HOSTS_PAGE = "/clusters?format=json"
CONNECTIONS_PAGE = "/stats?format=json&filter=downstream_cx_active"

SERVERS = "servers"
"""The cluster in the configuration of an Envoy of ours that is the gRPC servers."""
_CLIENTS = "http.grpc.downstream_cx_active"
"""Connections of clients to the listener that takes gRPC."""
_PASSED_THROUGH = re.compile(r"listener\.tcp-\d+\.downstream_cx_active")
"""Connections of clients to a listener of another port, whose `stat_prefix` names it so."""

Page = TypeVar("Page")

Hosts = dict[tuple[str, int], int]
"""Requests since Envoy knows the host, by its address in canonical form and its port."""


class _SocketAddress(Struct, frozen=True, omit_defaults=True):
    address: str = ""
    port_value: int = 0


class _Address(Struct, frozen=True, omit_defaults=True):
    socket_address: _SocketAddress = _SocketAddress()


class _Stat(Struct, frozen=True, omit_defaults=True):
    """A histogram has no name, and a counter that is 0 may have no value."""

    name: str = ""
    value: int | str | None = None


class _Health(Struct, frozen=True, omit_defaults=True):
    """Of the flags only those that keep a host from being chosen (admin.v3.HostHealthStatus)."""

    eds_health_status: str = ""
    failed_active_health_check: bool = False
    failed_outlier_check: bool = False
    pending_active_hc: bool = False
    pending_dynamic_removal: bool = False


class _Host(Struct, frozen=True, omit_defaults=True):
    address: _Address = _Address()
    stats: tuple[_Stat, ...] = ()
    health_status: _Health = _Health()


class _Cluster(Struct, frozen=True, omit_defaults=True):
    name: str = ""
    host_statuses: tuple[_Host, ...] = ()


class _Clusters(Struct, frozen=True, omit_defaults=True):
    cluster_statuses: tuple[_Cluster, ...] = ()


class _Stats(Struct, frozen=True):
    stats: tuple[_Stat, ...]


class HostSeen(Struct, frozen=True):
    """A host of one of Envoy's clusters. A host of two clusters is there twice, each with counters of its own."""

    cluster: str
    address: str
    """In canonical form; empty where it is no IP socket."""
    port: int
    requests: int
    """`rq_total`: since Envoy knows the host."""
    active_requests: int
    """`rq_active`: sent, and not answered to the end."""
    connections: int
    """`cx_active`."""
    opened: int
    """`cx_total`: connections since Envoy knows the host."""
    healthy: bool
    """Envoy may choose it: no check failed or is awaited, and discovery neither calls it unfit nor lacks it."""


def hosts_of(answer: Answer) -> tuple[HostSeen, ...] | Gap:
    """Read HOSTS_PAGE: every host of every cluster; one whose counters are no numbers is left out."""
    page = _page(answer, _Clusters)
    if isinstance(page, Gap):
        return page
    seen = (_seen(cluster.name, host) for cluster in page.cluster_statuses for host in cluster.host_statuses)
    return tuple(each for each in seen if each is not None)


def requests_by_host(answer: Answer) -> Hosts | Gap:
    """Read HOSTS_PAGE: every server that an Envoy of ours knows, with the requests that it sent there."""
    hosts = hosts_of(answer)
    if isinstance(hosts, Gap):
        return hosts
    return {(each.address, each.port): each.requests for each in hosts if each.cluster == SERVERS}


def only_hosts(body: bytes, addresses: Collection[str]) -> bytes | Gap:
    """Cut HOSTS_PAGE down to the hosts with these addresses, so that nothing else of a proxy is kept."""
    page = _decoded(body, _Clusters)
    if isinstance(page, Gap):
        return page
    cut = (
        structs.replace(cluster, host_statuses=tuple(host for host in cluster.host_statuses if _is_at(host, addresses)))
        for cluster in page.cluster_statuses
    )
    return msgspec.json.encode(_Clusters(tuple(cluster for cluster in cut if cluster.host_statuses)))


def _is_at(host: _Host, addresses: Collection[str]) -> bool:
    return canonical(host.address.socket_address.address) in addresses


def _seen(cluster: str, host: _Host) -> HostSeen | None:
    where, stats = host.address.socket_address, {stat.name: stat.value or 0 for stat in host.stats}
    counts = [_number(stats.get(name, 0)) for name in ("rq_total", "rq_active", "cx_active", "cx_total")]
    requests, active, connections, opened = counts
    if requests is None or active is None or connections is None or opened is None:
        return None
    return HostSeen(
        cluster=cluster,
        address=canonical(where.address),
        port=where.port_value,
        requests=requests,
        active_requests=active,
        connections=connections,
        opened=opened,
        healthy=_is_healthy(host.health_status),
    )


_FIT = frozenset({"", "UNKNOWN", "HEALTHY", "DEGRADED"})
"""What discovery may say of a host that Envoy sends to (core.v3.HealthStatus)."""


def _is_healthy(health: _Health) -> bool:
    unfit = (
        health.failed_active_health_check,
        health.failed_outlier_check,
        health.pending_active_hc,
        health.pending_dynamic_removal,
    )
    return health.eds_health_status in _FIT and not any(unfit)


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
        body = answer.stdout.raw()
    except BadSnapshotError as error:
        return Gap(GapReason.GARBLED, str(error))
    return _decoded(body, kind)


def _decoded(body: bytes, kind: type[Page]) -> Page | Gap:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Gap(GapReason.GARBLED, f"what Envoy answered is not the page that was asked for: {error}")


def _number(value: int | str) -> int | None:
    """Read a counter of at least 0; uint64 are strings in JSON (protobuf's JSON mapping)."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) <= 20 else None
    return value if value >= 0 else None
