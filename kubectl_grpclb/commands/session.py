"""Opens a cluster for a verb, runs its flow in an event loop and shows the progress."""

import asyncio
import gc
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from kubectl_grpclb.commands.options import duration, service_name
from kubectl_grpclb.commands.progress import Progress
from kubectl_grpclb.flows.diagnose import diagnosed, recorded
from kubectl_grpclb.model.errors import UsageError
from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.model.snapshot import Snapshot
from kubectl_grpclb.probes.ask import Ask

if TYPE_CHECKING:
    from kubectl_grpclb.cluster.kube import ConnectOptions
    from kubectl_grpclb.cluster.port import Cluster

__all__ = ["Connection", "Question", "connect_options", "diagnose", "record", "window_of"]

Result = TypeVar("Result")

_LONGEST_WINDOW = 600.0
_LOOKS_IN_FLIGHT = 8
"""One look each: the execs are bound by the nodes' work (docs/performance.md)."""
_WAITING_IN_FLIGHT = 128
"""Two looks each: most execs sleep between them."""


class Connection(Struct, frozen=True):
    """Which cluster, as whom: the flags' values as they were given."""

    kubeconfig: Path | None
    context: str | None
    cluster: str | None
    namespace: str | None
    as_user: str | None
    as_groups: tuple[str, ...]
    request_timeout: str | None


class Question(Struct, frozen=True):
    """Which Services, and how: the flags' values as they were given."""

    services: tuple[str, ...]
    port: str | None
    window: str
    cluster_domain: str | None


def diagnose(connection: Connection, question: Question, *, verbose: bool) -> list[tuple[Snapshot, Report]]:
    """Diagnose each Service in turn. Raises GrpclbError."""
    return [(snapshot, diagnosed(snapshot)) for snapshot in record(connection, question, verbose=verbose)]


def record(connection: Connection, question: Question, *, verbose: bool) -> list[Snapshot]:
    """Read each Service in turn. Raises GrpclbError."""
    names = [service_name(text) for text in question.services]
    window = window_of(question.window)
    return _run(_record(connection, question, names, window, verbose=verbose))


def window_of(text: str) -> float:
    """Read --window, in seconds. Raises UsageError."""
    window = duration(text, "--window")
    if window > _LONGEST_WINDOW:
        raise UsageError(f"--window is at most {_LONGEST_WINDOW / 60:.0f} minutes")
    return window


def connect_options(connection: Connection, *, in_flight: int = _WAITING_IN_FLIGHT) -> "ConnectOptions":
    """Read the flags that name the cluster. Raises UsageError."""
    from kubectl_grpclb.cluster.kube import ConnectOptions

    timeout = None if connection.request_timeout is None else duration(connection.request_timeout, "--request-timeout")
    return ConnectOptions(
        kubeconfig=None if connection.kubeconfig is None else str(connection.kubeconfig),
        context=connection.context,
        cluster=connection.cluster,
        namespace=connection.namespace,
        as_user=connection.as_user,
        as_groups=connection.as_groups,
        request_timeout=timeout,
        in_flight=in_flight,
    )


async def _record(
    connection: Connection, question: Question, names: Sequence[str], window: float, *, verbose: bool
) -> list[Snapshot]:
    from kubectl_grpclb.cluster.kube import connect

    chosen = connect_options(connection, in_flight=_WAITING_IN_FLIGHT if window else _LOOKS_IN_FLIGHT)
    snapshots = []
    async with connect(chosen) as cluster:
        gc.freeze()  # what was imported stays, so that no collection need go through it
        gc.enable()  # __main__ turned it off for the imports, which end here
        for name in names:
            ask = Ask(
                namespace=cluster.namespace,
                service=name,
                port=question.port,
                window=window,
                cluster_domain=question.cluster_domain,
            )
            with Progress() as progress:
                snapshots.append(await recorded(_told(cluster) if verbose else cluster, ask, progress.observe))
    return snapshots


def _told(cluster: "Cluster") -> "Cluster":
    """Have every request told."""
    from kubectl_grpclb.cluster.told import ToldCluster

    return ToldCluster(cluster, Progress().tell)


def _run(flow: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(flow)
