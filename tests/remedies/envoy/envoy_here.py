"""The real Envoy with the configuration that `fix` writes, moved to this machine and before real servers."""

import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence

import aiohttp
import grpc
from msgspec import Struct

from kubectl_grpclb.lab.proxy import Json, listener_names, on_loopback
from kubectl_grpclb.remedies.envoy.config import bootstrap
from tests.remedies.envoy.test_real_envoy import upstream
from tests.remedies.envoy.test_real_envoy_drain import free_ports, running

HOST = "127.0.0.1"


class Server:
    """A server's one method: it gives its answer, or the status that it fails with; and counts."""

    def __init__(self, fails_with: grpc.StatusCode | None = None) -> None:
        self.fails_with, self.calls = fails_with, 0
        self._served = grpc.aio.server()

    async def call(self, request: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
        self.calls += 1
        if self.fails_with is not None:
            await context.abort(self.fails_with, "the database is slow")
        return request

    async def serve(self, port: int) -> None:
        """Begin to listen."""
        methods = {"call": grpc.unary_unary_rpc_method_handler(self.call)}
        self._served.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("greeter", methods),))
        self._served.add_insecure_port(f"{HOST}:{port}")
        await self._served.start()

    async def end(self) -> None:
        """Close every connection, and listen no more."""
        await self._served.stop(None)


class Here(Struct, frozen=True):
    """Where the Envoy that runs is reached."""

    listeners: dict[str, int]
    """Ports by the listeners' names."""
    servers: tuple[int, ...]
    admin: int

    def channel(self) -> grpc.aio.Channel:
        """Give a client's channel to the port for gRPC."""
        return grpc.aio.insecure_channel(f"{HOST}:{self.listeners['grpc']}")

    async def call(self, channel: grpc.aio.Channel) -> grpc.StatusCode:
        """Make one call, and give its status."""
        made = channel.unary_unary("/greeter/call", request_serializer=None, response_deserializer=None)(b"")
        return await made.code()

    async def stat(self, name: str) -> int:
        """Ask Envoy for one of its counters."""
        url = f"http://{HOST}:{self.admin}/stats?filter=^{name}$"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return int((await response.text()).rpartition(":")[2])


def unchanged(config: Json) -> Json:
    """Give the configuration as it is."""
    return config


@contextlib.asynccontextmanager
async def envoy_before(
    servers: Sequence[Server], change: Callable[[Json], Json] = unchanged, **upstreams: object
) -> AsyncIterator[Here]:
    """Run Envoy before these; `change` is of the configuration, `upstreams` of what it is made from."""
    config = change(bootstrap(upstream(**upstreams)))
    names = listener_names(config)
    ports = free_ports(1 + len(servers) + len(names))
    admin, dialled, at = ports[0], ports[1 : 1 + len(servers)], dict(zip(names, ports[1 + len(servers) :], strict=True))
    servers_at = [(HOST, port) for port in dialled]
    clusters = {each["name"]: servers_at for each in config["static_resources"]["clusters"]}
    own = {"service": [(HOST, at["grpc"])], "admin": [(HOST, admin)], "drain": [(HOST, at["drain"])]}
    listeners = {name: (HOST, port) for name, port in at.items()}
    here = on_loopback(config, admin=(HOST, admin), listeners=listeners, clusters={**clusters, **own})
    for server, port in zip(servers, dialled, strict=True):
        await server.serve(port)
    place = Here(at, tuple(dialled), admin)
    with tempfile.TemporaryFile() as log, running(here, log.fileno()):
        async with place.channel() as channel:
            await channel.channel_ready()
        yield place
    for server in servers:
        await server.end()
