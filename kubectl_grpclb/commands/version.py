"""`version`: which kubectl-grpclb this is."""

import platform

from kubectl_grpclb import __version__
from kubectl_grpclb.commands.output import write

__all__ = ["version"]


def version() -> None:
    """Print the version.

    Of kubectl-grpclb, of Python, and of the snapshots that it writes and reads.
    """
    from kubectl_grpclb.model.snapshot import SCHEMA

    write(f"kubectl-grpclb {__version__}\nPython {platform.python_version()}\nsnapshot schema {SCHEMA}\n")
