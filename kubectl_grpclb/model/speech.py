"""What a port answered when it was spoken to as a gRPC client speaks."""

from typing import Literal

from msgspec import Struct

__all__ = ["Heard"]


class Heard(Struct, frozen=True, kw_only=True):
    """One call's outcome."""

    protocol: Literal["grpc", "tls", "other"]
    """`grpc`: gRPC over HTTP/2 without TLS."""
    answered: bool = False
    """Whether an answer came at all, be it that the method is unknown."""
    through_envoy: bool = False
    """Whether the answer is a server's that came through an Envoy."""
    healthy: bool = False
    """Whether it was grpc.health.v1 saying SERVING."""
    status: str = ""
    """gRPC's status by name, as `OK` or `UNIMPLEMENTED`."""
    detail: str = ""
