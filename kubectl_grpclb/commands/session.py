"""Opens a cluster for a verb, runs its flow in an event loop and shows the progress."""

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from kubectl_grpclb.commands.connection import Connection
from kubectl_grpclb.commands.options import dns_domain, duration, service_name
from kubectl_grpclb.commands.progress import Progress
from kubectl_grpclb.commands.sources import NOT_CHOSEN, Sources
from kubectl_grpclb.flows.diagnose import diagnosed, recorded
from kubectl_grpclb.model.command import ClusterFlags
from kubectl_grpclb.model.errors import GrpclbError, UsageError
from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.model.snapshot import Snapshot
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.probes.ask import Ask

if TYPE_CHECKING:
    from kubectl_grpclb.cluster.kube import ConnectOptions
    from kubectl_grpclb.cluster.port import Cluster, Workshop
    from kubectl_grpclb.cluster.told import Teller

__all__ = ["Diagnoses", "Failed", "Question", "connect_options", "diagnose", "record", "window_of"]

_LONGEST_WINDOW = 600.0
_LOOKS_IN_FLIGHT = 8
"""One look each: the execs are bound by the nodes' work (docs/performance.md)."""
_WAITING_IN_FLIGHT = 128
"""Two looks each: most execs sleep between them."""


class Question(Struct, frozen=True):
    """Which Services, and how: the flags' values as they were given."""

    services: tuple[str, ...]
    port: str | None
    window: str
    cluster_domain: str | None
    sources: Sources = NOT_CHOSEN


class Failed(Struct, frozen=True):
    """A Service that could not be read, and why."""

    service: str
    error: GrpclbError


class Diagnoses(Struct, frozen=True):
    """What came of each Service, in their order."""

    done: tuple[tuple[Snapshot, Report], ...]
    failed: tuple[Failed, ...] = ()

    @property
    def complaints(self) -> list[str]:
        """Each error once, after the Services that it is about: of a cluster that is not there, all of them."""
        services: dict[str, list[str]] = {}
        for each in self.failed:
            services.setdefault(str(each.error), []).append(f"svc/{each.service}")
        return [f"{', '.join(named)}: {error}" for error, named in services.items()]


def diagnose(connection: Connection, question: Question, *, verbose: int) -> Diagnoses:
    """Diagnose each Service in turn; one of several that cannot be read takes nothing from the others.

    Raises GrpclbError where a flag or the kubeconfig cannot be used, or the only Service cannot be read.
    """
    if len(question.services) == 1:
        snapshot = record(connection, question, verbose=verbose)
        return Diagnoses(((snapshot, diagnosed(snapshot)),))
    read = _read(connection, question, verbose=verbose)
    return Diagnoses(
        tuple((each, diagnosed(each)) for each in read if isinstance(each, Snapshot)),
        tuple(each for each in read if isinstance(each, Failed)),
    )


def record(connection: Connection, question: Question, *, verbose: int) -> Snapshot:
    """Read the question's only Service. Raises GrpclbError."""
    (read,) = _read(connection, question, verbose=verbose)
    if isinstance(read, Failed):
        raise read.error
    return read


def window_of(text: str) -> float:
    """Read --window, in seconds. Raises UsageError."""
    window = duration(text, "--window")
    if window > _LONGEST_WINDOW:
        raise UsageError(f"--window must be at most {_LONGEST_WINDOW / 60:.0f} minutes")
    return window


def connect_options(
    connection: Connection,
    *,
    in_flight: int = _WAITING_IN_FLIGHT,
    sources: Sources = NOT_CHOSEN,
    verbose: int = 0,
) -> "ConnectOptions":
    """Read the flags that name the cluster; `verbose` is how often -v was given. Raises UsageError."""
    from kubectl_grpclb.cluster.kube import ConnectOptions

    timeout = None if connection.request_timeout is None else duration(connection.request_timeout, "--request-timeout")
    return ConnectOptions(
        kubeconfig=connection.flags.kubeconfig,
        context=connection.context,
        cluster=connection.cluster,
        namespace=connection.namespace,
        as_user=connection.as_user,
        as_groups=connection.as_groups,
        request_timeout=timeout,
        in_flight=in_flight,
        channelz=sources.tls_options(),
        prometheus=sources.prometheus,
        teller=_teller(verbose),
    )


def _teller(verbose: int) -> "Teller | None":
    if not verbose:
        return None
    from kubectl_grpclb.cluster.told import Teller

    return Teller(Progress().tell, times=verbose > 1)


def _read(connection: Connection, question: Question, *, verbose: int) -> list[Snapshot | Failed]:
    asks = [
        question.sources.asked(
            Ask(
                namespace="",
                service=service_name(text),
                port=question.port,
                window=window_of(question.window),
                cluster_domain=dns_domain(question.cluster_domain),
                flags=connection.flags,
            )
        )
        for text in question.services
    ]
    return asyncio.run(_read_each(connection, question.sources, asks, verbose=verbose))


async def _read_each(
    connection: Connection, sources: Sources, asks: Sequence[Ask], *, verbose: int
) -> list[Snapshot | Failed]:
    in_flight = _WAITING_IN_FLIGHT if any(ask.window for ask in asks) else _LOOKS_IN_FLIGHT
    chosen = connect_options(connection, in_flight=in_flight, sources=sources, verbose=verbose)
    async with _connected(chosen, connection.flags, changes=sources.changes) as cluster:
        gc.freeze()  # what was imported stays, so that no collection need go through it
        gc.enable()  # __main__ turned it off for the imports, which end here
        return [await _read_one(cluster, replace(ask, namespace=cluster.namespace)) for ask in asks]


@asynccontextmanager
async def _connected(chosen: "ConnectOptions", flags: ClusterFlags, *, changes: bool) -> "AsyncIterator[Cluster]":
    """Open a cluster that is read, or where the flags allow it one that something is added to for a look."""
    from kubectl_grpclb.cluster.kube import connect, connect_to_change

    if not changes:
        async with connect(chosen) as connected:
            yield connected if chosen.teller is None else _told(connected, chosen.teller)
        return
    from kubectl_grpclb.commands.signals import ended_in_order
    from kubectl_grpclb.flows.deeper import DeepCluster

    async with connect_to_change(chosen) as workshop:
        told = workshop if chosen.teller is None else _told_workshop(workshop, chosen.teller)
        deep = DeepCluster(told, flags=flags)
        try:
            with ended_in_order():
                async with deep as cluster:
                    yield cluster
        finally:
            for left in deep.left_behind:
                Progress().tell(f"warning: {printable(left)}")


async def _read_one(cluster: "Cluster", ask: Ask) -> Snapshot | Failed:
    try:
        with Progress() as progress:
            return await recorded(cluster, ask, progress.observe)
    except GrpclbError as error:
        return Failed(ask.service, error)


def _told(cluster: "Cluster", teller: "Teller") -> "Cluster":
    """Have every request told."""
    from kubectl_grpclb.cluster.told import ToldCluster

    return ToldCluster(cluster, teller)


def _told_workshop(workshop: "Workshop", teller: "Teller") -> "Workshop":
    from kubectl_grpclb.cluster.told import ToldWorkshop

    return ToldWorkshop(workshop, teller)
