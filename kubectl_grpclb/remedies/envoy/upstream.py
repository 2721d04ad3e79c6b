"""Everything that one Envoy configuration depends on."""

from typing import Literal

from msgspec import Struct

__all__ = ["ENVOY_VERSION", "Balancing", "Family", "Forwarded", "Upstream"]

ENVOY_VERSION = "1.40.0"
"""The version that this configuration is written for, and the tag of the image that `fix` uses."""

Balancing = Literal["round-robin", "least-request"]
Family = Literal["V4_ONLY", "V6_ONLY", "V4_PREFERRED", "AUTO"]


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
    """How long an Envoy that ends still takes connections: until every node knows that it does."""
    drain_limit: float = 300.0
    """How long it waits at most for the calls that run."""
    refresh: float = 1.0
    """How often DNS is asked."""
    connection_age: float = 300.0
    """Clients are asked to connect again after this, and up to 10% more, so that they spread over the Envoys; never
    where it is 0."""
    access_log: Literal["errors", "all", "none"] = "errors"
