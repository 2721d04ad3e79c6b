"""Port-forward: a port of a pod as a port of this machine, for as long as it is needed.

Each connection is a WebSocket of its own. Its messages begin with a channel's number: 0 carries data, 1 what went
wrong; the first message of each channel is the port, little-endian (kubernetes/kubernetes
pkg/kubelet/server/portforward/websocket.go).
"""

import asyncio
import errno
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress

import aiohttp

from kubectl_grpclb.cluster._api import Api, Socket
from kubectl_grpclb.cluster._failures import words
from kubectl_grpclb.cluster._objects import refusal
from kubectl_grpclb.cluster._reply import HandshakeRefusedError, Reply, status_message
from kubectl_grpclb.model.errors import GrpclbError
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.text import printable

__all__ = ["Forward", "forward"]

_PROTOCOL = "v4.channel.k8s.io"
_PATH = "/api/v1/namespaces/{namespace}/pods/{pod}/portforward"
_DATA, _ERROR = 0, 1
_CHUNK = 32 * 1024
_LIMIT = 1024 * 1024
_HEADER = 2
"""Bytes of the port number that opens each channel."""


class Forward:
    """One forwarded port: `port` is the one on 127.0.0.1; what went wrong with its last connection is kept."""

    def __init__(self, api: Api, namespace: str, pod: str, target: int) -> None:
        self._api = api
        self._names = {"namespace": namespace, "pod": pod}
        self._target = target
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = False
        self.port = 0
        self.refused: Reply | None = None
        """What the API server answered in place of a connection: a missing permission, a pod that is gone."""
        self.trouble = ""
        """What the kubelet said, as where nothing listens on the port."""

    def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection; this is asyncio's callback for it."""
        if self._ended:  # it was accepted before the port was closed, and asyncio comes with it only now
            writer.transport.abort()
            return
        task = asyncio.create_task(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: writer.close())  # also where it is ended before it began

    def gap(self) -> Gap:
        """Say why the last connection came to nothing."""
        if self.refused is None:
            return Gap(GapReason.DIED, self.trouble or "the connection ended")
        return Gap(refusal(self.refused).reason, status_message(self.refused))

    async def end(self) -> None:
        """Close every connection, and each that still comes."""
        self._ended = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            query = [("ports", str(self._target))]
            async with self._api.websocket(_PATH, self._names, query, protocol=_PROTOCOL, limit=_LIMIT) as socket:
                await _either(self._up(reader, socket), self._down(socket, writer))
        except HandshakeRefusedError as error:
            self.refused = error.reply
        except GrpclbError as error:
            self.trouble = str(error)
        except (aiohttp.ClientError, OSError) as error:
            # what the kubelet said goes before what broke because of it
            self.trouble = self.trouble or f"the connection for the port-forward broke: {words(error)}"
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _up(self, reader: asyncio.StreamReader, socket: Socket) -> None:
        while chunk := await reader.read(_CHUNK):
            await socket.send_bytes(bytes([_DATA]) + chunk)

    async def _down(self, socket: Socket, writer: asyncio.StreamWriter) -> None:
        opened: set[int] = set()
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
                continue
            channel, content = message.data[0], message.data[1:]
            if channel not in opened:
                opened.add(channel)
                content = content[_HEADER:]
            if channel == _ERROR and content:
                self.trouble = printable(content.decode("utf-8", "replace"))[:300]
                return
            if content:
                writer.write(content)
                await writer.drain()


@asynccontextmanager
async def forward(api: Api, namespace: str, pod: str, port: int) -> AsyncIterator[Forward]:
    """Forward a pod's port to one of this machine's own, on 127.0.0.1, and close it come what may.

    Nothing is asked of the cluster before somebody connects. Raises OSError where this machine has no port for it.
    """
    forwarded = Forward(api, namespace, pod, port)
    server = await asyncio.start_server(forwarded.take, "127.0.0.1", 0)
    try:
        if not server.sockets:  # asyncio takes it for an address that the machine does not have, and says nothing
            raise OSError(errno.EMFILE, "could not open a local port: too many open files (see ulimit -n)")
        forwarded.port = server.sockets[0].getsockname()[1]
        yield forwarded
    finally:
        server.close()
        await forwarded.end()


async def _either(*ways: Coroutine[object, object, None]) -> None:
    """Run both directions until one ends, then end the other; an error of either is raised."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
