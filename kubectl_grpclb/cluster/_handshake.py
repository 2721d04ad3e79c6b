"""How a WebSocket begins and ends: what aiohttp keeps to itself of both."""

import asyncio
from contextvars import ContextVar

import aiohttp

from kubectl_grpclb.cluster._reply import HandshakeRefusedError, Reply, first_of, pause_of

__all__ = ["Socket", "connection_of_last", "leave", "watch_handshake"]

CLOSE_SECONDS = 0.5
"""How long to wait for the server to close a WebSocket before it is torn down."""

Socket = aiohttp.ClientWebSocketResponse[bool]

_transport: ContextVar[asyncio.Transport | None] = ContextVar("_transport", default=None)
"""The connection of the WebSocket that this task opened last."""


async def watch_handshake(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep what aiohttp drops of a WebSocket handshake: a refusal's body, an opened one's connection.

    It is a middleware for the session.
    """
    response = await handler(request)
    if request.headers.get("Upgrade") != "websocket":
        return response
    if response.status == 101:
        _transport.set(response.connection.transport if response.connection else None)
        return response
    reply = Reply(response.status, await first_of(response.content), pause_of(response))
    response.close()
    raise HandshakeRefusedError(reply)


def connection_of_last() -> asyncio.Transport | None:
    """Give the connection of the WebSocket that this task opened last."""
    return _transport.get()


async def leave(socket: Socket, transport: asyncio.Transport | None) -> None:
    """Close politely, but not for long, and leave nothing open behind.

    By itself aiohttp would go on reading whatever the server still sends, and leave the end of TLS to a
    task of the event loop that may outlive it.
    """
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await socket.close()
    except TimeoutError:
        pass
    finally:
        if transport is not None:
            transport.abort()
