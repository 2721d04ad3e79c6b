"""What a finished archive holds, read from its bytes without trust in what wrote it."""

import hashlib
import io
import pathlib
import stat
import tarfile
import zipfile
import zlib

import msgspec

__all__ = ["Archive", "Entry", "read_archive"]


class Entry(msgspec.Struct, frozen=True):
    """An entry of an archive."""

    name: str
    kind: str
    """`file`, `folder`, or what else it is: `link`, `device`."""
    mode: int = 0o644
    """Unix permissions."""


class Archive(msgspec.Struct, frozen=True):
    """An archive: its file name, `zip`, `tar.gz` or `unknown` by its content, size in bytes and entries."""

    name: str
    format: str
    size: int
    sha256: str
    entries: tuple[Entry, ...] = ()


def read_archive(path: pathlib.Path) -> Archive:
    """Read the archive at `path`; one that krew does not know, or that is damaged, is `unknown` and has no entries."""
    content = path.read_bytes()
    archive_format, entries = "unknown", tuple[Entry, ...]()
    try:
        if content.startswith(b"\x1f\x8b\x08"):
            archive_format, entries = "tar.gz", _of_tar(content)
        elif content.startswith(b"PK\x03\x04"):
            archive_format, entries = "zip", _of_zip(content)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError):
        pass
    return Archive(path.name, archive_format, len(content), hashlib.sha256(content).hexdigest(), entries)


def _of_tar(content: bytes) -> tuple[Entry, ...]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
        return tuple(Entry(each.name, _kind_in_tar(each), each.mode) for each in tar)


def _kind_in_tar(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        return "link"
    return "file" if member.isreg() else "folder" if member.isdir() else "device"


def _of_zip(content: bytes) -> tuple[Entry, ...]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return tuple(Entry(each.filename, _kind_in_zip(each), _mode_in_zip(each)) for each in archive.infolist())


def _kind_in_zip(member: zipfile.ZipInfo) -> str:
    if stat.S_ISLNK(member.external_attr >> 16):
        return "link"
    return "folder" if member.is_dir() else "file"


def _mode_in_zip(member: zipfile.ZipInfo) -> int:
    return stat.S_IMODE(member.external_attr >> 16)
