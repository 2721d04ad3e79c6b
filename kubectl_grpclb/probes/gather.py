"""Read everything that one diagnosis needs, concurrently, into a Snapshot."""

from kubectl_grpclb import __version__
from kubectl_grpclb.cluster.port import Cluster
from kubectl_grpclb.model.snapshot import Request, Snapshot, SnapshotTarget, schema_for
from kubectl_grpclb.probes.ask import Ask, Observer, quiet
from kubectl_grpclb.probes.endpoints import request_slices
from kubectl_grpclb.probes.monitors import request_monitors
from kubectl_grpclb.probes.nodes import request_nodes
from kubectl_grpclb.probes.reader import Reader
from kubectl_grpclb.probes.required import require_service
from kubectl_grpclb.probes.route import request_headless
from kubectl_grpclb.probes.service import request_service

__all__ = ["gather"]


async def gather(cluster: Cluster, ask: Ask, observe: Observer = quiet) -> Snapshot:
    """Read the Service, its endpoints, their sockets and who their clients are.

    Raises ClusterError where the Service or what it leads to cannot be read, UsageError where the port
    cannot be told. Everything else that fails is kept as an answer.
    """
    reader = Reader(cluster, observe)
    first: list[Request] = [request_service(ask), request_slices(ask), request_nodes(), request_headless(ask)]
    first += request_monitors(ask) if ask.asks("metrics") else []
    await reader.ask("Service", first)
    await require_service(cluster, ask, reader.readings)

    from kubectl_grpclb.probes.onward import read_onward  # every source, now that the first requests have left

    version = await read_onward(cluster, reader, ask)
    return Snapshot(
        schema=schema_for(reader.readings),
        tool=f"kubectl-grpclb {__version__}",
        target=SnapshotTarget(
            cluster.context,
            ask.namespace,
            ask.service,
            ask.port,
            ask.cluster_domain,
            None if ask.via == ("auto",) else ask.via,
            ask.metrics_port,
            ask.prometheus,
            None if ask.prometheus is None else ask.prometheus_range,
            version,
            ask.flags if ask.flags.words() else None,
            ask.source_flags if ask.source_flags.words() else None,
        ),
        taken_at=reader.readings[0].at,
        window_seconds=ask.window,
        readings=tuple(reader.readings),
    )
