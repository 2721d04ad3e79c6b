"""Channelz over a port-forward, of real gRPC servers and clients: what is told, and how much of it is asked for."""

# ruff: noqa: N802 -- the services' methods have gRPC's names

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_channelz.v1 import channelz_pb2
from grpc_channelz.v1.channelz import aio  # type: ignore[attr-defined] # the stubs do not have it

from kubectl_grpclb.cluster.kube import KubeWorkshop
from kubectl_grpclb.model.channelz import ChannelSeen
from kubectl_grpclb.model.snapshot import AskChannelz, Reading
from tests.cluster.api_server import Conversation
from tests.cluster.channelz_pods import (
    CLIENT,
    LOOK,
    ONE,
    POD,
    TWICE,
    Pod,
    Told,
    address,
    asked,
    both_ends,
    channelz_of,
    greet,
    running,
)


def test_a_servers_calls_and_connections_are_told(tmp_path: Path) -> None:
    pod = Pod()

    async def scenario(cluster: KubeWorkshop) -> Reading:
        async with AsyncExitStack() as stack:
            _, pod.port = await stack.enter_async_context(running(aio.ChannelzServicer()))
            options = (("grpc.use_local_subchannel_pool", 1),)
            cart = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{pod.port}", options))
            mail = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{pod.port}", options))
            await greet(cart, 7)
            await greet(mail, 2)
            return await cluster.read(LOOK)

    talk = Conversation(tmp_path, pod.forward)
    look = channelz_of(talk.run(scenario).answer).looks[0]

    assert talk.requests[0].query["ports"] == "50051"
    assert sum(each.started for each in look.servers) == 7 + 2 + look.own
    assert (look.at, look.own, look.skipped) == (0.0, 1, 0)
    streams = sorted(each.started for each in both_ends(pod.port, look))
    assert streams[0] == 2
    assert 7 in streams
    assert all(each.remote.startswith("127.0.0.1:") for each in look.sockets)
    assert all(each.last_stream.endswith("Z") and each.last_received.endswith("Z") for each in look.sockets)


def test_between_two_looks_a_reader_can_take_our_own_calls_away(tmp_path: Path) -> None:
    pod = Pod()

    async def scenario(cluster: KubeWorkshop) -> Reading:
        async with (
            running(aio.ChannelzServicer()) as (_, pod.port),
            grpc.aio.insecure_channel(f"127.0.0.1:{pod.port}") as cart,
        ):
            await greet(cart, 3)
            return await cluster.read(TWICE)

    first, second = channelz_of(Conversation(tmp_path, pod.forward).run(scenario).answer).looks

    assert second.at >= 0.2
    assert second.own > first.own
    assert second.servers[0].started - second.own == first.servers[0].started - first.own == 3


class Interrupted(aio.ChannelzServicer):  # type: ignore[misc] # the package has no types
    """The real one, but before it tells of the servers for the second time, something happens."""

    def __init__(self, happens: Callable[[], Awaitable[None]]) -> None:
        self._happens, self._asked = happens, 0

    async def GetServers(self, request: Any, context: Any) -> Any:
        self._asked += 1
        if self._asked == 2:
            await self._happens()
        return await aio.ChannelzServicer.GetServers(request, context)


def test_a_connection_that_came_between_two_looks_is_in_the_second(tmp_path: Path) -> None:
    pod = Pod()

    async def scenario(cluster: KubeWorkshop) -> Reading:
        async with AsyncExitStack() as stack:

            async def connect() -> None:
                late = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{pod.port}"))
                await greet(late, 4)

            _, pod.port = await stack.enter_async_context(running(Interrupted(connect)))
            return await cluster.read(TWICE)

    first, second = channelz_of(Conversation(tmp_path, pod.forward).run(scenario).answer).looks

    new = {each.id for each in second.sockets} - {each.id for each in first.sockets}
    assert [each.started for each in second.sockets if each.id in new] == [4]


def test_a_listen_socket_without_its_address_in_its_name_is_asked_for_it(tmp_path: Path) -> None:
    server = channelz_pb2.Server(ref=channelz_pb2.ServerRef(server_id=1))
    server.listen_socket.add(socket_id=9, name="chttp2 listener ipv6:%5B::%5D:50051")
    server.listen_socket.add(socket_id=8, name="[::]:9090")
    listen = address(b"\0" * 16, 50051)

    look = channelz_of(asked(tmp_path, TWICE, Told([server], {9: channelz_pb2.Socket(local=listen)}))).looks[1]

    assert look.servers[0].listens == ("[::]:50051", "[::]:9090")


