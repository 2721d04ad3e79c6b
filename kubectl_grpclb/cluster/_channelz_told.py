"""What channelz says, as the model keeps it. A server's words are bounded, and nothing that it says is relied on."""

import ipaddress
import re
from collections.abc import Iterable

from google.protobuf.timestamp_pb2 import Timestamp
from grpc_channelz.v1 import channelz_pb2 as pb
from msgspec import Struct

from kubectl_grpclb.model.channelz import ChannelSeen, ServerSeen, SocketSeen
from kubectl_grpclb.model.text import printable

__all__ = ["Listen", "address", "channel", "kept", "listens", "server", "socket", "subchannel"]

TEXT_LIMIT = 300
"""Characters of a target, or of what a server says of an error."""

LISTENS = 16
"""Listen sockets of a server that are kept."""

EVENT_LIMIT = 200
"""Characters of an event's description."""

EVENTS = 10
"""Events of a trace that are kept, and at most as many older ones that name a balancing policy."""

REFS = 1000
"""Ids that are kept of what is below a channel."""

_POLICY = re.compile(r"\bLB policy|load.?balanc|\b(pick_first|round_robin|xds_\w+)", re.IGNORECASE)
"""How an event names a balancing policy; grpc-go says `switches to new LB policy "…"`, C-core `Created new …`."""

_NAME = re.compile(r"(?P<ip>\d+\.\d+\.\d+\.\d+|\[[0-9a-fA-F:.]+\]):(?P<port>\d{1,5})\Z")


class Listen(Struct, frozen=True):
    """A listen socket of a server, and its address where its name tells it."""

    id: int
    address: str


def server(told: pb.Server) -> ServerSeen:
    """Keep a server's counters."""
    data = told.data
    return ServerSeen(
        id=told.ref.server_id,
        started=_count(data.calls_started),
        succeeded=_count(data.calls_succeeded),
        failed=_count(data.calls_failed),
    )


def listens(told: pb.Server) -> tuple[Listen, ...]:
    """Keep a server's listen sockets; grpc-go has the address in their names (`[::]:50051`), C-core has not."""
    return tuple(Listen(ref.socket_id, _named(ref.name[:TEXT_LIMIT])) for ref in told.listen_socket[:LISTENS])


def socket(told: pb.Socket, *, of_client: bool) -> SocketSeen:
    """Keep a connection's two ends and its counters."""
    data = told.data
    began = data.last_local_stream_created_timestamp if of_client else data.last_remote_stream_created_timestamp
    return SocketSeen(
        id=told.ref.socket_id,
        local=address(told.local),
        remote=address(told.remote),
        started=_count(data.streams_started),
        succeeded=_count(data.streams_succeeded),
        failed=_count(data.streams_failed),
        sent=_count(data.messages_sent),
        received=_count(data.messages_received),
        last_stream=_moment(began),
        last_received=_moment(data.last_message_received_timestamp),
    )


def channel(told: pb.Channel) -> ChannelSeen:
    """Keep a channel."""
    return _channel(told, told.ref.channel_id)


def subchannel(told: pb.Subchannel) -> ChannelSeen:
    """Keep a subchannel."""
    return _channel(told, told.ref.subchannel_id)


def address(told: pb.Address) -> str:
    """Give `ip:port`, of IPv6 `[ip]:port`; empty for what is neither, such as a Unix socket."""
    return _spelled(told.tcpip_address.ip_address, told.tcpip_address.port) if told.HasField("tcpip_address") else ""


def kept(text: str, limit: int = TEXT_LIMIT) -> str:
    """Give the beginning of a server's words, safe to show."""
    return printable(text[:limit])


def _channel(told: pb.Channel | pb.Subchannel, number: int) -> ChannelSeen:
    data = told.data
    return ChannelSeen(
        id=number,
        target=kept(data.target),
        state=_state(data.state.state),
        started=_count(data.calls_started),
        succeeded=_count(data.calls_succeeded),
        failed=_count(data.calls_failed),
        channels=tuple(ref.channel_id for ref in told.channel_ref[:REFS]),
        subchannels=tuple(ref.subchannel_id for ref in told.subchannel_ref[:REFS]),
        sockets=tuple(ref.socket_id for ref in told.socket_ref[:REFS]),
        trace=_trace(data.trace.events),
    )


def _named(name: str) -> str:
    named = _NAME.match(name)
    if named is None:
        return ""
    try:
        return _spelled(ipaddress.ip_address(named["ip"].strip("[]")).packed, int(named["port"]))
    except ValueError:
        return ""


def _spelled(packed: bytes, port: int) -> str:
    if len(packed) not in {4, 16} or not 0 <= port <= 65535:
        return ""
    ip = ipaddress.ip_address(packed)
    ip = (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip
    return f"[{ip}]:{port}" if ip.version == 6 else f"{ip}:{port}"


def _count(told: int) -> int:
    return max(0, told)


def _moment(told: Timestamp) -> str:
    """Give RFC 3339; grpc-go says 1970 of what has never been."""
    if told.seconds <= 0:
        return ""
    try:
        return str(told.ToJsonString())
    except (ValueError, OverflowError):
        return ""


def _state(told: int) -> str:
    states = pb.ChannelConnectivityState.State
    return states.Name(told) if told in states.values() and told != states.UNKNOWN else ""


def _trace(events: Iterable[pb.ChannelTraceEvent]) -> tuple[str, ...]:
    descriptions = [each.description for each in events]
    older = [each for each in descriptions[:-EVENTS] if _POLICY.search(each[:EVENT_LIMIT])]
    return tuple(kept(each, EVENT_LIMIT) for each in [*older[-EVENTS:], *descriptions[-EVENTS:]])
