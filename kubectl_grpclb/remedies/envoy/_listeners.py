"""Envoy's listeners: gRPC and the other ports for clients, status for the kubelet, proof and drain for ourselves."""

from kubectl_grpclb.remedies.envoy._words import TCP_KEEPALIVE, Json, address, extension, http_manager, router, seconds
from kubectl_grpclb.remedies.envoy.drain import drain_listener
from kubectl_grpclb.remedies.envoy.upstream import Forwarded, Upstream

__all__ = ["listeners"]

_DAY = 86400.0

_STREAMS = 2**31 - 1
"""Streams allowed on a client's connection: as many as the servers would (grpc-go's default is no limit)."""


def listeners(upstream: Upstream) -> list[Json]:
    """Give all of them; those for clients come first."""
    return [
        _grpc_listener(upstream),
        *(_tcp_listener(upstream, each) for each in upstream.forwarded),
        _status_listener(upstream),
        _proof_listener(upstream),
        drain_listener(
            _all(upstream, upstream.drain_port), upstream.drain_path, upstream.drain_seconds, upstream.drain_limit
        ),
    ]


def _grpc_listener(upstream: Upstream) -> Json:
    manager = {
        "stat_prefix": "grpc",
        "codec_type": "AUTO",
        "use_remote_address": True,
        "server_header_transformation": "PASS_THROUGH",
        "generate_request_id": False,
        "stream_idle_timeout": seconds(0),
        "drain_timeout": seconds(5),
        "common_http_protocol_options": {**_ageing(upstream.connection_age), "idle_timeout": seconds(3600)},
        "http2_protocol_options": {
            "max_concurrent_streams": _STREAMS,
            "override_stream_error_on_invalid_http_message": True,
            # A client whose node died is found out, and its streams end. Every client has to answer a PING (RFC 9113
            # §6.7), and none counts them: only gRPC's servers do. grpc-go's servers give 20 s for the answer, too.
            "connection_keepalive": {"interval": seconds(60), "timeout": seconds(20)},
        },
        "access_log": _access_log(upstream.access_log),
        "http_filters": [
            extension(
                "envoy.filters.http.grpc_stats",
                "extensions.filters.http.grpc_stats.v3.FilterConfig",
                stats_for_all_methods=False,
            ),
            router(),
        ],
        "route_config": {
            "name": "grpc",
            "virtual_hosts": [{"name": "servers", "domains": ["*"], "routes": [_route()]}],
        },
    }
    return {
        "name": "grpc",
        "address": _all(upstream, upstream.listen_port),
        "tcp_keepalive": TCP_KEEPALIVE,  # for what is not HTTP/2
        "connection_balance_config": {"exact_balance": {}},
        "filter_chains": [{"filters": [http_manager(manager)]}],
    }


def _ageing(age: float) -> Json:
    """Without an age connections live for ever; of 0 seconds, none would live at all."""
    if not age:
        return {}
    return {"max_connection_duration": seconds(age), "max_connection_duration_jitter": {"value": 10}}


def _route() -> Json:
    """Every call goes to the servers: deadlines are the caller's, and a call that no server began goes to another.

    The retries are those that cannot repeat work: the connection failed, the server refused the stream, or it
    closed before anything was sent.
    """
    return {
        "match": {"prefix": "/"},
        "route": {
            "cluster": "servers",
            "timeout": seconds(0),
            "max_stream_duration": {"grpc_timeout_header_max": seconds(0)},
            "retry_policy": {
                "retry_on": "connect-failure,refused-stream,reset-before-request",
                "num_retries": 5,
                "retry_host_predicate": [
                    extension(
                        "envoy.retry_host_predicates.previous_hosts",
                        "extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
                    )
                ],
                "host_selection_retry_max_attempts": 10,
                "retry_back_off": {"base_interval": "0.005s", "max_interval": "0.050s"},
            },
        },
    }


def _tcp_listener(upstream: Upstream, port: Forwarded) -> Json:
    return {
        "name": f"tcp-{port.listen}",
        "stat_prefix": f"tcp-{port.listen}",  # rollback counts its connections by that name
        "address": _all(upstream, port.listen),
        "tcp_keepalive": TCP_KEEPALIVE,
        "filter_chains": [{"filters": [_tcp(f"servers-{port.target}", idle=_DAY)]}],
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
        "http_filters": [router()],
    }
    return {
        "name": "status",
        "address": _all(upstream, upstream.status_port),
        "ignore_global_conn_limit": True,
        "filter_chains": [{"filters": [http_manager(manager)]}],
    }


def _shown(path: str) -> Json:
    read = {"name": ":method", "string_match": {"exact": "GET"}}
    return {"match": {"path": path, "headers": [read]}, "route": {"cluster": "admin", "timeout": seconds(10)}}


def _proof_listener(upstream: Upstream) -> Json:
    return {
        "name": "proof",
        "address": address("127.0.0.1", upstream.proof_port),
        "filter_chains": [{"filters": [_tcp("service", idle=60)]}],
    }


def _access_log(which: str) -> list[Json]:
    log = extension(
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
    return extension(
        "envoy.filters.network.tcp_proxy",
        "extensions.filters.network.tcp_proxy.v3.TcpProxy",
        stat_prefix=cluster,
        cluster=cluster,
        idle_timeout=seconds(idle),
    )


def _all(upstream: Upstream, port: int) -> Json:
    """Give every address of the pod: `::` takes IPv4 too, but needs a kernel that has IPv6."""
    if upstream.family == "V4_ONLY":
        return address("0.0.0.0", port)  # noqa: S104 -- a pod's own addresses, as its Service needs
    return {"socket_address": {"address": "::", "port_value": port, "ipv4_compat": True}}
