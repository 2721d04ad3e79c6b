"""Envoy's configuration: balances the requests of one gRPC Service over the addresses of a DNS name.

Field names and meanings are those of Envoy's v3 API; what is pinned here is checked by the real Envoy of
`ENVOY_VERSION` (`--mode validate`) in the tests. Times are seconds.
"""

from typing import Any, Literal

from msgspec import Struct

from kubectl_grpclb.model.bundle import ADMIN_PORT
from kubectl_grpclb.remedies.envoy.drain import drain_listener

__all__ = [
    "ENVOY_VERSION",
    "Balancing",
    "Family",
    "Forwarded",
    "Upstream",
    "bootstrap",
]

ENVOY_VERSION = "1.40.0"
"""The version that this configuration is written for, and the tag of the image that `fix` uses."""

Balancing = Literal["round-robin", "least-request"]
Family = Literal["V4_ONLY", "V6_ONLY", "V4_PREFERRED", "AUTO"]
Json = dict[str, Any]

_TYPES = "type.googleapis.com/envoy"
_DAY = 86400.0

_BREAKERS = 1_000_000
"""Envoy's default of 1024 connections, requests and pending requests is a limit that users hit without noticing."""

_CONNECT = 0.25
"""Until DNS forgets a pod that is gone, a call to it waits so long before it goes to another. Within a cluster a
connection takes a few milliseconds."""

_CLIENTS = 50_000
"""Connections of clients that one Envoy takes; about 2 GB of memory (Envoy Gateway's limit, too)."""

_RETRIES_AT_ONCE = 1000
_STREAMS = 2**31 - 1
"""Streams allowed on a client's connection: as many as the servers would (grpc-go's default is no limit)."""


class Forwarded(Struct, frozen=True):
    """Another port of the Service, passed through as TCP: `listen` in the Envoy pod goes to `target`."""

    listen: int
    target: int


class Upstream(Struct, frozen=True, kw_only=True):
    """Everything that one configuration depends on."""

    servers: str
    """DNS name of the headless Service, fully qualified, with its trailing dot."""
    target_port: int
    """The servers' port, where Envoy listens too where it may."""
    listen_port: int
    service: str
    """DNS name of the original Service, fully qualified, with its trailing dot."""
    service_port: int
    """The port that clients dial there."""
    family: Family = "V4_ONLY"
    balancing: Balancing = "round-robin"
    health_checked: bool = False
    """Whether the servers answer grpc.health.v1 for the empty service name."""
    forwarded: tuple[Forwarded, ...] = ()
    drain_path: str
    """The unguessable path that begins a drain."""
    drain_port: int
    status_port: int
    proof_port: int
    """On loopback only: leads through the original Service, as clients get there."""
    drain_seconds: float = 15.0
    refresh: float = 1.0
    """How often DNS is asked."""
    connection_age: float = 300.0
    """Clients are asked to connect again after this, give or take 10%, so that they spread over the Envoys."""
    access_log: Literal["errors", "all", "none"] = "errors"


def bootstrap(upstream: Upstream) -> Json:
    """Give the whole configuration, as JSON data."""
    return {
        "admin": {"address": _address("127.0.0.1", ADMIN_PORT)},
        "overload_manager": {"resource_monitors": [_connection_limit()]},
        "static_resources": {
            "listeners": [
                _grpc_listener(upstream),
                *(_tcp_listener(upstream, each) for each in upstream.forwarded),
                _status_listener(upstream),
                _proof_listener(upstream),
                drain_listener(_all(upstream, upstream.drain_port), upstream.drain_path, upstream.drain_seconds),
            ],
            "clusters": [
                _servers(upstream),
                *(_forwarded(upstream, each) for each in upstream.forwarded),
                _service(upstream),
                _static("admin", "127.0.0.1", ADMIN_PORT),
            ],
        },
    }


def _connection_limit() -> Json:
    return _extension(
        "envoy.resource_monitors.global_downstream_max_connections",
        "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
        max_active_downstream_connections=_CLIENTS,
    )


def _grpc_listener(upstream: Upstream) -> Json:
    manager = {
        "stat_prefix": "grpc",
        "codec_type": "AUTO",
        "use_remote_address": True,
        "server_header_transformation": "PASS_THROUGH",
        "generate_request_id": False,
        "stream_idle_timeout": _seconds(0),
        "drain_timeout": _seconds(5),
        "common_http_protocol_options": {
            "max_connection_duration": _seconds(upstream.connection_age),
            "max_connection_duration_jitter": {"value": 10},
            "idle_timeout": _seconds(3600),
        },
        "http2_protocol_options": {
            "max_concurrent_streams": _STREAMS,
            "override_stream_error_on_invalid_http_message": True,
        },
        "access_log": _access_log(upstream.access_log),
        "http_filters": [
            _extension(
                "envoy.filters.http.grpc_stats",
                "extensions.filters.http.grpc_stats.v3.FilterConfig",
                stats_for_all_methods=False,
            ),
            _router(),
        ],
        "route_config": {
            "name": "grpc",
            "virtual_hosts": [{"name": "servers", "domains": ["*"], "routes": [_route()]}],
        },
    }
    return {
        "name": "grpc",
        "address": _all(upstream, upstream.listen_port),
        "connection_balance_config": {"exact_balance": {}},
        "filter_chains": [{"filters": [_manager(manager)]}],
    }


