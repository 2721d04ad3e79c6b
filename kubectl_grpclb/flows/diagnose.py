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


def exit_code(reports: Sequence[Report], fail_on: str, errors: Sequence[GrpclbError] = ()) -> int:
    """Give the contract's exit code, the gravest of all: they are numbered by how little is known.

    An error has its own. A report's is 3 where it is inconclusive, else 1 where it found something, else 0.
    """
    return max([0, *(_exit_code(report, _FROM[fail_on]) for report in reports), *(error.exit_code for error in errors)])


def _exit_code(report: Report, counted: Sequence[Severity]) -> int:
    if report.verdict == "inconclusive":
        return 3
    found = any(finding.severity in counted for finding in report.findings)
    return 1 if found or (counted and report.verdict == "unbalanced") else 0
