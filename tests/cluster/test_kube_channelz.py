"""Channelz over a port-forward: of real gRPC servers and clients, and of what only pretends to be one."""

# ruff: noqa: N802 -- the services' methods have gRPC's names

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from aiohttp import web
from grpc_channelz.v1 import channelz_pb2, channelz_pb2_grpc
from grpc_channelz.v1.channelz import aio  # type: ignore[attr-defined] # the stubs do not have it
from grpc_health.v1 import health_pb2, health_pb2_grpc

from kubectl_grpclb.cluster import _channelz, _channelz_told, kube
from kubectl_grpclb.cluster.kube import ChannelzTls, KubeWorkshop
from kubectl_grpclb.model.channelz import ChannelSeen
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import Answer, AskChannelz, Channelz, Reading, Refused
from tests.cluster.api_server import Conversation, forwards, refuses, tunnels
from tests.cluster.test_kube_forward import Health, listening, speak_http1
from tests.cluster.test_kube_tls import Certificates, make_certificates

SERVING = health_pb2.HealthCheckResponse.SERVING
POD = "greeter-7c9f8d5b6-x2x9k"
LOOK = AskChannelz("shop", POD, 50051, 0.0, 10.0)
TWICE = AskChannelz("shop", POD, 50051, 0.2, 10.0)
CLIENT = AskChannelz("shop", POD, 50051, 0.0, 10.0, role="client")
TLS = AskChannelz("shop", POD, 50051, 0.0, 10.0, tls=True)


class Pod:
    """A process with a port; its handler is that of the API server's port-forwards, known only when it runs."""

    def __init__(self) -> None:
        self.port = 0
        self.sockets: list[web.Request] = []

    async def forward(self, request: web.Request) -> web.StreamResponse:
        self.sockets.append(request)
        return await tunnels(self.port)(request)

    def cut(self) -> None:
        """Break every connection that is forwarded now."""
        for request in self.sockets:
            assert request.transport is not None
            request.transport.abort()


@asynccontextmanager
async def running(
    servicer: Any = None, key: tuple[bytes, bytes] | None = None, **options: Any
) -> AsyncIterator[tuple[grpc.aio.Server, int]]:
    """Run a gRPC server on loopback with this channelz; gives it and its port."""
    server: grpc.aio.Server = grpc.aio.server(**options)
    health_pb2_grpc.add_HealthServicer_to_server(Health(SERVING, ()), server)
    if servicer is not None:
        channelz_pb2_grpc.add_ChannelzServicer_to_server(servicer, server)
    if key is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([key]))
    await server.start()
    try:
        yield server, port
    finally:
        await server.stop(None)


async def greet(channel: grpc.aio.Channel, times: int) -> None:
    """Make health checks, one after the other."""
    for _ in range(times):
        await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())


def asked(tmp_path: Path, request: AskChannelz, servicer: Any, **options: Any) -> Answer:
    """Ask a server that has this channelz; nobody else speaks to it."""
    key = options.pop("key", None)
    pod = Pod()

    async def scenario(cluster: KubeWorkshop) -> Reading:
        async with running(servicer, key) as (_, pod.port):
            return await cluster.read(request)

    reading: Reading = Conversation(tmp_path, pod.forward, **options).run(scenario)
    return reading.answer


def channelz_of(answer: Answer) -> Channelz:
    assert isinstance(answer, Channelz), answer
    return answer


def refusal_of(answer: Answer) -> Refused:
    assert isinstance(answer, Refused), answer
    return answer


def both_ends(port: int, look: Any) -> list[Any]:
    """Give the server's connections that end at its port."""
    return [each for each in look.sockets if each.local == f"127.0.0.1:{port}"]


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


def address(ip: bytes, port: int) -> channelz_pb2.Address:
    return channelz_pb2.Address(tcpip_address=channelz_pb2.Address.TcpIpAddress(ip_address=ip, port=port))


