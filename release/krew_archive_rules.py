"""The rules for the archives that a manifest names."""

import fnmatch
import posixpath
from collections.abc import Iterator

from release.contents import Archive, Entry
from release.krew_manifest import FileOperation, PlatformSpec
from release.krew_submission import Rule, Submission
from release.project import LARGEST_ARCHIVE

__all__ = ["ARCHIVE_RULES", "installed"]

_LICENCES = frozenset(
    {"license", "license.txt", "license.md", "licenses", "licenses.txt", "licenses.md", "copying", "copying.txt"}
)
"""krew cmd/validate-krew-manifest/main.go, `licenseFiles`; lowercase."""

_INSTALLERS = (".sh", ".bat", ".cmd", ".ps1", ".msi", ".deb", ".rpm", ".pkg", ".whl")


def installed(archive: Archive, files: tuple[FileOperation, ...] | None) -> dict[str, Entry]:
    """Give the regular files that krew installs, by their path in the plugin's folder (internal/installation/move.go).

    Without `files` that is all; else each `from` is a path, or a pattern for what is then put into the folder `to`.
    """
    regular = [each for each in archive.entries if each.kind == "file"]
    if files is None:
        return {posixpath.normpath(each.name): each for each in regular}
    return {path: entry for operation in files for entry in regular for path in _put(entry, operation, archive)}


def _put(entry: Entry, operation: FileOperation, archive: Archive) -> Iterator[str]:
    source, to = posixpath.normpath(operation.source), posixpath.normpath(operation.to)
    name = posixpath.normpath(entry.name)
    head = "/".join(name.split("/")[: source.count("/") + 1])
    direct = any(_is_or_is_in(posixpath.normpath(each.name), source) for each in archive.entries)
    if direct and head == source:
        yield posixpath.normpath(posixpath.join(posixpath.basename(head) if to == "." else to, name[len(head) + 1 :]))
    elif not direct and fnmatch.fnmatchcase(head, source):
        yield posixpath.normpath(posixpath.join(to, posixpath.basename(head), name[len(head) + 1 :]))


def _is_or_is_in(name: str, folder: str) -> bool:
    return name == folder or name.startswith(f"{folder}/")


def _program(spec: PlatformSpec, archive: Archive) -> Entry | None:
    return installed(archive, spec.files).get(posixpath.normpath(spec.bin))


def _is_there(given: Submission) -> Iterator[str]:
    for index, spec in enumerate(given.manifest.spec.platforms):
        if given.archive_of(spec) is None:
            yield f"platforms[{index}]: there is no archive {spec.uri.rpartition('/')[2]!r}"


def _checksum(given: Submission) -> Iterator[str]:
    for spec, archive in given.pairs():
        if spec.sha256.lower() != archive.sha256:
            yield f"{archive.name} has the checksum {archive.sha256}, not {spec.sha256}"


def _format(given: Submission) -> Iterator[str]:
    for _, archive in given.pairs():
        if archive.format == "unknown":
            yield f"{archive.name} is neither a zip nor a gzipped tar by its content, or is damaged"
        elif not archive.name.endswith(f".{archive.format}"):
            yield f"{archive.name} is a {archive.format} by its content"


def _size(given: Submission) -> Iterator[str]:
    for _, archive in given.pairs():
        if archive.size >= LARGEST_ARCHIVE:
            yield f"{archive.name} has {archive.size / 1e6:.1f} MB; {LARGEST_ARCHIVE / 1e6:.0f} are too many"


def _no_links(given: Submission) -> Iterator[str]:
    for _, archive in given.pairs():
        for each in archive.entries:
            if each.kind not in {"file", "folder"}:
                yield f"{archive.name}: {each.name} is a {each.kind}, which krew does not unpack"


def _names(given: Submission) -> Iterator[str]:
    for _, archive in given.pairs():
        for each in archive.entries:
            if ".." in each.name or each.name.startswith(("/", "\\")) or each.name[1:2] == ":":
                yield f"{archive.name}: the name {each.name!r} is absolute, or has '..' in it"


def _modes(given: Submission) -> Iterator[str]:
    for _, archive in given.pairs():
        for each in archive.entries:
            if each.kind == "file" and each.mode & 0o777 not in {0o644, 0o755}:
                yield f"{archive.name}: {each.name} has the mode {each.mode:o}; others could not read it, or change it"


def _bin_is_there(given: Submission) -> Iterator[str]:
    for spec, archive in given.pairs():
        if archive.entries and spec.bin and _program(spec, archive) is None:
            yield f"{archive.name} has no file {spec.bin!r}, or it is not taken out"


def _bin_may_be_executed(given: Submission) -> Iterator[str]:
    for spec, archive in given.pairs():
        program = _program(spec, archive)
        if program is not None and not program.mode & 0o111:
            yield f"{archive.name}: {program.name} may not be executed"


def _licence(given: Submission) -> Iterator[str]:
    for spec, archive in given.pairs():
        taken = installed(archive, spec.files)
        if archive.entries and not any(posixpath.basename(path).lower() in _LICENCES for path in taken):
            yield f"{archive.name} has no regular file LICENSE, or it is not taken out"


def _notices(given: Submission) -> Iterator[str]:
    for spec, archive in given.pairs():
        taken = installed(archive, spec.files)
        if archive.entries and not any(posixpath.basename(path) == "THIRD_PARTY_NOTICES.txt" for path in taken):
            yield f"{archive.name} has no THIRD_PARTY_NOTICES.txt, and it contains the work of others"


def _no_installers(given: Submission) -> Iterator[str]:
    for _, archive in given.pairs():
        for each in archive.entries:
            if each.kind == "file" and each.name.lower().endswith(_INSTALLERS):
                yield f"{archive.name}: {each.name} may install something else, which plugins do not"


_DOWNLOADER = "krew internal/download/downloader.go"

ARCHIVE_RULES = (
    Rule("archive-is-there", "krew cmd/validate-krew-manifest/main.go", _is_there),
    Rule("archive-checksum", "krew internal/download/verifier.go", _checksum),
    Rule("archive-format", _DOWNLOADER, _format),
    Rule("archive-size", "this project: under 60 MB", _size),
    Rule("no-links", _DOWNLOADER, _no_links),
    Rule("names", _DOWNLOADER, _names),
    Rule("modes", "krew internal/download/downloader.go keeps them", _modes),
    Rule("bin-is-there", "krew internal/installation/install.go", _bin_is_there),
    Rule("bin-may-be-executed", _DOWNLOADER, _bin_may_be_executed),
    Rule("licence", "krew cmd/validate-krew-manifest/main.go", _licence),
    Rule("notices", "this project", _notices),
    Rule("no-installers", "kubernetes-sigs/krew-index#1952", _no_installers),
)
