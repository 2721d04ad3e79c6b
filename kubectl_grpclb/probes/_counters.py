"""The counters of gRPC calls that libraries and meshes offer to Prometheus: a table, one row a counter.

To support another library add a row: to the end of its part, unless what it counts says more than what is there.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

__all__ = ["INTERNAL", "LIBRARIES", "SIDECARS", "WANTED", "Row", "is_internal", "is_streaming"]

Counts = Literal["starts", "ends", "messages"]
"""`ends` shows nothing of a stream that lasts; `messages` counts a stream as often as it carried one."""


class Row(Struct, frozen=True):
    """One counter, by the name that it has in the exposition."""

    metric: str
    counts: Counts
    service: str = ""
    """The label that names the gRPC service, or begins with it."""
    kind: str = ""
    """The label that says unary or streaming."""
    ended: str = ""
    """The counter of ends with the same labels, so that what began and has not ended is open."""
    received: str = ""
    """The counter of messages received, with the same labels."""
    only: tuple[tuple[str, str], ...] = ()
    """Labels that must be there and begin so."""
    address: str = ""
    """The label that ends with the port that was called; other ports' samples are left out."""


_CLASSIC = ("grpc_service", "grpc_type")
_MICROMETER = ("service", "methodType")
_OLD_OTEL = (("rpc_system", "grpc"),)
_NEW_OTEL = (("rpc_system_name", "grpc"),)

LIBRARIES: tuple[Row, ...] = (
    # Go: go-grpc-middleware providers/prometheus/server_metrics.go, with the older go-grpc-prometheus's names; Python:
    # py-grpc-prometheus server_metrics.py; Java: java-grpc-prometheus; Rust: tonic_prometheus_layer; Node.js:
    # nice-grpc-prometheus; .NET: csharp-grpc-prometheus.
    Row(
        "grpc_server_started_total",
        "starts",
        *_CLASSIC,
        ended="grpc_server_handled_total",
        received="grpc_server_msg_received_total",
    ),
    # OpenTelemetry in gRPC itself (C++, Go, Java, Python): gRFC A66.
    Row("grpc_server_call_started_total", "starts", "grpc_method"),
    # .NET: prometheus-net.AspNetCore.Grpc GrpcRequestCountMiddleware.cs, "including those currently being processed".
    Row("grpc_requests_received_total", "starts", "service"),
    # Node.js: grpc-prometheus has the ends only.
    Row("grpc_server_handled_total", "ends", *_CLASSIC, received="grpc_server_msg_received_total"),
    # Spring Boot, Quarkus: Micrometer MetricCollectingServerInterceptor.java.
    Row(
        "grpc_server_processing_duration_seconds_count",
        "ends",
        *_MICROMETER,
        received="grpc_server_requests_received_messages_total",
    ),
    Row("grpc_server_requests_received_messages_total", "messages", *_MICROMETER),
    Row("grpc_server_call_duration_seconds_count", "ends", "grpc_method"),
    # OpenTelemetry's instrumentations (otelgrpc, javaagent): semantic conventions rpc.server.call.duration, and
    # rpc.server.duration before 1.39; exporters differ in the unit.
    Row("rpc_server_call_duration_seconds_count", "ends", "rpc_method", only=_NEW_OTEL),
    Row("rpc_server_duration_milliseconds_count", "ends", "rpc_service", only=_OLD_OTEL),
    Row("rpc_server_duration_seconds_count", "ends", "rpc_service", only=_OLD_OTEL),
)
"""What the application counts itself; the first that counts something is taken, else the first that is there."""

SIDECARS: tuple[Row, ...] = (
    # Istio: istio.io/latest/docs/reference/config/metrics; the kubelet's probes are not told apart.
    Row("istio_requests_total", "ends", only=(("reporter", "destination"), ("request_protocol", "grpc"))),
    # Linkerd: linkerd.io/2/reference/proxy-metrics; HTTP and gRPC on the port are counted together.
    Row("request_total", "starts", only=(("direction", "inbound"),), address="target_addr"),
    # Envoy: http.<stat_prefix>.downstream_rq_total (config/http_conn_man/stats); Istio's prefix is inbound_IP_PORT,
    # Kuma's localhost_PORT.
    *(
        Row("envoy_http_downstream_rq_total", "starts", only=((_label, beginning),), address=_label)
        for _label in ("envoy_http_conn_manager_prefix",)
        for beginning in ("inbound_", "localhost_")
    ),
)
"""What a mesh's proxy counts before the application; asked last."""

INTERNAL = ("grpc.health.", "grpc.reflection.", "grpc.channelz.", "grpc.admin.", "envoy.service.status.")
"""Beginnings of the services that a server offers about itself."""


def is_internal(service: str) -> bool:
    """Tell whether a service, or a method with its service, is no application's."""
    return service.removeprefix("/").startswith(INTERNAL)


def is_streaming(kind: str) -> bool:
    """Tell by the name of a call's type: `bidi_stream` (Go), `BIDI_STREAMING` (Java, Python)."""
    return "stream" in kind.lower()


def _wanted(rows: Sequence[Row]) -> tuple[str, ...]:
    metrics = {name: None for row in rows for name in (row.metric, row.ended, row.received) if name}
    return tuple(beginning for name in metrics for beginning in (f"{name}{{", f"{name} ", f"# TYPE {name} "))


WANTED: tuple[str, ...] = _wanted((*LIBRARIES, *SIDECARS))
"""Beginnings of the lines of an exposition that are of use.

A TYPE line without samples tells that nothing was counted yet: Python's and .NET's libraries begin so.
"""
