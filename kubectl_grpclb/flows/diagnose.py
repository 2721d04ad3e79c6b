"""From a cluster, or from a recorded file, to a report."""

from collections.abc import Sequence

from kubectl_grpclb.cluster.port import Cluster
from kubectl_grpclb.model.errors import BadSnapshotError, GrpclbError
from kubectl_grpclb.model.finding import Report, Severity
from kubectl_grpclb.model.snapshot import Snapshot, decode_snapshot
from kubectl_grpclb.probes.ask import Ask, Observer, quiet
from kubectl_grpclb.probes.gather import gather

__all__ = ["diagnosed", "exit_code", "recorded", "replayed"]

_FROM: dict[str, tuple[Severity, ...]] = {
    "error": ("error",),
    "warning": ("error", "warning"),
    "info": ("error", "warning", "info"),
    "never": (),
}


async def recorded(cluster: Cluster, ask: Ask, observe: Observer = quiet) -> Snapshot:
    """Read everything that a diagnosis needs. Raises ClusterError or UsageError."""
    return await gather(cluster, ask, observe)


def diagnosed(snapshot: Snapshot) -> Report:
    """Say what a snapshot shows; the same snapshot gives the same report."""
    from kubectl_grpclb.probes.derive import derive
    from kubectl_grpclb.rules import analyse

    return analyse(derive(snapshot))


def replayed(raw: bytes) -> Report:
    """Report on a recorded file's bytes. Raises BadSnapshotError where it cannot be made sense of."""
    snapshot = decode_snapshot(raw)
    try:
        return diagnosed(snapshot)
    except BadSnapshotError:
        raise
    except GrpclbError as error:
        raise BadSnapshotError(f"the snapshot cannot be diagnosed: {error}") from error


def exit_code(reports: Sequence[Report], fail_on: str) -> int:
    """Give the contract's exit code: 3 where one is inconclusive, else 1 where one found something, else 0."""
    if any(report.verdict == "inconclusive" for report in reports):
        return 3
    counted = _FROM[fail_on]
    found = any(finding.severity in counted for report in reports for finding in report.findings) or (
        counted and any(report.verdict == "unbalanced" for report in reports)
    )
    return 1 if found else 0