def _route() -> Json:
    """Every call goes to the servers: deadlines are the caller's, and a call that no server began goes to another.

    The retries are those that cannot repeat work: the connection failed, the server refused the stream, or it
    closed before anything was sent.
    """
    return {
        "match": {"prefix": "/"},
        "route": {
            "cluster": "servers",
            "timeout": _seconds(0),
            "max_stream_duration": {"grpc_timeout_header_max": _seconds(0)},
            "retry_policy": {
                "retry_on": "connect-failure,refused-stream,reset-before-request",
                "num_retries": 5,
                "retry_host_predicate": [
                    _extension(
                        "envoy.retry_host_predicates.previous_hosts",
                        "extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
                    )
                ],
                "host_selection_retry_max_attempts": 10,
                "retry_back_off": {"base_interval": "0.005s", "max_interval": "0.050s"},
            },
        },
    }


def _servers(upstream: Upstream) -> Json:
    cluster = {
        **_discovered("servers", upstream, upstream.servers, upstream.target_port),
        "connect_timeout": _seconds(_CONNECT),
        "load_balancing_policy": {"policies": [{"typed_extension_config": _policy(upstream.balancing)}]},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{_TYPES}.extensions.upstreams.http.v3.HttpProtocolOptions",
                # No keepalive pings: grpc-go ends a connection that pings more often than every 5 minutes.
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
        "circuit_breakers": {"thresholds": [_breakers(priority) for priority in ("DEFAULT", "HIGH")]},
        "outlier_detection": {
            "split_external_local_origin_errors": True,
            "consecutive_local_origin_failure": 3,
            "enforcing_consecutive_local_origin_failure": 100,
            "consecutive_gateway_failure": 5,
            "enforcing_consecutive_gateway_failure": 100,
            # An application's own errors (INTERNAL, UNKNOWN) are answers; they put no server out of use.
            "enforcing_consecutive_5xx": 0,
            "enforcing_success_rate": 0,
            "enforcing_local_origin_success_rate": 0,
            "interval": _seconds(5),
            "base_ejection_time": _seconds(10),
            "max_ejection_percent": 50,
        },
    }
    if upstream.health_checked:
        cluster |= {"health_checks": [_health_check()], "ignore_health_on_host_removal": True}
    return cluster


def _health_check() -> Json:
    return {
        "grpc_health_check": {},
        "timeout": _seconds(2),
        "interval": _seconds(5),
        "no_traffic_interval": _seconds(5),
        "initial_jitter": _seconds(1),
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
    }


def _breakers(priority: str) -> Json:
    return {
        "priority": priority,
        "max_connections": _BREAKERS,
        "max_pending_requests": _BREAKERS,
        "max_requests": _BREAKERS,
        "max_retries": _RETRIES_AT_ONCE,
        "track_remaining": True,
    }


def _policy(balancing: Balancing) -> Json:
    if balancing == "least-request":
        return _extension(
            "envoy.load_balancing_policies.least_request",
            "extensions.load_balancing_policies.least_request.v3.LeastRequest",
            # Of two hosts chosen at random the busier one is picked a quarter of the time.
            selection_method="FULL_SCAN",
        )
    return _extension(
        "envoy.load_balancing_policies.round_robin", "extensions.load_balancing_policies.round_robin.v3.RoundRobin"
    )


def _discovered(name: str, upstream: Upstream, host: str, port: int) -> Json:
    """Each address that DNS gives is a host, and one that it gives no more is drained."""
    return {
        "name": name,
        "cluster_type": {
            "name": "envoy.clusters.dns",
            "typed_config": {
                "@type": f"{_TYPES}.extensions.clusters.dns.v3.DnsCluster",
                "dns_refresh_rate": _seconds(upstream.refresh),
                "dns_jitter": _seconds(upstream.refresh / 5),
                "dns_failure_refresh_rate": {"base_interval": _seconds(1), "max_interval": _seconds(5)},
                "respect_dns_ttl": False,
                "dns_lookup_family": upstream.family,
                "typed_dns_resolver_config": _extension(
                    "envoy.network.dns_resolver.cares",
                    "extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
                ),
            },
        },
        "load_assignment": _assignment(name, host, port),
    }


