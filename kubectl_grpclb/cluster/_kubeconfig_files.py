"""Where kubeconfigs are: the flag's file, the files of $KUBECONFIG, or ~/.kube/config."""

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.text import printable

__all__ = ["kubeconfig_paths", "looked_at"]

_LONGEST = 512
"""Characters of a path that is not there and yet is taken for one; a kubeconfig in base64 has more."""


def kubeconfig_paths(given: str | None, environ: Mapping[str, str]) -> list[Path]:
    """Give the files that are there; `given` is the flag's.

    Raises ClusterError where the flag's is not, where one cannot be looked at, and where a path is no path.
    """
    if given is not None:
        if not _is_there(given, "--kubeconfig"):
            raise ClusterError(f"there is no kubeconfig at {printable(given)} (--kubeconfig)")
        return [Path(given)]
    listed = [name for name in environ.get("KUBECONFIG", "").split(os.pathsep) if name]
    if listed:
        return [Path(name) for name in listed if _is_there(name, "KUBECONFIG")]
    default = _default(environ)
    return [Path(default)] if default and _is_there(default, "HOME") else []


def looked_at(environ: Mapping[str, str]) -> str:
    """Say where there was nothing."""
    return environ.get("KUBECONFIG") or _default(environ) or "~/.kube/config"


def _default(environ: Mapping[str, str]) -> str | None:
    """Give the path in the user's home; None for a user who has none, as a container's may."""
    home = environ.get("HOME")
    try:
        return str((Path(home) if home else Path.home()) / ".kube" / "config")
    except RuntimeError:
        return None


def _is_there(name: str, source: str) -> bool:
    try:
        os.stat(name)  # noqa: PTH116 -- Path.exists() answers no where nobody can tell
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG or _is_content(name):
            raise ClusterError(
                f"{source} takes a path, but this looks like a file's content: save it to a file, and give its path"
            ) from None  # the error quotes it
        if error.errno in {errno.ENOENT, errno.ENOTDIR}:
            return False
        raise ClusterError(f"cannot read the kubeconfig {printable(name)}: {error.strerror or error}") from error
    return True


def _is_content(name: str) -> bool:
    return "\n" in name or name.lstrip().startswith("{") or len(name) > _LONGEST
