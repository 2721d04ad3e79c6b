"""A stand-in for the API server on loopback: says what it is told to and remembers what it was asked."""

import asyncio
import gc
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from kubectl_grpclb.cluster.kube import ConnectOptions, KubeWorkshop, connect_to_change
from kubectl_grpclb.model.snapshot import Answer, Reading, Request

HEARD = web.RequestKey("heard", bytes)
"""The first message of a port-forward, in the request that opened it."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def says(status: int, body: object, **headers: str) -> Handler:
    """Answer with a JSON body, or with a text as it is."""

    async def handle(_: web.Request) -> web.StreamResponse:
        text = body if isinstance(body, str) else json.dumps(body)
        kind = "text/html" if text.startswith("<") else "application/json"
        return web.Response(status=status, text=text, content_type=kind, headers=headers)

    return handle


def refuses(code: int, message: str, **headers: str) -> Handler:
    """Answer with a Kubernetes Status."""
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}
    return says(code, status, **headers)


async def hangs(_: web.Request) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


async def cuts(request: web.Request) -> web.StreamResponse:
    """Take the request and close the connection."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def executes(*frames: bytes, status: object = None, then: str = "close") -> Handler:
    """Open a WebSocket, send these messages and the status; then close, hang or cut the connection."""

    async def handle(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await socket.prepare(request)
        for frame in frames:
            await socket.send_bytes(frame)
        if status is not None:
            await socket.send_bytes(b"\x03" + (status if isinstance(status, bytes) else json.dumps(status).encode()))
        if then == "cut":
            assert request.transport is not None
            request.transport.abort()
        elif then == "hang":
            await socket.receive()
        else:
            await socket.close()
        return socket

    return handle


def floods(channel: bytes) -> Handler:
    """Print for ever, as `yes` does."""

    async def handle(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await socket.prepare(request)
        while request.transport is not None and not request.transport.is_closing():
            await socket.send_bytes(channel + b"y\n" * 16_000)
            await asyncio.sleep(0)  # so that it is noticed when the other side is gone
        return socket

    return handle


def forwards(*chunks: bytes, trouble: bytes = b"", then: str = "close") -> Handler:
    """Open a port-forward, wait for the first bytes, answer with these, and close, hang or cut the connection."""

    async def handle(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await socket.prepare(request)
        port = int(request.query["ports"]).to_bytes(2, "little")
        await socket.send_bytes(b"\x00" + port)
        await socket.send_bytes(b"\x01" + port + trouble)
        if not trouble:
            request[HEARD] = await socket.receive_bytes()
        for chunk in chunks:
            await socket.send_bytes(b"\x00" + chunk)
        if then == "cut":
            assert request.transport is not None
            request.transport.abort()
        elif then == "hang":
            await socket.receive()
        else:
            await socket.close()
        return socket

    return handle


def tunnels(port: int) -> Handler:
    """Forward to a port of this machine, as a kubelet does to a pod's."""

    async def handle(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await socket.prepare(request)
        asked = int(request.query["ports"]).to_bytes(2, "little")
        await socket.send_bytes(b"\x00" + asked)
        await socket.send_bytes(b"\x01" + asked)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def down() -> None:
            while chunk := await reader.read(32 * 1024):
                await socket.send_bytes(b"\x00" + chunk)
            await socket.close()

        downward = asyncio.create_task(down())
        try:
            async for message in socket:
                assert message.data[:1] == b"\x00"
                writer.write(message.data[1:])
                await writer.drain()
        finally:
            writer.close()
            downward.cancel()
            await asyncio.gather(downward, return_exceptions=True)
        return socket

    return handle


class ApiServer:
    """Answers each request with the next handler, the last one again and again."""

    def __init__(self, handlers: tuple[Handler, ...]) -> None:
        self._handlers = list(handlers)
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        """What came with each request that opened no WebSocket."""
        self.now = self.most = 0
        """Requests that are being answered now, and the most there were."""
        self.tasks: set[asyncio.Task[Any] | None] = set()
        """The tasks that answer: aiohttp's server ends them without waiting for their end."""

    async def handle(self, request: Any) -> web.StreamResponse:
        self.requests.append(request)
        self.tasks.add(asyncio.current_task())
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            if not request.headers.get("Upgrade"):
                self.bodies.append(await request.read())
            handler = self._handlers.pop(0) if len(self._handlers) > 1 else self._handlers[0]
            return await handler(request)
        except ConnectionError:
            return web.Response()
        finally:
            self.now -= 1


@asynccontextmanager
async def serving(server: ApiServer, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Run the stand-in; gives its address."""
    runner = web.ServerRunner(web.Server(server.handle, handler_cancellation=True), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


def write_kubeconfig(directory: Path, server: str, cluster: dict[str, Any] | None = None, **user: object) -> str:
    """Write a kubeconfig with the context `shop-prod`; gives its path."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "shop-prod",
        "contexts": [{"name": "shop-prod", "context": {"cluster": "prod", "user": "dev", "namespace": "shop"}}],
        "clusters": [{"name": "prod", "cluster": {"server": server, **(cluster or {})}}],
        "users": [{"name": "dev", "user": user or {"token": "t0ken"}}],
    }
    path = directory / "kubeconfig"
    path.write_text(json.dumps(content))
    return str(path)


@contextmanager
def nothing_left_behind(server: ApiServer) -> Iterator[None]:
    """Fail where a task, a session or a connection of ours outlives what is done inside."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    yield
    gc.collect()
    assert complaints == []
    left = asyncio.all_tasks() - {asyncio.current_task()} - server.tasks
    assert left == set(), [repr(task) for task in left]


class Conversation:
    """One connected client with its stand-in, in an event loop of its own."""

    def __init__(self, directory: Path, *handlers: Handler, user: dict[str, Any] | None = None, **options: Any) -> None:
        self._directory = directory
        self._user = user or {}
        self._handlers = handlers
        self._options = options
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.most = 0

    def ask(self, request: Request) -> Answer:
        """Carry out one request, and check that it left nothing behind."""

        reading: Reading = self.run(lambda cluster: cluster.read(request))
        return reading.answer

    def run(self, scenario: Callable[[KubeWorkshop], Awaitable[Any]]) -> Any:
        """Let the scenario speak with the stand-in, and check that it left nothing behind."""

        async def main() -> Any:
            server = ApiServer(self._handlers)
            self.requests, self.bodies = server.requests, server.bodies
            with nothing_left_behind(server):
                async with serving(server) as url:
                    options = ConnectOptions(
                        kubeconfig=write_kubeconfig(self._directory, url, **self._user), **self._options
                    )
                    try:
                        async with connect_to_change(options) as cluster:
                            return await scenario(cluster)
                    finally:
                        self.most = server.most

        return asyncio.run(main())
