"""Envoy's configuration: balances the requests of one gRPC Service over the addresses of a DNS name.

Field names and meanings are those of Envoy's v3 API; what is pinned here is checked by the real Envoy of
`ENVOY_VERSION` (`--mode validate`) in the tests. Times are seconds.
"""

from kubectl_grpclb.model.bundle import ADMIN_PORT
from kubectl_grpclb.model.yaml_text import yaml_text
from kubectl_grpclb.remedies.envoy._clusters import clusters
from kubectl_grpclb.remedies.envoy._listeners import listeners
from kubectl_grpclb.remedies.envoy._words import Json, address, extension
from kubectl_grpclb.remedies.envoy.upstream import ENVOY_VERSION, Balancing, Family, Forwarded, Upstream

__all__ = ["ENVOY_VERSION", "Balancing", "Family", "Forwarded", "Upstream", "bootstrap", "config_text"]

_CLIENTS = 10_000
"""Connections of clients that one Envoy takes, so that it refuses more before its memory limit ends it: Envoy Gateway
reckons with 2 GB for 50,000, and the limit is a quarter of that."""


def bootstrap(upstream: Upstream) -> Json:
    """Give the whole configuration, as JSON data."""
    return {
        "admin": {"address": address("127.0.0.1", ADMIN_PORT)},
        "overload_manager": {"resource_monitors": [_connection_limit()]},
        "static_resources": {"listeners": listeners(upstream), "clusters": clusters(upstream)},
    }


def config_text(upstream: Upstream) -> str:
    """Give it as the file that Envoy reads."""
    return yaml_text(bootstrap(upstream))


def _connection_limit() -> Json:
    return extension(
        "envoy.resource_monitors.global_downstream_max_connections",
        "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
        max_active_downstream_connections=_CLIENTS,
    )
