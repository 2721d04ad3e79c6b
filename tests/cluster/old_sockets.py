"""A kubelet of Kubernetes 1.27 behind its API server, as far as WebSockets go, down to the bytes.

It is written after kubernetes/kubernetes pkg/kubelet/cri/streaming/{remotecommand,portforward}/websocket.go and
golang.org/x/net/websocket of that time: it knows the protocols up to v4, takes the first that it knows of those that
are offered, answers 403 where it knows none, and goes without waiting for the other side's end.
"""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

__all__ = ["Script", "kubelet", "receive", "send"]

KNOWN = ("channel.k8s.io", "base64.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io")
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455 §1.3."""

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""What it does with an open WebSocket."""


def send(writer: asyncio.StreamWriter, message: bytes) -> None:
    """Write one binary message, unmasked, as servers do."""
    length = bytes([len(message)]) if len(message) < 126 else b"\x7e" + len(message).to_bytes(2, "big")
    writer.write(b"\x82" + length + message)


async def receive(reader: asyncio.StreamReader) -> bytes:
    """Read one message of up to 64 kB, masked, as clients send them."""
    _, told = await reader.readexactly(2)
    short = told & 0x7F
    length = int.from_bytes(await reader.readexactly(2), "big") if short == 126 else short
    mask = await reader.readexactly(4)
    masked = await reader.readexactly(length)
    return bytes(byte ^ mask[place % 4] for place, byte in enumerate(masked))


@asynccontextmanager
async def kubelet(script: Script, heads: list[str]) -> AsyncIterator[str]:
    """Serve WebSockets with a script; keep the head of each request. Gives the address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            heads.append(head)
            writer.write(_answer(head))
            if _chosen(head):
                await script(reader, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other side had enough
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def _answer(head: str) -> bytes:
    protocol = _chosen(head)
    if not protocol:
        return b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    accept = base64.b64encode(hashlib.sha1(_header(head, "sec-websocket-key").encode() + _GUID).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + accept
        + b"\r\nSec-WebSocket-Protocol: "
        + protocol.encode()
        + b"\r\n\r\n"
    )


def _chosen(head: str) -> str:
    offered = [each.strip() for each in _header(head, "sec-websocket-protocol").split(",")]
    return next((each for each in offered if each in KNOWN), "")


def _header(head: str, name: str) -> str:
    lines = (line.partition(":") for line in head.split("\r\n")[1:])
    return next((value.strip() for key, _, value in lines if key.lower() == name), "")
