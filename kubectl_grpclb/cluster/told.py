"""Tells what is asked of a cluster, one line a request: `-v`, and with `-vv` when, and how long it took.

    list pods in namespace shop  3 objects
    2026-11-24T12:00:00.120Z     12 ms  list pods in namespace shop  3 objects
    2026-11-24T12:00:08.300Z     31 ms  patch services greeter in namespace shop  refused (403): …

It tells names, and of a change not what is in it; of a credential plugin its name, not what it is given or gives.
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

from kubectl_grpclb.cluster.port import Cluster, Workshop
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.rbac import describe
from kubectl_grpclb.model.resources import BY_RESOURCE, resource_of
from kubectl_grpclb.model.snapshot import (
    AskChannelz,
    AskEnvoy,
    AskPrometheus,
    Objects,
    Output,
    Reading,
    Refused,
    Request,
    Scrape,
)
from kubectl_grpclb.model.speech import Heard
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Apply, Delete, Denied, Insert, Outcome, PatchObject, Replace, Write

__all__ = ["Teller", "ToldCluster", "ToldWorkshop"]

_Answered = TypeVar("_Answered")


class Teller:
    """Writes the lines; `write` takes one without its end."""

    def __init__(self, write: Callable[[str], None], *, times: bool = False) -> None:
        self._write, self._times = write, times

    def say(self, what: str) -> None:
        """Tell what is no request."""
        self._write(f"{f'{_now()}              ' if self._times else ''}{printable(what)}")

    def tell(self, at: str, seconds: float, what: str, outcome: str) -> None:
        """Tell a request: when it began, RFC 3339, how long it took, and what came of it."""
        when = f"{at} {seconds * 1000:6.0f} ms  " if self._times else ""
        self._write(f"{when}{printable(what)}  {printable(outcome)}")

    @contextmanager
    def timing(self, what: str) -> Iterator[None]:
        """Tell something when it is over, also where it failed."""
        at, start, outcome = _now(), time.monotonic(), "failed"
        try:
            yield
            outcome = "ok"
        finally:
            self.tell(at, time.monotonic() - start, what, outcome)


class ToldCluster:
    """A `cluster.port.Cluster` that tells each request when it is answered."""

    def __init__(self, cluster: Cluster, teller: Teller) -> None:
        self._cluster, self._teller = cluster, teller

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
        what, at, start = f"{describe(request)}{_way(request)}", _now(), time.monotonic()
        try:
            reading = await self._cluster.read(request)
        except ClusterError as error:
            self._teller.tell(at, time.monotonic() - start, what, f"no answer: {error}")
            raise
        self._teller.tell(reading.at, reading.took, what, _outcome(reading.answer))
        return reading

    async def version(self) -> str | None:
        """Ask which Kubernetes it is."""
        at, start = _now(), time.monotonic()
        version = await self._cluster.version()
        self._teller.tell(at, time.monotonic() - start, "get /version", version or "nothing")
        return version


class ToldWorkshop(ToldCluster):
    """A `cluster.port.Workshop` that tells each request, whatever it asks for."""

    def __init__(self, workshop: Workshop, teller: Teller) -> None:
        super().__init__(workshop, teller)
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

    async def may(self, verb: str, resource: str, namespace: str, name: str = "") -> bool | None:
        """Ask whether the user may do this."""
        where = f"in namespace {namespace}" if namespace else "in every namespace"
        what = f"ask whether you may {verb} {f'{resource} {name}'.rstrip()} {where}"
        return await self._told(what, self._workshop.may(verb, resource, namespace, name))

    async def serves(self, group_version: str, resource: str) -> bool:
        """Ask whether the cluster has a resource at all."""
        what = f"ask whether the cluster has {resource} of {group_version}"
        return await self._told(what, self._workshop.serves(group_version, resource))

    async def greet(self, namespace: str, pod: str, port: int, seconds: float) -> Heard | Gap:
        """Make one gRPC health check of a pod's port."""
        what = f"check health over gRPC at port {port} of pod {pod} in namespace {namespace} (port-forward)"
        return await self._told(what, self._workshop.greet(namespace, pod, port, seconds))

    async def drain(self, namespace: str, pod: str) -> Gap | None:
        """Tell an Envoy of ours to ask its clients to connect elsewhere."""
        what = f"drain Envoy in pod {pod} in namespace {namespace} (port-forward)"
        return await self._told(what, self._workshop.drain(namespace, pod))

    async def _told(self, what: str, asked: Awaitable[_Answered]) -> _Answered:
        at, start = _now(), time.monotonic()
        try:
            answer = await asked
        except ClusterError as error:
            self._teller.tell(at, time.monotonic() - start, what, f"no answer: {error}")
            raise
        self._teller.tell(at, time.monotonic() - start, what, _outcome(answer))
        return answer


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _way(request: Request) -> str:
    """Say how it gets there, where that is not the request itself."""
    match request:
        case AskEnvoy() | AskChannelz():
            return " (port-forward)"
        case Scrape():
            return " (pod proxy)"
        case AskPrometheus(server=server) if server.startswith("svc/"):
            return " (service proxy)"
    return ""


def _outcome(answer: object) -> str:
    match answer:
        case Denied() | Refused():
            return f"refused{f' ({answer.status})' if answer.status else ''}: {answer.message}"
        case Objects():
            return f"{len(answer.items)} object{'s' if len(answer.items) != 1 else ''}"
        case Output(gap=None):
            return f"{len(answer.stdout.raw())} bytes"
        case Output():
            return f"incomplete: {answer.detail or answer.gap}"
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
