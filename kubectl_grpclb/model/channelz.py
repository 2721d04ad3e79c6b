"""What grpc.channelz.v1 told, as far as it is kept (grpc/grpc-proto, grpc/channelz/v1/channelz.proto).

Ids are the process's own. Counters are as they were when the entity was asked for, since it came to be. Addresses
are `ip:port`, of IPv6 `[ip]:port`, and empty where channelz does not tell one.
"""

from msgspec import Struct

__all__ = ["ChannelSeen", "ChannelzLook", "ServerSeen", "SocketSeen"]


class _Kept(Struct, frozen=True, omit_defaults=True, rename="camel", gc=False):
    """Camel case in JSON; a field that holds its default is left out."""


class ServerSeen(_Kept, frozen=True):
    """A server: its calls, those to channelz itself among them."""

    id: int
    started: int = 0
    succeeded: int = 0
    failed: int = 0
    listens: tuple[str, ...] = ()
    """The local addresses of its listen sockets, as far as they were asked for."""


class SocketSeen(_Kept, frozen=True):
    """A connection: the streams on it, each of them a call, and the messages in them."""

    id: int
    local: str = ""
    remote: str = ""
    started: int = 0
    succeeded: int = 0
    failed: int = 0
    sent: int = 0
    """Messages."""
    received: int = 0
    """Messages."""
    last_stream: str = ""
    """When the last stream was begun, RFC 3339; of a server's socket by the client. Empty where none was."""
    last_received: str = ""
    """When the last message came, RFC 3339."""


class ChannelSeen(_Kept, frozen=True):
    """A client's channel or subchannel."""

    id: int
    target: str = ""
    state: str = ""
    """`READY`, `IDLE`, `CONNECTING`, `TRANSIENT_FAILURE`, `SHUTDOWN`, or empty."""
    started: int = 0
    succeeded: int = 0
    failed: int = 0
    channels: tuple[int, ...] = ()
    """Ids of the channels below it."""
    subchannels: tuple[int, ...] = ()
    """Ids of the subchannels below it; two channels that name the same one share its connection."""
    sockets: tuple[int, ...] = ()
    """Ids of its connections."""
    trace: tuple[str, ...] = ()
    """Descriptions of its last events, the newest last; the balancing policy is named there."""


class ChannelzLook(_Kept, frozen=True):
    """Everything that was asked for once."""

    at: float = 0.0
    """Seconds since the first look's servers, or channels, were read; of the second look, to its own."""
    servers: tuple[ServerSeen, ...] = ()
    sockets: tuple[SocketSeen, ...] = ()
    """Of the servers, or of the subchannels."""
    channels: tuple[ChannelSeen, ...] = ()
    """A client's top channels, and those below."""
    subchannels: tuple[ChannelSeen, ...] = ()
    own: int = 0
    """Calls that we had begun at that server before the answer that gave `servers`, and that one itself."""
    skipped: int = 0
    """Sockets, of a client also subchannels, that are there and were not asked for, because they are too many."""