def _service(upstream: Upstream) -> Json:
    """Lead to the original Service, for the proof that a call through it comes back."""
    cluster = _discovered("service", upstream, upstream.service, upstream.service_port)
    cluster["cluster_type"]["typed_config"] |= {"dns_refresh_rate": _seconds(30), "dns_jitter": _seconds(5)}
    return {**cluster, "connect_timeout": _seconds(2)}


def _forwarded(upstream: Upstream, port: Forwarded) -> Json:
    name = f"servers-{port.target}"
    return {**_discovered(name, upstream, upstream.servers, port.target), "connect_timeout": _seconds(1)}


def _tcp_listener(upstream: Upstream, port: Forwarded) -> Json:
    return {
        "name": f"tcp-{port.listen}",
        "address": _all(upstream, port.listen),
        "filter_chains": [{"filters": [_tcp(f"servers-{port.target}", idle=_DAY)]}],
    }


def _proof_listener(upstream: Upstream) -> Json:
    return {
        "name": "proof",
        "address": _address("127.0.0.1", upstream.proof_port),
        "filter_chains": [{"filters": [_tcp("service", idle=60)]}],
    }


def _status_listener(upstream: Upstream) -> Json:
    """Readiness and metrics where the kubelet and Prometheus reach them; the rest of the admin stays on loopback."""
    manager = {
        "stat_prefix": "status",
        "codec_type": "HTTP1",
        "route_config": {
            "name": "status",
            "virtual_hosts": [
                {
                    "name": "admin",
                    "domains": ["*"],
                    "routes": [_shown("/ready"), _shown("/stats/prometheus")],
                }
            ],
        },
        "http_filters": [_router()],
    }
    return {
        "name": "status",
        "address": _all(upstream, upstream.status_port),
        "ignore_global_conn_limit": True,
        "filter_chains": [{"filters": [_manager(manager)]}],
    }


def _shown(path: str) -> Json:
    read = {"name": ":method", "string_match": {"exact": "GET"}}
    return {"match": {"path": path, "headers": [read]}, "route": {"cluster": "admin", "timeout": _seconds(10)}}


def _access_log(which: str) -> list[Json]:
    log = _extension(
        "envoy.access_loggers.stdout",
        "extensions.access_loggers.stream.v3.StdoutAccessLog",
        log_format={
            "json_format": {
                "time": "%START_TIME%",
                "method": "%REQ(:PATH)%",
                "grpc_status": "%GRPC_STATUS%",
                "code": "%RESPONSE_CODE%",
                "flags": "%RESPONSE_FLAGS%",
                "details": "%RESPONSE_CODE_DETAILS%",
                "server": "%UPSTREAM_HOST%",
                "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
                "client": "%DOWNSTREAM_REMOTE_ADDRESS%",
                "duration_ms": "%DURATION%",
            }
        },
    )
    if which == "none":
        return []
    if which == "errors":
        log["filter"] = {"grpc_status_filter": {"statuses": ["OK"], "exclude": True}}
    return [log]


def _tcp(cluster: str, idle: float) -> Json:
    return _extension(
        "envoy.filters.network.tcp_proxy",
        "extensions.filters.network.tcp_proxy.v3.TcpProxy",
        stat_prefix=cluster,
        cluster=cluster,
        idle_timeout=_seconds(idle),
    )


def _static(name: str, host: str, port: int) -> Json:
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": _seconds(1),
        "load_assignment": _assignment(name, host, port),
    }


def _assignment(name: str, host: str, port: int) -> Json:
    endpoint = {"endpoint": {"address": _address(host, port)}}
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]}


def _address(host: str, port: int) -> Json:
    return {"socket_address": {"address": host, "port_value": port}}


def _all(upstream: Upstream, port: int) -> Json:
    """Give every address of the pod: `::` takes IPv4 too, but needs a kernel that has IPv6."""
    if upstream.family == "V4_ONLY":
        return _address("0.0.0.0", port)  # noqa: S104 -- a pod's own addresses, as its Service needs
    return {"socket_address": {"address": "::", "port_value": port, "ipv4_compat": True}}


def _manager(fields: Json) -> Json:
    return _extension(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        **fields,
    )


def _router() -> Json:
    return _extension("envoy.filters.http.router", "extensions.filters.http.router.v3.Router")


def _extension(name: str, message: str, **fields: object) -> Json:
    return {"name": name, "typed_config": {"@type": f"{_TYPES}.{message}", **fields}}


def _seconds(value: float) -> str:
    return f"{value:g}s"
