"""What the lab's processes say to each other: one JSON line each, over standard input and output."""

from typing import Any

from msgspec import Struct

__all__ = ["Dial", "Front", "Launch", "Message", "Placement", "Ready", "Tally"]


class Ready(Struct, frozen=True, tag="ready"):
    """A server, the balancer or an Envoy takes connections; `ports` are those of the balancer's fronts, in order."""

    ports: tuple[int, ...] = ()


class Tally(Struct, frozen=True, tag="tally"):
    """What a client has counted since it began."""

    answers: dict[str, int]
    """Requests answered, by the name of the server that answered."""
    failed: int


Message = Ready | Tally
"""What a process tells the lab."""


class Front(Struct, frozen=True):
    """One port on the clients' addresses; connections to it go on to one of the backends."""

    sources: tuple[str, ...]
    """Where to listen, and which address a connection keeps on its way to the backend."""
    backends: tuple[str, ...]
    """Addresses of servers."""


class Placement(Struct, frozen=True):
    """What the balancer is told when it starts."""

    fronts: tuple[Front, ...]
    target_port: int
    """The port of all backends."""
    seed: int | None
    """Makes the choice of backends repeatable."""


class Dial(Struct, frozen=True):
    """What a client is told once the servers answer: the gRPC target to open its channel to."""

    target: str


class Launch(Struct, frozen=True):
    """What Envoy is started with, and where it says that it is ready."""

    binary: str
    config: dict[str, Any]
    concurrency: int
    host: str
    status_port: int