def test_our_own_calls_are_counted_up_to_the_page_with_the_server_that_we_speak_to(tmp_path: Path) -> None:
    servers = [channelz_pb2.Server(ref=channelz_pb2.ServerRef(server_id=number)) for number in (1, 2, 3)]
    servers[1].listen_socket.add(socket_id=9, name="[::]:50051")

    look = channelz_of(asked(tmp_path, LOOK, Told(servers, page=1))).looks[0]

    assert [each.id for each in look.servers] == [1, 2, 3]
    assert look.own == 2


def balanced(policy: str) -> tuple[tuple[str, Any], ...]:
    config = f'{{"loadBalancingConfig":[{{"{policy}":{{}}}}]}}'
    return (("grpc.service_config", config), ("grpc.use_local_subchannel_pool", 1))


def seen_of_client(tmp_path: Path, policy: str) -> tuple[ChannelSeen, Any]:
    """Look at a process that calls two servers with this policy, and give its channel to them."""
    pod = Pod()

    async def scenario(cluster: KubeWorkshop) -> tuple[str, Reading]:
        async with AsyncExitStack() as stack:
            _, pod.port = await stack.enter_async_context(running(aio.ChannelzServicer()))
            _, one = await stack.enter_async_context(running())
            _, other = await stack.enter_async_context(running())
            target = f"ipv4:127.0.0.1:{one},127.0.0.1:{other}"
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(target, balanced(policy)))
            await greet(channel, 12)
            return target, await cluster.read(CLIENT)

    target, reading = Conversation(tmp_path, pod.forward).run(scenario)
    look = channelz_of(reading.answer).looks[0]
    return next(each for each in look.channels if each.target == target), look


@pytest.mark.parametrize(("policy", "subchannels"), [("pick_first", 1), ("round_robin", 2)])
def test_a_clients_channel_tells_its_policy_its_subchannels_and_their_connections(
    tmp_path: Path, policy: str, subchannels: int
) -> None:
    channel, look = seen_of_client(tmp_path, policy)

    below = [each for each in look.subchannels if each.id in channel.subchannels]
    ends = [each for each in look.sockets if any(each.id in one.sockets for one in below)]
    assert (channel.state, channel.started, channel.succeeded) == ("READY", 12, 12)
    assert f'Created new LB policy "{policy}"' in channel.trace
    assert len(below) == len(ends) == subchannels
    assert sum(each.started for each in ends) == 12
    assert {each.remote for each in ends} == {each.target.removeprefix("ipv4:") for each in below}
    assert all(each.last_stream for each in ends)
    assert look.own == 0


def test_of_ten_thousand_connections_some_are_asked_for_and_the_others_counted(tmp_path: Path) -> None:
    look = channelz_of(asked(tmp_path, AskChannelz("shop", POD, 50051, 0.0, 60.0), Told(ONE, refs=10_000))).looks[0]

    assert len(look.sockets) == 1000
    assert look.skipped == 9000


def test_a_connection_that_went_between_its_listing_and_its_turn_is_left_out(tmp_path: Path) -> None:
    gone = Told(ONE, {2: channelz_pb2.Socket(remote=address(bytes([198, 18, 128, 7]), 40112))}, refs=3)

    look = channelz_of(asked(tmp_path, LOOK, gone)).looks[0]

    assert [(each.id, each.remote) for each in look.sockets] == [(2, "198.18.128.7:40112")]
    assert look.skipped == 0


class Circle(Told):
    """Has a channel that is below itself."""

    async def GetTopChannels(self, request: Any, context: Any) -> Any:
        return channelz_pb2.GetTopChannelsResponse(channel=[self._channel(1, 2)], end=True)

    async def GetChannel(self, request: Any, context: Any) -> Any:
        return channelz_pb2.GetChannelResponse(channel=self._channel(2, 1))

    def _channel(self, number: int, below: int) -> Any:
        refs = [channelz_pb2.ChannelRef(channel_id=number), channelz_pb2.ChannelRef(channel_id=below)]
        return channelz_pb2.Channel(ref={"channel_id": number}, channel_ref=refs)


def test_channels_in_a_circle_are_told_once(tmp_path: Path) -> None:
    look = channelz_of(asked(tmp_path, CLIENT, Circle())).looks[0]

    assert [(each.id, each.channels) for each in look.channels] == [(1, (1, 2)), (2, (2, 1))]
