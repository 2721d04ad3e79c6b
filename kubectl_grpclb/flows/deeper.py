"""A cluster that also does what `--debug` and `--via node` ask for, which changes it."""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine
from types import TracebackType

from kubectl_grpclb.change.leftovers import remove_leftovers
from kubectl_grpclb.change.node_look import look_from_node
from kubectl_grpclb.change.open_up import not_tried, open_up
from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.model.command import NOT_GIVEN, ClusterFlags
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import LookFromNode, OpenUp, Reading, Refused, Request

__all__ = ["DeepCluster"]

START_SECONDS = 60.0
"""How long a container of ours may take to run; the node may have to get its image."""

_AT_ONCE = 16
"""Containers being started at a time."""

_OF_ALL = frozenset({GapReason.FORBIDDEN, GapReason.TIMED_OUT})
"""Why one pod could not be opened up, and no other could either."""


class _First:
    """The first try with an image in a namespace; the others wait for it."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.over = False
        self.refused: tuple[str, Refused] | None = None
        """The pod and why it could not be opened up, where that holds for every other."""

    def learn(self, reading: Reading, pod: str) -> None:
        """Take what the first try came to; where it says something of its pod only, the next one is the first."""
        answer = reading.answer
        if not isinstance(answer, Refused):
            self.over = True
        elif answer.reason in _OF_ALL or (answer.reason is GapReason.DIED and answer.status is None):
            self.over, self.refused = True, (pod, answer)


class _Permissions:
    """What the user may do: each is asked for once, unless no answer comes."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._turns: defaultdict[tuple[str, str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._known: dict[tuple[str, str, str], bool | None] = {}

    async def may(self, verb: str, resource: str, namespace: str) -> bool | None:
        """Ask whether the user may do this."""
        what = (verb, resource, namespace)
        async with self._turns[what]:
            if what not in self._known:
                self._known[what] = await self._workshop.may(*what)
            return self._known[what]


class DeepCluster:
    """A `cluster.port.Cluster` that carries out OpenUp and LookFromNode too.

    It is an async context manager: at its end no pod of a look is left, also where one look's error ended the others'
    reader. Those that could not be deleted are told in `left_behind`, a sentence each;
    `flags` said which cluster, and the commands there repeat them.
    """

    def __init__(
        self, workshop: Workshop, start_seconds: float = START_SECONDS, flags: ClusterFlags = NOT_GIVEN
    ) -> None:
        self._workshop, self._start_seconds, self._flags = workshop, start_seconds, flags
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._at_work: set[asyncio.Task[Reading]] = set()
        self._firsts: defaultdict[tuple[str, str], _First] = defaultdict(_First)
        self._permissions = _Permissions(workshop)
        self.left_behind: list[str] = []
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
                return await self._work(self._open(request))
            case LookFromNode():
                await self._sweep(request.namespace)
                return await self._work(self._look(request))
            case _:
                return await self._workshop.read(request)

    async def version(self) -> str | None:
        """Ask which Kubernetes it is."""
        return await self._workshop.version()

    async def aclose(self) -> None:
        """End what is still at work."""
        tasks = [*self._at_work, *self._swept.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, work: Coroutine[object, object, Reading]) -> Reading:
        task = asyncio.ensure_future(work)
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        return await task

    async def _open(self, request: OpenUp) -> Reading:
        """Open a pod up, the first one with its image alone: what is added stays, also where it cannot run."""
        first = self._firsts[request.namespace, request.image]
        if not first.over:
            async with first.turn:
                if not first.over:
                    reading = await self._open_in_turn(request)
                    first.learn(reading, request.pod)
                    return reading
        if first.refused is not None:
            return await not_tried(request, *first.refused)
        return await self._open_in_turn(request)

    async def _open_in_turn(self, request: OpenUp) -> Reading:
        async with self._turns:
            return await open_up(self._workshop, request, self._start_seconds, may=self._permissions.may)

    async def _look(self, request: LookFromNode) -> Reading:
        async with self._turns:
            return await look_from_node(
                self._workshop,
                request,
                start_seconds=self._start_seconds,
                may=self._permissions.may,
                tell=self.left_behind.append,
                flags=self._flags,
            )

    async def _sweep(self, namespace: str) -> None:
        """Delete once in each namespace what a killed process left."""
        if namespace not in self._swept:
            self._swept[namespace] = asyncio.ensure_future(remove_leftovers(self._workshop, namespace))
        await asyncio.shield(self._swept[namespace])