class Told(channelz_pb2_grpc.ChannelzServicer):  # type: ignore[misc] # the package has no types
    """Tells of these servers, in pages, and of the sockets that it has."""

    def __init__(
        self, servers: Iterable[Any] = (), sockets: dict[int, Any] | None = None, refs: int = 0, page: int = 500
    ) -> None:
        self._servers, self._sockets, self._refs, self._page = list(servers), sockets or {}, refs, page

    async def GetServers(self, request: Any, context: Any) -> Any:
        left = [each for each in self._servers if each.ref.server_id >= request.start_server_id]
        return channelz_pb2.GetServersResponse(server=left[: self._page], end=len(left) <= self._page)

    async def GetServerSockets(self, request: Any, context: Any) -> Any:
        left = range(max(1, request.start_socket_id), self._refs + 1)
        refs = [channelz_pb2.SocketRef(socket_id=number) for number in left[: self._page]]
        return channelz_pb2.GetServerSocketsResponse(socket_ref=refs, end=len(left) <= self._page)

    async def GetSocket(self, request: Any, context: Any) -> Any:
        if self._sockets and request.socket_id not in self._sockets:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such socket")
        ref = channelz_pb2.SocketRef(socket_id=request.socket_id)
        found = channelz_pb2.Socket(ref=ref)
        found.MergeFrom(self._sockets.get(request.socket_id, channelz_pb2.Socket()))
        return channelz_pb2.GetSocketResponse(socket=found)


ONE = (channelz_pb2.Server(ref=channelz_pb2.ServerRef(server_id=1)),)


def test_of_ten_thousand_connections_some_are_asked_for_and_the_others_counted(tmp_path: Path) -> None:
    look = channelz_of(asked(tmp_path, AskChannelz("shop", POD, 50051, 0.0, 60.0), Told(ONE, refs=10_000))).looks[0]

    assert len(look.sockets) == 1000
    assert look.skipped == 9000


def test_a_connection_that_went_between_its_listing_and_its_turn_is_left_out(tmp_path: Path) -> None:
    gone = Told(ONE, {2: channelz_pb2.Socket(remote=address(bytes([198, 18, 128, 7]), 40112))}, refs=3)

    look = channelz_of(asked(tmp_path, LOOK, gone)).looks[0]

    assert [(each.id, each.remote) for each in look.sockets] == [(2, "198.18.128.7:40112")]
    assert look.skipped == 0


