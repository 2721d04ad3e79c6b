"""Calls of grpc.channelz.v1, counted and bounded: whatever a server answers, a listing ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

import grpc
from google.protobuf.message import DecodeError

__all__ = ["PAGE", "Calls", "GarbledError", "Turns", "each", "pages"]

IN_FLIGHT = 32
"""Calls at a time on the one connection."""

PAGES = 256
"""Answers that one listing may take."""

PAGE = 1000
"""Entries to ask for at a time; a server may give fewer."""

_METHOD = "/grpc.channelz.v1.Channelz/{}"

Answer = TypeVar("Answer")
Found = TypeVar("Found")

Turn = Callable[[int], Awaitable[tuple[Sequence[tuple[int, Found]], bool]]]
"""Reads the page of a listing from an id on: the entries with their ids, and whether it is the last page."""


class GarbledError(Exception):
    """What was answered does not keep to channelz's protocol."""


class _Request(Protocol):
    def SerializeToString(self) -> bytes: ...  # noqa: N802 -- protobuf's name


class Turns:
    """The turns that one request has among those of all; its time limit stands still while it waits for one."""

    def __init__(self, everybodys: asyncio.Semaphore, limit: asyncio.Timeout) -> None:
        self._everybodys, self._limit = everybodys, limit

    @property
    def left(self) -> float:
        """Seconds until the limit."""
        until = self._limit.when()
        return float("inf") if until is None else until - asyncio.get_running_loop().time()

    @asynccontextmanager
    async def next(self) -> AsyncIterator[None]:
        """Wait for the next turn, and have it."""
        left = self.left
        self._limit.reschedule(None)
        async with self._everybodys:
            self._limit.reschedule(asyncio.get_running_loop().time() + left)
            yield


class Calls:
    """One channel's calls, which have to be answered within the request's limit."""

    def __init__(self, channel: grpc.aio.Channel, turns: Turns) -> None:
        self._channel = channel
        self._turns = turns
        self._methods: dict[str, grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = {}
        self.begun = 0
        """How many there were so far; a server counts them with the others."""
        self.answered = False
        """Whether one was answered, so that what answers is known to serve channelz."""

    async def call(self, method: str, request: _Request, parse: Callable[[bytes], Answer]) -> Answer:
        """Make one call. Raises grpc.aio.AioRpcError where it fails and GarbledError where it is not understood."""
        if method not in self._methods:
            self._methods[method] = self._channel.unary_unary(_METHOD.format(method), bytes, bytes)
        self.begun += 1
        raw = await self._methods[method](request.SerializeToString(), timeout=max(0.001, self._turns.left))
        try:
            answer = parse(raw)
        except DecodeError as error:
            raise GarbledError(f"the answer to {method} is not a channelz message") from error
        self.answered = True
        return answer

    async def find(self, method: str, request: _Request, parse: Callable[[bytes], Answer]) -> Answer | None:
        """Do the same; None where what was asked for has gone meanwhile."""
        try:
            return await self.call(method, request, parse)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
        return None


async def each(ids: Iterable[int], ask: Callable[[int], Awaitable[Found | None]]) -> tuple[Found, ...]:
    """Ask for each of these, several at a time, and give those that are still there, in order.

    The first error ends them all.
    """
    found: dict[int, Found] = {}
    wanted = list(dict.fromkeys(ids))
    left = iter(wanted)

    async def work(left: Iterator[int]) -> None:
        for number in left:
            answer = await ask(number)
            if answer is not None:
                found[number] = answer

    workers = [asyncio.ensure_future(work(left)) for _ in range(min(IN_FLIGHT, len(wanted)))]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return tuple(found[number] for number in wanted if number in found)


async def pages(turn: Turn[Found], most: int) -> list[Found]:
    """Read a listing page by page until its end, or until there are `most` entries.

    Raises GarbledError where a page brings nothing new although it is not the last, or where there is no end.
    """
    found: dict[int, Found] = {}
    start = 0
    for _ in range(PAGES):
        entries, end = await turn(start)
        found |= entries
        if end or len(found) >= most:
            return list(found.values())[:most]
        last = max((number for number, _ in entries), default=-1)
        if last < start:
            raise GarbledError("a channelz listing does not end, but brings nothing new")
        start = last + 1
    raise GarbledError(f"a channelz listing has more than {PAGES} pages")
