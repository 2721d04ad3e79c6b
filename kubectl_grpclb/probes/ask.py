"""What one diagnosis asks for, and how to find its answers in what was read."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Literal, TypeVar

from msgspec import Struct

from kubectl_grpclb.model.command import NO_SOURCE_FLAGS, NOT_GIVEN, Aim, ClusterFlags, SourceFlags
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.kube import (
    Autoscaler,
    EndpointSlice,
    Monitor,
    Namespace,
    Node,
    Pod,
    PodMetrics,
    Service,
    Workload,
)
from kubectl_grpclb.model.look import DEBUG_IMAGE
from kubectl_grpclb.model.rbac import rule_for
from kubectl_grpclb.model.snapshot import Get, List, Objects, Reading, Refused, Request

__all__ = ["Ask", "Observer", "Via", "between", "found", "gap_of", "quiet", "readings_of"]

Kind = TypeVar("Kind", Autoscaler, EndpointSlice, Monitor, Namespace, Node, Pod, PodMetrics, Service, Workload)

Via = Literal["auto", "metrics", "channelz", "exec", "debug", "node", "prometheus"]

READ_ONLY: frozenset[Via] = frozenset({"metrics", "channelz", "exec"})
"""The sources that `auto` may ask: none of them adds anything to the cluster."""

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
    via: tuple[Via, ...] = ("auto",)
    """The sources to ask; `auto` takes the cheapest that answers for each quantity."""
    metrics_port: int | str | None = None
    """Number or name of the pods' port for metrics, where the user gave one."""
    metrics_path: str | None = None
    prometheus: str | None = None
    """`--prometheus` without its user's name and password."""
    prometheus_range: float = 300.0
    """Seconds that Prometheus is asked about."""
    channelz_port: int | None = None
    """The port of channelz, where it is not the one that is diagnosed."""
    client_channelz_port: int | None = None
    """The port where clients serve channelz, where the user gave one."""
    tls: bool = False
    """Channelz is asked over TLS."""
    debug: bool = False
    """Pods without a shell may be given an ephemeral container."""
    debug_image: str = DEBUG_IMAGE
    node_namespace: str | None = None
    """Where a look from a node runs its pods, if not beside the Service."""
    flags: ClusterFlags = NOT_GIVEN
    """Those that the user gave to say which cluster; they change nothing but the commands that are shown."""
    source_flags: SourceFlags = NO_SOURCE_FLAGS
    """Those that the user gave to say where figures are, for the same commands."""

    @property
    def aim(self) -> Aim:
        """What commands to copy are about."""
        return Aim(self.namespace, self.service, self.port, self.flags, self.cluster_domain, self.source_flags)

    def names(self, source: Via) -> bool:
        """Whether the user asked for this source, by --via or by a flag that says where it is."""
        return source in self.via or source in self.source_flags.named

    def asks(self, source: Via) -> bool:
        """Whether the user chose this source, or left the choice to us and it changes nothing."""
        return source in self.via or ("auto" in self.via and source in READ_ONLY)


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


def gap_of(request: Request, refused: Refused) -> Gap:
    """Give a refusal as a gap, with the rule that would allow the request where that was forbidden."""
    rule = rule_for(request) if refused.reason is GapReason.FORBIDDEN else ""
    return Gap(refused.reason, refused.message, rule)


def between(first: Reading, last: Reading) -> float:
    """Give the seconds from one answer to the other, 0 where the clock does not tell."""
    try:
        ends = [datetime.fromisoformat(each.at) + timedelta(seconds=each.took) for each in (first, last)]
        return max(0.0, (ends[1] - ends[0]).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return 0.0
