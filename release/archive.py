"""From a frozen program to an archive that krew unpacks.

The same folder and date give the same bytes. Everything is a regular file: krew refuses links in tar archives
(kubernetes-sigs/krew, internal/download/downloader.go), and what freezers link is small.
"""

import gzip
import hashlib
import io
import os
import pathlib
import stat
import tarfile
import time
import zipfile
from collections.abc import Iterator, Mapping

import msgspec

from release.native import check_native_libraries
from release.notices import NOTICES, notices
from release.platforms import Platform, this_machine
from release.project import DIST, FROZEN, LARGEST_ARCHIVE, PROGRAM, ROOT, ReleaseError, released_at, version

__all__ = ["Member", "main", "members", "pack"]

_ZIP_BEGINS = 315_532_800
"""1980-01-01, before which zip has no dates."""


class Member(msgspec.Struct, frozen=True, order=True):
    """A file of the archive; `mode` is 0o755 for what may be executed and 0o644 for the rest."""

    name: str
    mode: int
    content: bytes


def members(frozen: pathlib.Path, platform: Platform, texts: Mapping[str, str]) -> list[Member]:
    """List what goes into the archive, by name: the frozen folder and these texts beside the program.

    Raises:
        ReleaseError: the program is missing, or a link leads out of the folder or nowhere.

    """
    if not (frozen / platform.program).is_file():
        raise ReleaseError(f"{frozen} has no {platform.program}: freeze first (make dist does)")
    files = [Member(f"{PROGRAM}/{name}", _mode(path, platform), path.read_bytes()) for name, path in _files(frozen)]
    written = [Member(f"{PROGRAM}/{name}", 0o644, text.encode()) for name, text in texts.items()]
    taken = {each.name for each in files} & {each.name for each in written}
    if taken:
        raise ReleaseError(f"the frozen program already has {', '.join(sorted(taken))}")
    return sorted(files + written)


def pack(contents: list[Member], archive_format: str, dated: int) -> bytes:
    """Give the archive's bytes; `dated` is in seconds since 1970, `archive_format` is `zip` or `tar.gz`."""
    return {"zip": _zip, "tar.gz": _tar_gz}[archive_format](contents, dated)


def main() -> None:
    """Pack build/frozen into dist/, and say what came of it.

    Raises:
        ReleaseError: it must not be released as it is.

    """
    platform = this_machine()
    check_native_libraries(FROZEN)
    texts = {"LICENSE": (ROOT / "LICENSE").read_text(encoding="utf-8"), NOTICES: notices(FROZEN)}
    packed = pack(members(FROZEN, platform, texts), platform.archive_format, released_at())
    if len(packed) >= LARGEST_ARCHIVE:
        raise ReleaseError(
            f"the archive has {len(packed) / 1e6:.1f} MB; it must be under {LARGEST_ARCHIVE / 1e6:.0f} MB"
        )
    DIST.mkdir(exist_ok=True)
    path = DIST / platform.archive_name(version())
    path.write_bytes(packed)
    digest = hashlib.sha256(packed).hexdigest()
    print(f"{path.relative_to(ROOT)}: {len(packed) / 1e6:.1f} MB, sha256 {digest}")


def _files(frozen: pathlib.Path) -> Iterator[tuple[str, pathlib.Path]]:
    """Find every file, those behind links too."""
    inside = frozen.resolve()
    for folder, below, names in os.walk(frozen, followlinks=True):
        for name in [*below, *names]:
            path = pathlib.Path(folder, name)
            leads = path.resolve()
            if not leads.is_relative_to(inside) or not leads.exists():
                raise ReleaseError(f"{path} leads to {leads}, which is not in the archive")
            if path.is_symlink() and path.is_dir() and pathlib.Path(folder).resolve().is_relative_to(leads):
                raise ReleaseError(f"{path} leads to a folder that it is in")
            if path.is_file():
                yield path.relative_to(frozen).as_posix(), path


def _mode(path: pathlib.Path, platform: Platform) -> int:
    """Keep the right to execute. Windows has none: there it goes by the name, for who unpacks elsewhere."""
    if platform.os == "windows":
        return 0o755 if path.suffix.lower() in {".exe", ".dll", ".pyd"} else 0o644
    return 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644


def _tar_gz(contents: list[Member], dated: int) -> bytes:
    whole = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=whole, mtime=dated) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for member in contents:
            entry = tarfile.TarInfo(member.name)
            entry.size, entry.mode, entry.mtime = len(member.content), member.mode, dated
            tar.addfile(entry, io.BytesIO(member.content))
    return whole.getvalue()


def _zip(contents: list[Member], dated: int) -> bytes:
    whole = io.BytesIO()
    year, month, day, hour, minute, second = time.gmtime(max(dated, _ZIP_BEGINS))[:6]
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for member in contents:
            entry = zipfile.ZipInfo(member.name, (year, month, day, hour, minute, second))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whichever system this runs on: krew takes the modes from it
            entry.external_attr = (stat.S_IFREG | member.mode) << 16
            archive.writestr(entry, member.content, compresslevel=9)
    return whole.getvalue()
