"""Whether the archive of this machine works: `python -m release.trial` unpacks and runs it."""

import pathlib
import shutil
import subprocess
import tempfile

from release.platforms import Platform, this_machine
from release.project import DIST, PROGRAM, ReleaseError, version

__all__ = ["main", "run_unpacked"]


def run_unpacked(archive: pathlib.Path, platform: Platform, *arguments: str) -> str:
    """Unpack an archive into a folder of its own, run its program there, and give what it prints.

    Raises:
        ReleaseError: the program cannot be started, or fails.

    """
    with tempfile.TemporaryDirectory() as folder:
        _unpack(archive, pathlib.Path(folder))
        program = pathlib.Path(folder, PROGRAM, platform.program)
        try:
            done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=120)
        except OSError as error:
            raise ReleaseError(f"the program in {archive.name} does not start: {error}") from error
    if done.returncode != 0:
        words = " ".join(arguments)
        raise ReleaseError(
            f"the program in {archive.name} fails at {words!r} ({done.returncode}): {done.stderr.strip()}"
        )
    return done.stdout


def main() -> None:
    """Have the program say its version and a page that it carries along.

    Raises:
        ReleaseError: it says something else.

    """
    platform = this_machine()
    archive = DIST / platform.archive_name(version())
    for arguments, expected in ((("version",), f"{PROGRAM} {version()}\n"), (("explain", "GLB101"), "# GLB101: ")):
        told = run_unpacked(archive, platform, *arguments)
        if not told.startswith(expected):
            raise ReleaseError(f"the program in {archive.name} says {told[:80]!r}, not {expected!r}")
    print(f"{archive.name}: unpacked, it runs")


def _unpack(archive: pathlib.Path, folder: pathlib.Path) -> None:
    """Unpack with the modes of the archive; Python's zipfile would drop them, but a zip is for Windows."""
    if archive.suffix == ".zip":
        shutil.unpack_archive(archive, folder)
    else:
        shutil.unpack_archive(archive, folder, filter="data")


if __name__ == "__main__":
    main()
