"""Shows differences as `kubectl diff` does: two folders, and `diff -u -N`, or what KUBECTL_EXTERNAL_DIFF names."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from kubectl_grpclb.commands.progress import tell_error
from kubectl_grpclb.flows.dry_run import Comparison, NotCompared
from kubectl_grpclb.model.errors import ClusterError, GrpclbError

__all__ = ["show"]

_DIFFERENT, _TROUBLE = 1, 2


def show(compared: Iterable[Comparison | NotCompared]) -> int:
    """Run the program over the objects as they are and as they would be; give 1 where they differ, else 0.

    What could not be compared is named, and makes it 4.
    """
    listed = list(compared)
    status = _run(_program(), [each for each in listed if isinstance(each, Comparison)])
    missing = [each.why for each in listed if isinstance(each, NotCompared)]
    for why in missing:
        tell_error(why)
    return ClusterError.exit_code if missing else status


def _program() -> list[str]:
    try:
        return shlex.split(os.environ.get("KUBECTL_EXTERNAL_DIFF", "")) or ["diff", "-u", "-N"]
    except ValueError as error:
        raise GrpclbError(f"KUBECTL_EXTERNAL_DIFF is not a command: {error}") from error


def _run(program: list[str], comparisons: Iterable[Comparison]) -> int:
    with TemporaryDirectory(prefix="LIVE-") as live, TemporaryDirectory(prefix="MERGED-") as merged:
        for each in comparisons:
            if each.live is not None:
                Path(live, each.name).write_text(each.live, encoding="utf-8")
            Path(merged, each.name).write_text(each.merged, encoding="utf-8")
        sys.stdout.flush()
        try:
            status = subprocess.run([*program, live, merged], check=False).returncode  # noqa: S603 -- the user's own
        except OSError as error:
            raise GrpclbError(
                f"could not run {program[0]} to show the difference: {error.strerror}. Set KUBECTL_EXTERNAL_DIFF to "
                "use another program"
            ) from error
    if status >= _TROUBLE:
        raise GrpclbError(f"{program[0]} exited with status {status}")
    return _DIFFERENT if status else 0
