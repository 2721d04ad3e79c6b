"""Where `kubectl_complete-grpclb` goes and whose file is there; kubectl looks for that name on PATH.

It calls kubectl-grpclb by its name, so it outlives every upgrade: krew's bin has a link that moves to the new version.
"""

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path

from kubectl_grpclb.files import write_atomically
from kubectl_grpclb.model.errors import RefusedError
from kubectl_grpclb.model.text import printable

__all__ = ["Holder", "directory_for", "holder", "on_path", "place", "program", "remove", "target"]

_MARK = "Written by `kubectl grpclb completion --install`"
_SH = f"""\
#!/bin/sh
# kubectl asks this for what may follow `kubectl grpclb`.
# {_MARK}; `kubectl grpclb completion --uninstall` removes it.
command -v kubectl-grpclb >/dev/null 2>&1 || exit 0
exec kubectl-grpclb __complete "$@" </dev/null 2>/dev/null
"""
_CMD = f"""\
@echo off
rem kubectl asks this for what may follow `kubectl grpclb`.
rem {_MARK}; `kubectl grpclb completion --uninstall` removes it.
kubectl-grpclb __complete %* <nul 2>nul
"""
_PACKAGE = "kubectl_grpclb"
"""In the program of that name that pip makes of the package's entry point."""
_ENDING = ".cmd" if sys.platform == "win32" else ""
_ENOUGH = 1 << 20


class Holder(Enum):
    """Whose file is there."""

    NOBODY = auto()
    CURRENT = auto()
    OLDER = auto()
    """Of another version."""
    PACKAGE = auto()
    """pip's or pipx's, which does the same."""
    STRANGER = auto()


def program() -> str:
    """Give the program's text."""
    return _CMD if sys.platform == "win32" else _SH


def target(directory: Path) -> Path:
    """Give the program's path in a directory."""
    return directory.absolute() / f"kubectl_complete-grpclb{_ENDING}"


def directory_for(wanted: Path | None, environ: Mapping[str, str], running: str) -> Path:
    """Give the wanted directory, else the one of the running kubectl-grpclb that is on PATH.

    Raises RefusedError where there is none that can be written to.
    """
    if wanted is not None:
        if not wanted.is_dir():
            raise RefusedError(f"{printable(str(wanted))} is not a directory (--dir)")
        return wanted
    found = shutil.which("kubectl-grpclb", path=environ.get("PATH", ""))
    places = [*([Path(running)] if os.sep in running else []), *([Path(found)] if found else [])]
    # Not where a link leads to: krew's bin is on PATH, its store is not.
    directories = [each.absolute().parent for each in places if on_path(each.absolute().parent, environ)]
    if not directories:
        raise RefusedError(
            "kubectl-grpclb is not on PATH, where kubectl looks for it. Put it there first, or choose a directory for "
            "kubectl_complete-grpclb with --dir"
        )
    return _writable(directories)


def on_path(directory: Path, environ: Mapping[str, str]) -> bool:
    """Tell whether kubectl looks there."""
    listed = (Path(each).absolute() for each in environ.get("PATH", "").split(os.pathsep) if each)
    return directory.absolute() in set(listed)


def holder(path: Path) -> Holder:
    """Tell whose file is there. A link is a stranger's unless it leads to pip's program: pipx makes such."""
    if not os.path.lexists(path):
        return Holder.NOBODY
    if not path.is_file():  # a pipe would keep who reads it waiting
        return Holder.STRANGER
    content = ""
    with suppress(OSError), path.open("rb") as file:
        content = file.read(_ENOUGH).decode("utf-8", "replace")
    if _MARK not in content:
        return Holder.PACKAGE if _PACKAGE in content else Holder.STRANGER
    if path.is_symlink():
        return Holder.STRANGER
    return Holder.CURRENT if content == program() else Holder.OLDER


def place(path: Path) -> None:
    """Write the program, whole or not at all. Raises RefusedError where it cannot be written."""
    try:
        write_atomically(path, program().encode(), mode=0o755)
    except OSError as error:
        raise RefusedError(f"{printable(str(path))} cannot be written: {error.strerror or error}") from error


def remove(path: Path) -> None:
    """Remove the program. Raises RefusedError where it cannot be."""
    try:
        path.unlink()
    except OSError as error:
        raise RefusedError(f"{printable(str(path))} cannot be removed: {error.strerror or error}") from error


def _writable(directories: Iterable[Path]) -> Path:
    listed = list(dict.fromkeys(directories))
    for each in listed:
        if os.access(each, os.W_OK):
            return each
    raise RefusedError(
        f"{printable(', '.join(map(str, listed)))} cannot be written to. Choose another directory on PATH for "
        "kubectl_complete-grpclb with --dir"
    )
