"""The wheel and the source archive, for pip and pipx."""

import os
import pathlib
from collections.abc import Iterator
from contextlib import contextmanager

from flit_core import buildapi

from release.project import DIST, ROOT, released_at

__all__ = ["build", "main"]


def build(source: pathlib.Path, into: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """Build wheel and source archive of the project in `source`, dated as the release; gives their paths.

    By the backend that pyproject.toml names and without an environment of its own, so that the pinned version is used
    and nothing is fetched.
    """
    into.mkdir(exist_ok=True, parents=True)
    with _in_folder(source), _dated(released_at()):
        return into / buildapi.build_wheel(str(into)), into / buildapi.build_sdist(str(into))


def main() -> None:
    """Put both into dist/."""
    for path in build(ROOT, DIST):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e3:.0f} kB")


@contextmanager
def _in_folder(folder: pathlib.Path) -> Iterator[None]:
    before = pathlib.Path.cwd()
    os.chdir(folder)  # a backend of PEP 517 builds where it is called
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def _dated(epoch: int) -> Iterator[None]:
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = str(epoch)
    try:
        yield
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before
