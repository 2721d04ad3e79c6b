"""Envoy's clusters: whom it sends to, how it finds them and spreads calls over them."""

from kubectl_grpclb.model.bundle import ADMIN_PORT, HEALTH_CHECK_SECONDS
from kubectl_grpclb.remedies.envoy._words import TCP_KEEPALIVE, TYPES, Json, assignment, extension, seconds
from kubectl_grpclb.remedies.envoy.upstream import Balancing, Forwarded, Upstream

__all__ = ["clusters"]

_BREAKERS = 1_000_000
"""Envoy's default of 1024 connections, requests and pending requests is a limit that users hit without noticing."""

_CONNECT = 0.25
"""Until DNS forgets a pod that is gone, a call to it waits so long before it goes to another. Within a cluster a
connection takes a few milliseconds."""

_RETRIES_AT_ONCE = 1000

_IPPROTO_TCP, _TCP_USER_TIMEOUT = 6, 18
"""Linux's numbers (linux/in.h, linux/tcp.h): Envoy names no such option. Its value is in milliseconds."""


def clusters(upstream: Upstream) -> list[Json]:
    """Give the servers, their other ports, the original Service, and what Envoy has to ask of itself."""
    return [
        _servers(upstream),
        *(_forwarded(upstream, each) for each in upstream.forwarded),
        _service(upstream),
        _static("admin", "127.0.0.1", ADMIN_PORT),
        _static("drain", "127.0.0.1", upstream.drain_port),
    ]


def _servers(upstream: Upstream) -> Json:
    cluster = {
        **_discovered("servers", upstream, upstream.servers, upstream.target_port),
        "connect_timeout": seconds(_CONNECT),
        "upstream_connection_options": {"tcp_keepalive": TCP_KEEPALIVE},
        "upstream_bind_config": {"socket_options": [_user_timeout()]},
        "load_balancing_policy": {"policies": [{"typed_extension_config": _policy(upstream.balancing)}]},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{TYPES}.extensions.upstreams.http.v3.HttpProtocolOptions",
                # What comes by HTTP/1.1 goes on by it, as without Envoy: a server may take gRPC-Web or REST on
                # this port only so. gRPC comes by HTTP/2, and gets no pings: grpc-go ends a connection that pings more
                # often than every 5 minutes. TCP's own probes ask the server's machine, and count for nothing there.
                "use_downstream_protocol_config": {"http_protocol_options": {}, "http2_protocol_options": {}},
            }
        },
        "circuit_breakers": _breakers(),
        "outlier_detection": {
            "split_external_local_origin_errors": True,
            "consecutive_local_origin_failure": 3,
            "enforcing_consecutive_local_origin_failure": 100,
            # What the application says is an answer, and puts no server out of use. Envoy takes a call's status for one
            # of HTTP, DEADLINE_EXCEEDED for 504 and UNAVAILABLE for 503: failures of a gateway, though it may be the
            # database that is slow (Envoy's source/common/grpc/status.cc; router.cc, onUpstreamHeaders).
            "enforcing_consecutive_gateway_failure": 0,
            "enforcing_consecutive_5xx": 0,
            "enforcing_success_rate": 0,
            "enforcing_local_origin_success_rate": 0,
            "interval": seconds(5),
            "base_ejection_time": seconds(10),
            "max_ejection_percent": 50,
        },
    }
    if upstream.health_checked:
        cluster |= {"health_checks": [_health_check()], "ignore_health_on_host_removal": True}
    return cluster


def _user_timeout() -> Json:
    """Give up a connection on which nothing is acknowledged.

    Keepalive asks only where nothing is under way. What was sent is sent again and again for a quarter of an hour
    (tcp_retries2 in tcp(7)), while its calls wait. gRPC itself sets it beside its keepalive (grpc/proposal A18).
    """
    return {"description": "TCP_USER_TIMEOUT", "level": _IPPROTO_TCP, "name": _TCP_USER_TIMEOUT, "int_value": 30_000}


def _health_check() -> Json:
    return {
        "grpc_health_check": {},
        "timeout": seconds(2),
        "interval": seconds(HEALTH_CHECK_SECONDS),
        "no_traffic_interval": seconds(HEALTH_CHECK_SECONDS),
        "initial_jitter": seconds(1),
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
    }


def _breakers() -> Json:
    limits = {
        "max_connections": _BREAKERS,
        "max_pending_requests": _BREAKERS,
        "max_requests": _BREAKERS,
        "max_retries": _RETRIES_AT_ONCE,
        "track_remaining": True,
    }
    return {"thresholds": [{"priority": priority, **limits} for priority in ("DEFAULT", "HIGH")]}


def _policy(balancing: Balancing) -> Json:
    if balancing == "least-request":
        return extension(
            "envoy.load_balancing_policies.least_request",
            "extensions.load_balancing_policies.least_request.v3.LeastRequest",
            # Of two hosts chosen at random the busier one is picked a quarter of the time.
            selection_method="FULL_SCAN",
        )
    return extension(
        "envoy.load_balancing_policies.round_robin", "extensions.load_balancing_policies.round_robin.v3.RoundRobin"
    )


def _discovered(name: str, upstream: Upstream, host: str, port: int) -> Json:
    """Each address that DNS gives is a host, and one that it gives no more is drained."""
    return {
        "name": name,
        "cluster_type": {
            "name": "envoy.clusters.dns",
            "typed_config": {
                "@type": f"{TYPES}.extensions.clusters.dns.v3.DnsCluster",
                "dns_refresh_rate": seconds(upstream.refresh),
                "dns_jitter": seconds(upstream.refresh / 5),
                "dns_failure_refresh_rate": {"base_interval": seconds(1), "max_interval": seconds(5)},
                "respect_dns_ttl": False,
                "dns_lookup_family": upstream.family,
                "typed_dns_resolver_config": extension(
                    "envoy.network.dns_resolver.cares",
                    "extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
                ),
            },
        },
        "load_assignment": assignment(name, host, port),
    }


def _service(upstream: Upstream) -> Json:
    """Lead to the original Service, for the proof that a call through it comes back."""
    cluster = _discovered("service", upstream, upstream.service, upstream.service_port)
    cluster["cluster_type"]["typed_config"] |= {"dns_refresh_rate": seconds(5), "dns_jitter": seconds(1)}
    return {**cluster, "connect_timeout": seconds(2)}


def _forwarded(upstream: Upstream, port: Forwarded) -> Json:
    name = f"servers-{port.target}"
    return {
        **_discovered(name, upstream, upstream.servers, port.target),
        "connect_timeout": seconds(1),
        "upstream_connection_options": {"tcp_keepalive": TCP_KEEPALIVE},
        "circuit_breakers": _breakers(),
    }


def _static(name: str, host: str, port: int) -> Json:
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": seconds(1),
        "load_assignment": assignment(name, host, port),
    }
