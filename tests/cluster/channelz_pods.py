"""Pods that serve channelz, or only pretend to, and how they are asked."""

# ruff: noqa: N802 -- the services' methods have gRPC's names

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from aiohttp import web
from grpc_channelz.v1 import channelz_pb2, channelz_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from kubectl_grpclb.cluster.kube import KubeWorkshop
from kubectl_grpclb.model.snapshot import Answer, AskChannelz, Channelz, Reading, Refused
from tests.cluster.api_server import Conversation, tunnels
from tests.cluster.test_kube_forward import Health

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
