"""A cluster that tells what is asked of it, one line a request: `-v`.

    2026-11-24T12:00:00.120Z     12 ms  list pods in namespace shop  ok
    2026-11-24T12:00:08.300Z     31 ms  patch services greeter in namespace shop  refused: …

It tells names, and of a change not what is in it.
"""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from kubectl_grpclb.cluster.port import Cluster, Workshop
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.rbac import describe
from kubectl_grpclb.model.resources import BY_RESOURCE, resource_of
from kubectl_grpclb.model.snapshot import Reading, Refused, Request
from kubectl_grpclb.model.speech import Heard
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Apply, Delete, Denied, Insert, Outcome, PatchObject, Replace, Write

__all__ = ["ToldCluster", "ToldWorkshop"]

Tell = Callable[[str], None]
"""Takes a line, without its end."""

_Answered = TypeVar("_Answered")


class ToldCluster:
    """A `cluster.port.Cluster` that tells each request when it is answered."""

    def __init__(self, cluster: Cluster, tell: Tell) -> None:
        self._cluster, self._tell = cluster, tell

    @property
    def context(self) -> str:
        """The cluster's."""
        return self._cluster.context

    @property
    def namespace(self) -> str:
        """The cluster's."""
        return self._cluster.namespace

    async def read(self, request: Request) -> Reading:
        """Carry out one request, and tell the time that it took itself, without its waiting for its turn."""
        reading = await self._cluster.read(request)
        self._tell(_line(reading.at, reading.took, describe(request), _outcome(reading.answer)))
        return reading


class ToldWorkshop(ToldCluster):
    """A `cluster.port.Workshop` that tells each request, whatever it asks for."""

    def __init__(self, workshop: Workshop, tell: Tell) -> None:
        super().__init__(workshop, tell)
        self._workshop = workshop

    async def write(self, write: Write) -> Outcome:
        """Carry out one change."""
        return await self._told(_describe_write(write), self._workshop.write(write))

    async def fetch(self, resource: str, namespace: str, name: str) -> Outcome:
        """Read one whole object."""
        what = f"get {_full(resource)} {name} in namespace {namespace}"
        return await self._told(what, self._workshop.fetch(resource, namespace, name))

    async def fetch_all(self, resource: str, namespace: str, labels: str) -> Outcome:
        """Read the whole objects with these labels."""
        what = f"list {_full(resource)} in namespace {namespace} with {labels}"
        return await self._told(what, self._workshop.fetch_all(resource, namespace, labels))

    async def may(self, verb: str, resource: str, namespace: str) -> bool | None:
        """Ask whether the user may do this."""
        what = f"ask whether you may {verb} {resource} in namespace {namespace}"
        return await self._told(what, self._workshop.may(verb, resource, namespace))

    async def serves(self, group_version: str, resource: str) -> bool:
        """Ask whether the cluster has a resource at all."""
        what = f"ask whether the cluster has {resource} of {group_version}"
        return await self._told(what, self._workshop.serves(group_version, resource))

    async def greet(self, namespace: str, pod: str, port: int, seconds: float) -> Heard | Gap:
        """Make one gRPC health check of a pod's port."""
        what = f"check health over gRPC at port {port} of pod {pod} in namespace {namespace}"
        return await self._told(what, self._workshop.greet(namespace, pod, port, seconds))

    async def drain(self, namespace: str, pod: str) -> Gap | None:
        """Tell an Envoy of ours to ask its clients to connect elsewhere."""
        what = f"drain Envoy in pod {pod} in namespace {namespace}"
        return await self._told(what, self._workshop.drain(namespace, pod))

    async def _told(self, what: str, asked: Awaitable[_Answered]) -> _Answered:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        start = time.monotonic()
        try:
            answer = await asked
        except ClusterError as error:
            self._tell(_line(at, time.monotonic() - start, what, f"no answer: {error}"))
            raise
        self._tell(_line(at, time.monotonic() - start, what, _outcome(answer)))
        return answer


def _line(at: str, seconds: float, what: str, outcome: str) -> str:
    return f"{at} {seconds * 1000:6.0f} ms  {printable(what)}  {printable(outcome)}"


def _outcome(answer: object) -> str:
    match answer:
        case Denied() | Refused():
            return f"refused: {answer.message}"
        case Gap():
            return f"nothing: {answer.detail or answer.reason}"
        case Heard():
            return f"{answer.protocol} {answer.status}".rstrip()
        case bool():
            return "yes" if answer else "no"
    return "ok"


def _describe_write(write: Write) -> str:
    """Say what a change does, in the words of access control."""
    match write:
        case Apply():
            dry_run = ", dry run" if write.dry_run else ""
            return f"apply {_named(write)}{dry_run}"
        case Insert():
            return f"create {_named(write)}"
        case Replace():
            return f"update {_named(write)}"
        case PatchObject():
            dry_run = ", dry run" if write.dry_run else ""
            return f"patch {_full(write.resource)} {write.name} in namespace {write.namespace}{dry_run}"
        case Delete():
            return f"delete {_full(write.resource)} {write.name} in namespace {write.namespace}"


def _named(write: Apply | Insert | Replace) -> str:
    return f"{resource_of(write.manifest).full} {write.manifest['metadata']['name']} in namespace {write.namespace}"


def _full(resource: str) -> str:
    """Give a resource as kubectl takes it; one that is only ever read, by its plural."""
    return BY_RESOURCE[resource].full if resource in BY_RESOURCE else resource
