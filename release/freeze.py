"""Freezes the program: `python -m release.freeze` leaves build/frozen/kubectl-grpclb."""

import os
import subprocess
import sys

from release.project import FROZEN, PROGRAM, ROOT, released_at

__all__ = ["main"]


def main() -> None:
    """Freeze into a folder that starts without unpacking itself."""
    arguments = [
        *("--noconfirm", "--clean", "--onedir", "--console", "--log-level", "WARN"),
        *("--name", PROGRAM),
        *(
            "--distpath",
            str(FROZEN.parent),
            "--workpath",
            str(ROOT / "build" / "work"),
            "--specpath",
            str(ROOT / "build"),
        ),
        *("--collect-data", "kubectl_grpclb"),
        *("--hidden-import", "kubernetes.aio"),
        *("--exclude-module", "readline"),  # GNU readline is under the GPL
        str(ROOT / "kubectl_grpclb" / "__main__.py"),
    ]
    subprocess.run(
        [sys.executable, "-m", "PyInstaller", *arguments],
        check=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": str(released_at())},
    )


if __name__ == "__main__":
    main()
