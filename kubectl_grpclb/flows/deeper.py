"""A cluster that also does what `--debug` and `--via node` ask for, which changes it."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from types import TracebackType

from kubectl_grpclb.change.leftovers import remove_leftovers
from kubectl_grpclb.change.node_look import look_from_node
from kubectl_grpclb.change.open_up import open_up
from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.model.snapshot import LookFromNode, OpenUp, Reading, Request

__all__ = ["DeepCluster"]

START_SECONDS = 60.0
"""How long a container of ours may take to run; the node may have to get its image."""

_AT_ONCE = 16
"""Containers being started at a time."""


class DeepCluster:
    """A `cluster.port.Cluster` that carries out OpenUp and LookFromNode too.

    It is an async context manager: at its end no pod of a look is left, also where one look's error ended the others'
    reader.
    """

    def __init__(self, workshop: Workshop, start_seconds: float = START_SECONDS) -> None:
        self._workshop, self._start_seconds = workshop, start_seconds
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._at_work: set[asyncio.Task[Reading]] = set()
        self._swept: dict[str, asyncio.Task[int]] = {}

    async def __aenter__(self) -> "DeepCluster":
        """Give the cluster; nothing is asked of it yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """End the looks that are still at work, and await that their pods are deleted."""
        await self.aclose()

    @property
    def context(self) -> str:
        """The cluster's."""
        return self._workshop.context

    @property
    def namespace(self) -> str:
        """The cluster's."""
        return self._workshop.namespace

    async def read(self, request: Request) -> Reading:
        """Carry out one request. Raises ClusterError where the cluster as a whole gave no answer."""
        match request:
            case OpenUp():
                return await self._work(partial(open_up, self._workshop, request, self._start_seconds))
            case LookFromNode():
                await self._sweep(request.namespace)
                look = partial(look_from_node, self._workshop, request, start_seconds=self._start_seconds)
                return await self._work(look)
            case _:
                return await self._workshop.read(request)

    async def aclose(self) -> None:
        """End what is still at work."""
        tasks = [*self._at_work, *self._swept.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, work: Callable[[], Awaitable[Reading]]) -> Reading:
        task = asyncio.ensure_future(self._in_turn(work))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        return await task

    async def _in_turn(self, work: Callable[[], Awaitable[Reading]]) -> Reading:
        async with self._turns:
            return await work()

    async def _sweep(self, namespace: str) -> None:
        """Delete once in each namespace what a killed process left."""
        if namespace not in self._swept:
            self._swept[namespace] = asyncio.ensure_future(remove_leftovers(self._workshop, namespace))
        await asyncio.shield(self._swept[namespace])
