"""Writes results to standard output, as wide and as colourful as it is, and files where they are asked for."""

import codecs
import os
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from msgspec import structs

from kubectl_grpclb.commands.output import write
from kubectl_grpclb.files import write_atomically
from kubectl_grpclb.model.errors import GrpclbError, UsageError
from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.model.snapshot import Snapshot, encode_snapshot
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.report import FORMATS, Page
from kubectl_grpclb.report.json import shown

__all__ = ["page", "read_file", "rendered", "write_snapshot"]

_PIPED_WIDTH = 120
_GZIP = b"\x1f\x8b"


def page(stream: TextIO | None = None) -> Page:
    """Say what a stream is, standard output by default: its width, and whether it takes colour (no-color.org)."""
    stream = stream or sys.stdout
    colour = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
    return Page(
        width=_width(stream),
        colour=colour,
        ascii=not encoding.startswith("utf"),
    )


def _width(stream: TextIO) -> int:
    """Give a stream's columns, as $COLUMNS or its terminal says; shutil would ask standard output's for any of them."""
    with suppress(ValueError):
        if (given := int(os.environ.get("COLUMNS", ""))) > 0:
            return given
    try:
        return os.get_terminal_size(stream.fileno()).columns or _PIPED_WIDTH
    except (AttributeError, OSError, ValueError):
        return _PIPED_WIDTH


def rendered(reports: Sequence[Report], output: str, *, several: bool = False) -> str:
    """Give the reports in a format of `-o`; where `several` were asked for, also a single one as a list."""
    return FORMATS[output](reports, structs.replace(page(), several=several))


def write_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Write a snapshot to a file that only its owner can read, or to standard output for `-`.

    A file that is there is replaced in one step, so that it is never half of one and half of another, and keeps its
    mode; a link is followed. What a pod printed steers no terminal, also where somebody looks through the file.
    """
    text = encode_snapshot(snapshot).decode("utf-8")
    if str(path) == "-":
        write(shown(text, ascii_only=page().ascii))
        return
    raw = shown(text).encode("utf-8")
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(raw)  # a pipe or a device, which cannot be replaced
        else:
            file = Path(os.path.realpath(path))  # Path.resolve() breaks down at a link to itself
            write_atomically(file, raw, mode=stat.S_IMODE(file.stat().st_mode) if file.exists() else 0o600)
    except OSError as error:
        raise GrpclbError(f"could not write the snapshot to {path}: {error.strerror}") from error


def read_file(path: Path) -> bytes:
    """Read a file, or standard input for `-`. Raises UsageError where it cannot be read, or is packed or no UTF-8."""
    if str(path) == "-":
        return _readable(sys.stdin.buffer.read(), "standard input")
    try:
        return _readable(path.read_bytes(), str(path))
    except OSError as error:
        raise UsageError(f"could not read {path}: {error.strerror}") from error


def _readable(raw: bytes, name: str) -> bytes:
    if raw.startswith(_GZIP):
        raise UsageError(f"{printable(name)} is compressed: gunzip it first")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UsageError(
            f"{printable(name)} is in UTF-16, as PowerShell's > writes it: record it with -f, or save it as UTF-8"
        )
    return raw
