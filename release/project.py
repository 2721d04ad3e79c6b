"""What a release needs to know of the project: folders, version, repository and date."""

import os
import pathlib
import subprocess
import tomllib

import kubectl_grpclb

__all__ = [
    "DIST",
    "FROZEN",
    "LARGEST_ARCHIVE",
    "LIBRARIES",
    "PROGRAM",
    "ROOT",
    "ReleaseError",
    "released_at",
    "repository",
    "version",
]

ROOT = pathlib.Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
PROGRAM = "kubectl-grpclb"
FROZEN = ROOT / "build" / "frozen" / PROGRAM
"""What the freezer leaves: the program and its files."""

LIBRARIES = "lib"
"""The program's folder of everything but itself."""

LARGEST_ARCHIVE = 60_000_000
"""Bytes; krew reads an archive into memory as a whole, and people wait for it."""

_GITHUB = "https://github.com/"


class ReleaseError(Exception):
    """Nothing that may be released comes of this; the text says why and what to do."""


def version() -> str:
    """Give the version as Python writes it, without `v`: `0.1.0`."""
    return kubectl_grpclb.__version__


def repository() -> str:
    """Give `owner/name` of the repository on GitHub, which pyproject.toml names once for everybody."""
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    return str(urls["Repository"]).removeprefix(_GITHUB)


def released_at() -> int:
    """Give the seconds since 1970 that every file of the release is dated with.

    `SOURCE_DATE_EPOCH` (reproducible-builds.org/specs/source-date-epoch), else the time of the last commit, so that
    the same commit gives the same bytes.

    Raises:
        ReleaseError: there is neither.

    """
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is None:
        asked = subprocess.run(
            ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        given = asked.stdout.strip()
    if not given.isdecimal():
        raise ReleaseError(
            "the date of the release is not known: this is no git checkout, and SOURCE_DATE_EPOCH is not a number; "
            "set it to seconds since 1970"
        )
    return int(given)
