"""What an API server said: a status, a body, and when to come back."""

import re

import aiohttp
import msgspec
from msgspec import Struct

__all__ = [
    "HandshakeRefusedError",
    "Reply",
    "TooLargeError",
    "body_of",
    "first_of",
    "is_status",
    "is_web_page",
    "page_words",
    "pause_of",
    "status_message",
]

_REFUSAL_LIMIT = 64 * 1024


class Reply(Struct, frozen=True):
    """What the server said; `pause` is its Retry-After in seconds."""

    status: int
    body: bytes
    pause: float | None = None

    @property
    def busy(self) -> bool:
        """Whether the server asks to come back later, as its priority and fairness do."""
        return self.status == 429 or (self.status == 503 and self.pause is not None)


class HandshakeRefusedError(Exception):
    """A WebSocket was not opened; carries the server's reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"HTTP {reply.status}")
        self.reply = reply


class _Status(Struct, frozen=True):
    kind: str = ""
    message: str = ""
    reason: str = ""


def is_status(reply: Reply) -> bool:
    """Tell whether the API server speaks for itself, and not for a pod or Service that it is a proxy for."""
    try:
        return msgspec.json.decode(reply.body, type=_Status).kind == "Status"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def is_web_page(reply: Reply) -> bool:
    """Tell whether it came from something that speaks to people: a login page, a proxy."""
    return reply.body.lstrip()[:1] == b"<"


def page_words(reply: Reply) -> str:
    """Give the first words of a web page."""
    words = re.sub(rb"<[^>]*>", b" ", reply.body[:2000]).decode("utf-8", "replace").split()
    return " ".join(words)[:120] or "nothing more"


def status_message(reply: Reply) -> str:
    """Give the words of a Kubernetes Status, or of whatever text came instead of one."""
    try:
        status = msgspec.json.decode(reply.body, type=_Status)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return reply.body[:300].decode("utf-8", "replace").strip() or f"HTTP {reply.status} with an empty answer"
    return status.message[:2000] or status.reason[:100] or f"HTTP {reply.status}"


def pause_of(response: aiohttp.ClientResponse) -> float | None:
    """Give the Retry-After of a response in seconds; one that is a date counts as none."""
    try:
        return max(0.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None


class TooLargeError(Exception):
    """An answer passed its size limit, and was left there."""


async def body_of(response: aiohttp.ClientResponse, limit: int | None) -> bytes:
    """Read a body of up to `limit` bytes, None for any number. Raises TooLargeError."""
    if limit is None:
        return await response.read()
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise TooLargeError
    return bytes(body)


async def first_of(stream: aiohttp.StreamReader) -> bytes:
    """Give the beginning of a refusal's body, which is enough for its words."""
    kept = bytearray()
    while len(kept) < _REFUSAL_LIMIT and (chunk := await stream.read(_REFUSAL_LIMIT - len(kept))):
        kept += chunk
    return bytes(kept)
