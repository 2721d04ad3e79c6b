"""`version`: which kubectl-grpclb this is."""

import platform

from kubectl_grpclb import __version__
from kubectl_grpclb.commands.output import write

__all__ = ["version"]


def version() -> None:
    """Print the version.

    Prints the versions of kubectl-grpclb, of Python, of the snapshots that it writes and reads, and of the Kubernetes
    that it was tested with. Does not contact a cluster: kubectl version shows the server's.

    Exit codes: 0 printed; 2 usage.
    """
    from kubectl_grpclb.model.server import NEWEST, OLDEST
    from kubectl_grpclb.model.snapshot import SCHEMA

    tested = " to ".join(f"{major}.{minor}" for major, minor in (OLDEST, NEWEST))
    write(
        f"kubectl-grpclb {__version__}\nPython {platform.python_version()}\nsnapshot schema {SCHEMA}\n"
        f"tested with Kubernetes {tested}\n"
    )
