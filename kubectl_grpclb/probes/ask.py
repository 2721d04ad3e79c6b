"""What one diagnosis asks for, and how to find its answers in what was read."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from msgspec import Struct

from kubectl_grpclb.model.kube import EndpointSlice, Namespace, Node, Pod, Service, Workload
from kubectl_grpclb.model.snapshot import Get, List, Objects, Reading

__all__ = ["Ask", "Observer", "found", "quiet", "readings_of"]

Kind = TypeVar("Kind", EndpointSlice, Namespace, Node, Pod, Service, Workload)

Observer = Callable[[str, int, int], None]
"""Told what is being read, how many of them are done, and how many there are."""


class Ask(Struct, frozen=True):
    """One Service to diagnose, and how."""

    namespace: str
    service: str
    port: str | None = None
    """The port's name or number, where the user gave one."""
    window: float = 5.0
    """Seconds between the two looks at each pod's sockets; 0 for a single look."""
    look_limit: float = 20.0
    """Seconds that a look may take beyond the window before it becomes a gap."""
    cluster_domain: str | None = None


def quiet(what: str, done: int, total: int) -> None:
    """Observe nothing."""


def readings_of(readings: Iterable[Reading], resource: str) -> Iterator[Reading]:
    """Give the readings whose request was for this resource."""
    for reading in readings:
        if isinstance(reading.request, Get | List) and reading.request.resource == resource:
            yield reading


def found(readings: Iterable[Reading], resource: str, kind: type[Kind]) -> list[Kind]:
    """Give every object of a resource, each once, in the order in which they were read."""
    objects = {
        (item.metadata.namespace, item.metadata.name): item
        for reading in readings_of(readings, resource)
        if isinstance(reading.answer, Objects)
        for item in reading.answer.items
        if isinstance(item, kind)
    }
    return list(objects.values())
