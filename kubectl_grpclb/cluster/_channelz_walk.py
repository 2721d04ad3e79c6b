"""The walk through channelz: from the servers, or a client's channels, down to each connection."""

import time
from collections.abc import Iterable, Sequence
from typing import Literal

import grpc
from grpc_channelz.v1 import channelz_pb2 as pb
from msgspec import Struct
from msgspec.structs import replace

from kubectl_grpclb.cluster import _channelz_told as told
from kubectl_grpclb.cluster._channelz_calls import PAGE, Calls, Turns, each, pages
from kubectl_grpclb.model.channelz import ChannelSeen, ChannelzLook, ServerSeen, SocketSeen

__all__ = ["Walk"]

SOCKETS = 1000
"""Connections that are asked for, one by one, in a look."""

LISTED = 100_000
"""Connections that are counted."""

CHANNELS = 500
"""Channels that are kept, and subchannels that are asked for, in a look."""

SERVERS = 500
"""Servers that are kept."""


class _Listed(Struct, frozen=True):
    """A server as its listing told it, and how many calls we had begun by then."""

    seen: ServerSeen
    listens: tuple[told.Listen, ...]
    begun: int


class Walk:
    """Looks at one process again and again; `port` is the one that is spoken to."""

    def __init__(self, channel: grpc.aio.Channel, role: Literal["server", "client"], port: int, turns: Turns) -> None:
        self.calls = Calls(channel, turns)
        self._role = role
        self._port = port
        self._first: float | None = None
        self._listens: dict[int, str] = {}

    async def look(self) -> ChannelzLook:
        """Look once. Raises grpc.aio.AioRpcError where a call fails and GarbledError where an answer is nonsense."""
        return await (self._at_servers() if self._role == "server" else self._at_channels())

    def pause(self, window: float) -> float:
        """Give the seconds from now until a second look is due, so long after what the first one read first."""
        return max(0.0, (self._first or 0.0) + window - time.monotonic())

    async def _at_servers(self) -> ChannelzLook:
        moments: list[float] = []

        async def turn(start: int) -> tuple[Sequence[tuple[int, _Listed]], bool]:
            request = pb.GetServersRequest(start_server_id=start)
            answer = await self.calls.call("GetServers", request, pb.GetServersResponse.FromString)
            moments.append(self._since_first())
            begun = self.calls.begun
            found = [_Listed(told.server(one), told.listens(one), begun) for one in answer.server]
            return [(one.seen.id, one) for one in found], answer.end

        listed = await pages(turn, SERVERS)
        refs = [ref for one in listed for ref in await self._server_sockets(one.seen.id)]
        sockets = await self._sockets(refs)
        await self._find_listens(listen for one in listed for listen in one.listens)
        listed = [replace(one, seen=replace(one.seen, listens=self._addresses(one.listens))) for one in listed]
        return ChannelzLook(
            at=moments[0],
            servers=tuple(one.seen for one in listed),
            sockets=sockets,
            own=self._own(listed),
            skipped=max(0, len(refs) - SOCKETS),
        )

    def _since_first(self) -> float:
        now = time.monotonic()
        self._first = now if self._first is None else self._first
        return round(now - self._first, 6)

    def _own(self, listed: Sequence[_Listed]) -> int:
        """Give our calls up to the page that told of the server that we speak to; the last one's if none listens so."""
        ending = f":{self._port}"
        ours = [one.begun for one in listed if any(address.endswith(ending) for address in one.seen.listens)]
        return ours[0] if ours else max((one.begun for one in listed), default=self.calls.begun)

    async def _server_sockets(self, server: int) -> list[int]:
        async def turn(start: int) -> tuple[Sequence[tuple[int, int]], bool]:
            request = pb.GetServerSocketsRequest(server_id=server, start_socket_id=start, max_results=PAGE)
            answer = await self.calls.find("GetServerSockets", request, pb.GetServerSocketsResponse.FromString)
            return ([(ref.socket_id, ref.socket_id) for ref in answer.socket_ref], answer.end) if answer else ((), True)

        return await pages(turn, LISTED)

    async def _sockets(self, refs: Sequence[int]) -> tuple[SocketSeen, ...]:
        of_client = self._role == "client"

        async def ask(number: int) -> SocketSeen | None:
            found = await self._socket(number)
            return told.socket(found, of_client=of_client) if found else None

        return await each(refs[:SOCKETS], ask)

    async def _socket(self, number: int) -> pb.Socket | None:
        answer = await self.calls.find(
            "GetSocket", pb.GetSocketRequest(socket_id=number), pb.GetSocketResponse.FromString
        )
        return answer.socket if answer else None

    async def _find_listens(self, wanted: Iterable[told.Listen]) -> None:
        """Learn the addresses of listen sockets that their names do not tell, each of them once."""
        for listen in wanted:
            if not listen.address and listen.id not in self._listens:
                found = await self._socket(listen.id)
                self._listens[listen.id] = told.address(found.local) if found else ""

    def _addresses(self, listens: Iterable[told.Listen]) -> tuple[str, ...]:
        addresses = (listen.address or self._listens.get(listen.id, "") for listen in listens)
        return tuple(address for address in addresses if address)

    async def _at_channels(self) -> ChannelzLook:
        moments: list[float] = []

        async def turn(start: int) -> tuple[Sequence[tuple[int, ChannelSeen]], bool]:
            request = pb.GetTopChannelsRequest(start_channel_id=start)
            answer = await self.calls.call("GetTopChannels", request, pb.GetTopChannelsResponse.FromString)
            moments.append(self._since_first())
            found = [told.channel(one) for one in answer.channel]
            return [(one.id, one) for one in found], answer.end

        channels = await self._with_nested(await pages(turn, CHANNELS))
        below = list(dict.fromkeys(ref for one in channels for ref in one.subchannels))
        subchannels = await each(below[:CHANNELS], self._subchannel)
        refs = list(dict.fromkeys(ref for one in (*channels, *subchannels) for ref in one.sockets))
        return ChannelzLook(
            at=moments[0],
            sockets=await self._sockets(refs),
            channels=tuple(channels),
            subchannels=subchannels,
            skipped=max(0, len(refs) - SOCKETS) + max(0, len(below) - CHANNELS),
        )

    async def _with_nested(self, top: list[ChannelSeen]) -> list[ChannelSeen]:
        """Add the channels below these, and those below them; none twice, so that a circle ends."""
        found = {one.id: one for one in top}
        level = top
        while wanted := [ref for one in level for ref in one.channels if ref not in found][: CHANNELS - len(found)]:
            level = list(await each(wanted, self._channel))
            fresh = {one.id: one for one in level if one.id not in found}
            if not fresh:
                break
            found |= fresh
        return list(found.values())

    async def _channel(self, number: int) -> ChannelSeen | None:
        request = pb.GetChannelRequest(channel_id=number)
        answer = await self.calls.find("GetChannel", request, pb.GetChannelResponse.FromString)
        return told.channel(answer.channel) if answer else None

    async def _subchannel(self, number: int) -> ChannelSeen | None:
        request = pb.GetSubchannelRequest(subchannel_id=number)
        answer = await self.calls.find("GetSubchannel", request, pb.GetSubchannelResponse.FromString)
        return told.subchannel(answer.subchannel) if answer else None
