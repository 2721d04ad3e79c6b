"""Whether the archive of this machine works: unpacks it, and runs it as krew has it run, by a link to the program."""

import pathlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from release.platforms import Platform, this_machine
from release.project import DIST, PROGRAM, ReleaseError, version

__all__ = ["main", "run", "unpacked"]

_TRIED = (
    (("version",), f"{PROGRAM} {version()}\n"),
    (("explain", "GLB101"), "# GLB101: "),
    (("completion", "bash"), "# "),
    (("__complete", "diag"), "diagnose\t"),
)
"""What the program is asked, and how its answer begins: it starts, with its verbs, pages and scripts."""


@contextmanager
def unpacked(archive: pathlib.Path, platform: Platform) -> Iterator[pathlib.Path]:
    """Unpack an archive into a folder of its own, and give a link to its program, elsewhere, as krew makes it."""
    with tempfile.TemporaryDirectory() as folder:
        if platform.archive_format == "zip":
            shutil.unpack_archive(archive, folder)  # without modes, which Windows has none of
        else:
            shutil.unpack_archive(archive, folder, filter="data")
        linked = pathlib.Path(folder, "bin", platform.program)
        linked.parent.mkdir()
        linked.symlink_to(pathlib.Path(folder, PROGRAM, platform.program))
        yield linked


def run(program: pathlib.Path, *arguments: str) -> str:
    """Run a program and give what it prints.

    Raises:
        ReleaseError: it cannot be started, or fails.

    """
    try:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=120)
    except OSError as error:
        raise ReleaseError(f"the packed program does not start: {error}") from error
    if done.returncode != 0:
        words = " ".join(arguments)
        raise ReleaseError(f"the packed program fails at {words!r} ({done.returncode}): {done.stderr.strip()}")
    return done.stdout


def main() -> None:
    """Ask the program what needs no cluster.

    Raises:
        ReleaseError: it says something else.

    """
    platform = this_machine()
    archive = DIST / platform.archive_name(version())
    with unpacked(archive, platform) as program:
        for arguments, expected in _TRIED:
            told = run(program, *arguments)
            if not told.startswith(expected):
                raise ReleaseError(f"the packed program says {told[:80]!r}, not {expected!r}")
    print(f"{archive.name}: unpacked, it runs")
