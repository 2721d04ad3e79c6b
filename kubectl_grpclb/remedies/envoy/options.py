"""What a user may choose of the Envoy bundle, and what the Service needs of it."""

from typing import Literal

from msgspec import Struct

from kubectl_grpclb.remedies.envoy.config import ENVOY_VERSION, Balancing

__all__ = ["DEFAULT_IMAGE", "Autoscaling", "EnvoyOptions", "Port"]

DEFAULT_IMAGE = f"docker.io/envoyproxy/envoy:distroless-v{ENVOY_VERSION}"
"""Pinned to the version that the configuration is checked with; `--envoy-image` names another place for it."""


class Autoscaling(Struct, frozen=True, forbid_unknown_fields=True):
    """An autoscaler for Envoy by CPU; `most` replicas at most."""

    most: int
    target_percent: int = 60


class EnvoyOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The user's choices; times are seconds.

    They come as data, from flags and from receipts: what there is not is an error, so that no choice does nothing.
    """

    image: str = DEFAULT_IMAGE
    replicas: int = 2
    balancing: Balancing = "round-robin"
    autoscaling: Autoscaling | None = None
    network_policy: bool = False
    access_log: Literal["errors", "all", "none"] = "errors"
    connection_age: float = 300.0
    concurrency: int = 2
    """Worker threads of each Envoy; each has connections of its own to every server."""
    cpu_request: str = "100m"
    memory_request: str = "128Mi"
    memory_limit: str = "512Mi"


class Port(Struct, frozen=True):
    """A port of the Service, resolved: `listen` is Envoy's, `target` the servers'; `grpc` tells which one it is."""

    name: str
    number: int
    target: int
    target_name: str | None
    """The name of the container port, where the Service refers to it by name."""
    listen: int
    grpc: bool
    app_protocol: str | None = None
