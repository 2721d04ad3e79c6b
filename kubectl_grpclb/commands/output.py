"""Standard output, as every verb writes to it."""

import errno
import os
import sys

from kubectl_grpclb.model.errors import GrpclbError

__all__ = ["FULL", "nobody_listens", "unwritable", "write"]

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What the system says where standard output takes no more."""


def write(text: str) -> None:
    """Write to standard output, whole, also where a name has characters that its encoding lacks.

    A reader that went away, as `| head` does, is no error: the exit code stays that of what was done.

    Raises GrpclbError where it cannot be written, as to a disk that is full.
    """
    try:
        sys.stdout.buffer.write(text.encode(sys.stdout.encoding or "utf-8", "backslashreplace"))
        sys.stdout.flush()
    except BrokenPipeError:
        nobody_listens()
    except OSError as error:
        nobody_listens()
        raise GrpclbError(unwritable(error)) from error


def unwritable(error: OSError) -> str:
    """Say that standard output cannot be written to, and why."""
    return f"cannot write to standard output: {error.strerror or error}"


def nobody_listens() -> None:
    """Let whatever is still written to standard output, at the end of the process at the latest, go nowhere."""
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 -- stays open till the process ends