class Endless(Told):
    """Says of every page that there are more; `step` is how far it goes on."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self._step = step

    async def GetServers(self, request: Any, context: Any) -> Any:
        number = request.start_server_id * self._step + self._step
        return channelz_pb2.GetServersResponse(server=[channelz_pb2.Server(ref={"server_id": number})])

    async def GetTopChannels(self, request: Any, context: Any) -> Any:
        return channelz_pb2.GetTopChannelsResponse()


@pytest.mark.parametrize(
    ("request_", "step", "words"),
    [(LOOK, 0, "says nothing new"), (LOOK, 1, "more than 256 pages"), (CLIENT, 0, "says nothing new")],
)
def test_a_listing_without_an_end_is_garbled(tmp_path: Path, request_: AskChannelz, step: int, words: str) -> None:
    refused = refusal_of(asked(tmp_path, request_, Endless(step)))

    assert refused.reason is GapReason.GARBLED
    assert words in refused.message


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


class Refusing(Told):
    """Refuses everything with this status, or hangs."""

    def __init__(self, code: grpc.StatusCode | None, words: str = "") -> None:
        super().__init__()
        self._code, self._words = code, words

    async def GetServers(self, request: Any, context: Any) -> Any:
        if self._code is None:
            await asyncio.Event().wait()
        await context.abort(self._code, self._words)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, GapReason.NOT_SERVED),
        (grpc.StatusCode.UNAUTHENTICATED, GapReason.NOT_SERVED),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, GapReason.TOO_LARGE),
        (grpc.StatusCode.INTERNAL, GapReason.GARBLED),
    ],
)
def test_a_server_that_refuses_is_a_refusal_in_its_words(
    tmp_path: Path, code: grpc.StatusCode, reason: GapReason
) -> None:
    answer = asked(tmp_path, LOOK, Refusing(code, "admins only\x1b[2J" + "!" * 5000))

    assert refusal_of(answer).reason is reason
    assert refusal_of(answer).message.startswith(f"channelz answered {code.name}: admins only\\x1b[2J!")
    assert len(refusal_of(answer).message) < 400


def test_a_server_without_channelz_does_not_serve_it(tmp_path: Path) -> None:
    assert refusal_of(asked(tmp_path, LOOK, None)).reason is GapReason.NOT_SERVED


def test_a_server_that_does_not_answer_is_given_up_in_time(tmp_path: Path) -> None:
    answer = asked(tmp_path, AskChannelz("shop", POD, 50051, 0.0, 0.3), Refusing(None))

    assert refusal_of(answer).reason is GapReason.TIMED_OUT


def test_a_window_that_does_not_fit_into_the_time_leaves_the_first_look(tmp_path: Path) -> None:
    answer = channelz_of(asked(tmp_path, AskChannelz("shop", POD, 50051, 60.0, 1.0), Told(ONE)))

    assert len(answer.looks) == 1
    assert answer.gap is GapReason.TIMED_OUT


class Huge(Told):
    """Answers with more than is taken."""

    async def GetServers(self, request: Any, context: Any) -> Any:
        return channelz_pb2.GetServersResponse(server=[{"ref": {"name": "x" * (_channelz.MESSAGE_LIMIT + 1)}}])


def test_an_answer_that_is_too_large_is_not_taken(tmp_path: Path) -> None:
    assert refusal_of(asked(tmp_path, LOOK, Huge())).reason is GapReason.TOO_LARGE


def no_message() -> "grpc.GenericRpcHandler[Any, Any]":
    async def say(request: bytes, context: Any) -> bytes:
        return b"\xff\xff\xff\xff"

    methods = {"GetServers": grpc.unary_unary_rpc_method_handler(say)}
    return grpc.method_handlers_generic_handler("grpc.channelz.v1.Channelz", methods)


def test_an_answer_that_is_no_message_of_channelz_is_garbled(tmp_path: Path) -> None:
    pod = Pod()

    async def scenario(cluster: KubeWorkshop) -> Reading:
        async with running(handlers=[no_message()]) as (_, pod.port):
            return await cluster.read(LOOK)

    answer = Conversation(tmp_path, pod.forward).run(scenario).answer

    assert refusal_of(answer).reason is GapReason.GARBLED


class Cutting(Told):
    """Cuts the connection when it is asked for servers so often."""

    def __init__(self, pod: Pod, at: int) -> None:
        super().__init__(ONE, refs=3)
        self._pod, self._at, self._asked = pod, at, 0

    async def GetServers(self, request: Any, context: Any) -> Any:
        self._asked += 1
        return await super().GetServers(request, context)

    async def GetServerSockets(self, request: Any, context: Any) -> Any:
        if self._asked >= self._at:
            self._pod.cut()
        return await super().GetServerSockets(request, context)


def cut_at(tmp_path: Path, look: int) -> Answer:
    pod = Pod()

    async def scenario(cluster: KubeWorkshop) -> Reading:
        async with running(Cutting(pod, look)) as (_, pod.port):
            return await cluster.read(TWICE)

    reading: Reading = Conversation(tmp_path, pod.forward).run(scenario)
    return reading.answer


def test_a_connection_that_ends_in_the_first_look_is_a_refusal(tmp_path: Path) -> None:
    assert refusal_of(cut_at(tmp_path, 1)).reason is GapReason.DIED


def test_a_connection_that_ends_in_the_second_look_leaves_the_first(tmp_path: Path) -> None:
    answer = channelz_of(cut_at(tmp_path, 2))

    assert [len(each.sockets) for each in answer.looks] == [3]
    assert answer.gap is GapReason.DIED
    assert answer.detail


def test_a_port_forward_that_is_forbidden_is_a_refusal_in_the_words_of_the_cluster(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, refuses(403, "pods/portforward is forbidden"))

    assert talk.ask(LOOK) == Refused(GapReason.FORBIDDEN, "pods/portforward is forbidden")


def test_a_pod_that_is_gone_is_a_refusal(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, refuses(404, f'pods "{POD}" not found'))

    assert talk.ask(LOOK) == Refused(GapReason.DIED, f'pods "{POD}" not found')


@pytest.mark.parametrize(
    "trouble",
    [
        b"error forwarding port 50051: dial tcp4 127.0.0.1:50051: connect: connection refused",
        b'failed to execute portforward in network namespace "/var/run/netns/cni-1ca5": failed to connect to localhost',
    ],
)
def test_a_port_on_which_nothing_listens_does_not_serve_channelz(tmp_path: Path, trouble: bytes) -> None:
    refused = refusal_of(Conversation(tmp_path, forwards(trouble=trouble)).ask(LOOK))

    assert refused == Refused(GapReason.NOT_SERVED, trouble.decode())


def test_another_trouble_of_the_kubelet_is_told_in_its_words(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, forwards(trouble=b"network namespace for sandbox is closed"))

    assert talk.ask(LOOK) == Refused(GapReason.DIED, "network namespace for sandbox is closed")


def heard_on(tmp_path: Path, request: AskChannelz, serving: Any) -> Refused:
    """Ask a port on which something else listens."""
    pod = Pod()

    async def scenario(cluster: KubeWorkshop) -> Reading:
        async with serving as pod.port:
            return await cluster.read(request)

    return refusal_of(Conversation(tmp_path, pod.forward).run(scenario).answer)


def test_a_port_that_does_not_speak_grpc_does_not_serve_channelz(tmp_path: Path) -> None:
    refused = heard_on(tmp_path, LOOK, listening(speak_http1))

    assert refused.reason is GapReason.NOT_SERVED
    assert refused.message.startswith("what listens on port 50051 does not speak gRPC: ")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if shutil.which("openssl") is None:
        pytest.skip("makes its certificates with openssl")
    return make_certificates(tmp_path_factory.mktemp("tls"), "DNS:greeter.shop")


def over_tls(tmp_path: Path, request: AskChannelz, certificates: Certificates, tls: ChannelzTls) -> Answer:
    key = (certificates.key.read_bytes(), certificates.certificate.read_bytes())
    return asked(tmp_path, request, Told(ONE), key=key, channelz=tls)


def test_channelz_is_asked_over_tls_by_the_name_in_the_certificate(tmp_path: Path, certificates: Certificates) -> None:
    tls = ChannelzTls(certificates.authority.read_bytes(), "greeter.shop")

    assert len(channelz_of(over_tls(tmp_path, TLS, certificates, tls)).looks) == 1


@pytest.mark.parametrize("name", [None, "checkout.shop"])
def test_a_certificate_of_another_name_is_not_trusted(
    tmp_path: Path, certificates: Certificates, name: str | None
) -> None:
    tls = ChannelzTls(certificates.authority.read_bytes(), name)

    refused = refusal_of(over_tls(tmp_path, TLS, certificates, tls))

    assert refused.reason is GapReason.NOT_SERVED
    assert refused.message.startswith("no TLS connection: ")


def test_a_port_that_speaks_tls_says_so_where_it_is_asked_without(tmp_path: Path, certificates: Certificates) -> None:
    answer = over_tls(tmp_path, LOOK, certificates, ChannelzTls())

    assert answer == Refused(GapReason.NOT_SERVED, "the port speaks TLS: use --tls")


def test_a_port_that_speaks_no_tls_says_so_where_it_is_asked_over_it(tmp_path: Path) -> None:
    refused = refusal_of(asked(tmp_path, TLS, Told(ONE)))

    assert refused == Refused(GapReason.NOT_SERVED, "the port speaks gRPC without TLS")


@pytest.mark.parametrize(
    ("ip", "port", "spelled"),
    [
        (bytes([198, 18, 128, 7]), 40112, "198.18.128.7:40112"),
        (b"\0" * 10 + b"\xff\xff" + bytes([198, 18, 128, 7]), 40112, "198.18.128.7:40112"),
        (bytes.fromhex("fd000000000000000000000000000007"), 40112, "[fd00::7]:40112"),
        (b"\x7f", 40112, ""),
        (bytes([198, 18, 128, 7]), -1, ""),
    ],
)
def test_addresses_are_spelled_as_in_the_clusters_objects(ip: bytes, port: int, spelled: str) -> None:
    assert _channelz_told.address(address(ip, port)) == spelled


def test_a_unix_socket_has_no_address() -> None:
    unix = channelz_pb2.Address(uds_address=channelz_pb2.Address.UdsAddress(filename="/run/greeter.sock"))

    assert _channelz_told.address(unix) == ""


@pytest.mark.parametrize(
    ("moment", "spelled"),
    [({"seconds": 1_795_543_226}, "2026-11-24T18:00:26Z"), ({}, ""), ({"seconds": 2**62}, "")],
)
def test_a_moment_that_never_was_or_cannot_be_is_empty(moment: dict[str, int], spelled: str) -> None:
    socket = channelz_pb2.Socket(data={"last_remote_stream_created_timestamp": moment})

    assert _channelz_told.socket(socket, of_client=False).last_stream == spelled


def test_a_trace_is_bounded_and_keeps_its_policy() -> None:
    events = ['Channel switches to new LB policy "round_robin"', *["x" * 9000 for _ in range(29)]]
    told = channelz_pb2.Channel(data={"trace": {"events": [{"description": each} for each in events]}})

    trace = _channelz_told.channel(told).trace

    assert trace == (events[0], *["x" * 200 for _ in range(10)])


def test_counters_and_states_that_cannot_be_are_none() -> None:
    told = channelz_pb2.Channel(data={"calls_started": -5, "state": {"state": 77}})

    seen = _channelz_told.channel(told)

    assert (seen.started, seen.state) == (0, "")


class Slow(Told):
    """Takes its time to tell of its servers, and counts who asks at once."""

    def __init__(self, seconds: float) -> None:
        super().__init__(ONE)
        self._seconds, self._now, self.most = seconds, 0, 0

    async def GetServers(self, request: Any, context: Any) -> Any:
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(self._seconds)
        self._now -= 1
        return await super().GetServers(request, context)


def asked_at_once(tmp_path: Path, request: AskChannelz, servicer: Slow, pods: int) -> list[Answer]:
    pod = Pod()

    async def scenario(cluster: KubeWorkshop) -> list[Reading]:
        async with running(servicer) as (_, pod.port):
            return await asyncio.gather(*(cluster.read(request) for _ in range(pods)))

    readings: list[Reading] = Conversation(tmp_path, pod.forward, in_flight=128).run(scenario)
    return [reading.answer for reading in readings]


def test_not_all_pods_are_walked_at_a_time(tmp_path: Path) -> None:
    slow = Slow(0.05)

    answers = asked_at_once(tmp_path, TWICE, slow, 40)

    assert [len(channelz_of(answer).looks) for answer in answers] == [2] * 40
    assert slow.most <= 16


def test_to_wait_for_its_turn_takes_nothing_from_a_requests_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kube, "WALKS_IN_FLIGHT", 1)
    request = AskChannelz("shop", POD, 50051, 0.1, 2.5)

    answers = asked_at_once(tmp_path, request, Slow(0.2), 8)

    assert [len(channelz_of(answer).looks) for answer in answers] == [2] * 8
    assert all(channelz_of(answer).gap is None for answer in answers)


def test_others_are_walked_while_one_waits_for_its_second_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube, "WALKS_IN_FLIGHT", 1)
    begun = time.monotonic()

    answers = asked_at_once(tmp_path, AskChannelz("shop", POD, 50051, 1.0, 5.0), Slow(0.01), 5)

    assert [len(channelz_of(answer).looks) for answer in answers] == [2] * 5
    assert time.monotonic() - begun < 3.0


def test_a_pod_that_does_not_answer_gives_its_turn_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube, "WALKS_IN_FLIGHT", 1)

    answers = asked_at_once(tmp_path, AskChannelz("shop", POD, 50051, 0.0, 0.3), Slow(60), 3)

    assert [refusal_of(answer).reason for answer in answers] == [GapReason.TIMED_OUT] * 3
