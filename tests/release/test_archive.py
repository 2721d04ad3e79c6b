import gzip
import io
import os
import pathlib
import subprocess
import tarfile

import pytest

from release.archive import Member, members, pack
from release.contents import Archive, Entry, read_archive
from release.platforms import Platform
from release.project import ReleaseError
from tests.release.frozen import RELEASED_AT, freeze

LINUX = Platform("linux", "amd64")
WINDOWS = Platform("windows", "amd64")
TEXTS = {"LICENSE": "Apache License\n", "THIRD_PARTY_NOTICES.txt": "Python\n"}


def packed(folder: pathlib.Path, platform: Platform) -> Archive:
    path = folder / platform.archive_name("0.1.0")
    path.write_bytes(
        pack(members(freeze(folder / "frozen", platform), platform, TEXTS), platform.archive_format, RELEASED_AT)
    )
    return read_archive(path)


def test_an_archive_holds_the_program_its_files_and_the_licences_in_one_folder(tmp_path: pathlib.Path) -> None:
    archive = packed(tmp_path, LINUX)

    assert [(each.name, each.mode) for each in archive.entries] == [
        ("kubectl-grpclb/LICENSE", 0o644),
        ("kubectl-grpclb/THIRD_PARTY_NOTICES.txt", 0o644),
        ("kubectl-grpclb/_internal/Current/rules/glb101.md", 0o644),
        ("kubectl-grpclb/_internal/base_library.zip", 0o644),
        ("kubectl-grpclb/_internal/kubectl_grpclb/rules/glb101.md", 0o644),
        ("kubectl-grpclb/_internal/libssl.so", 0o755),
        ("kubectl-grpclb/_internal/libssl.so.3", 0o755),
        ("kubectl-grpclb/_internal/libssl.so.3.0", 0o755),
        ("kubectl-grpclb/kubectl-grpclb", 0o755),
    ]


@pytest.mark.parametrize("platform", [LINUX, WINDOWS], ids=["tar.gz", "zip"])
def test_links_become_files(tmp_path: pathlib.Path, platform: Platform) -> None:
    archive = packed(tmp_path, platform)

    assert {each.kind for each in archive.entries} == {"file"}


def test_windows_gets_a_zip_with_an_exe_that_may_be_executed_elsewhere_too(tmp_path: pathlib.Path) -> None:
    archive = packed(tmp_path, WINDOWS)

    assert archive.format == "zip"
    assert Entry("kubectl-grpclb/kubectl-grpclb.exe", "file", 0o755) in archive.entries


@pytest.mark.parametrize("platform", [LINUX, WINDOWS], ids=["tar.gz", "zip"])
def test_the_same_files_give_the_same_bytes_wherever_and_whenever_they_were_frozen(
    tmp_path: pathlib.Path, platform: Platform
) -> None:
    first = freeze(tmp_path / "first", platform)
    second = freeze(tmp_path / "second" / "elsewhere", platform)
    os.utime(second / platform.program, (0, 0))

    bytes_of = [pack(members(each, platform, TEXTS), platform.archive_format, RELEASED_AT) for each in (first, second)]

    assert bytes_of[0] == bytes_of[1]


def test_a_tar_tells_neither_who_packed_it_nor_when(tmp_path: pathlib.Path) -> None:
    content = pack(members(freeze(tmp_path / "frozen", LINUX), LINUX, TEXTS), "tar.gz", RELEASED_AT)

    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        told = {(each.mtime, each.uid, each.gid, each.uname, each.gname) for each in tar}
    assert told == {(RELEASED_AT, 0, 0, "", "")}
    assert content[3:4] == b"\0"  # RFC 1952: no flags, so no file name in the header
    assert int.from_bytes(content[4:8], "little") == RELEASED_AT


def test_the_tar_of_the_system_unpacks_it_with_its_contents(tmp_path: pathlib.Path) -> None:
    content = pack(members(freeze(tmp_path / "frozen", LINUX), LINUX, TEXTS), "tar.gz", RELEASED_AT)

    subprocess.run(["tar", "-xz", "-C", tmp_path], input=content, check=True)

    assert (tmp_path / "kubectl-grpclb" / "_internal" / "libssl.so").read_bytes() == b"\x7fELF TLS"
    assert (tmp_path / "kubectl-grpclb" / "LICENSE").read_text() == "Apache License\n"


def test_a_path_that_is_too_long_for_a_plain_tar_header_is_kept_whole(tmp_path: pathlib.Path) -> None:
    name = f"kubectl-grpclb/{'_internal/' * 14}page.md"

    content = pack([Member(name, 0o644, b"")], "tar.gz", RELEASED_AT)

    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content))) as tar:
        assert tar.getnames() == [name]


def test_a_link_out_of_the_frozen_folder_is_refused(tmp_path: pathlib.Path) -> None:
    frozen = freeze(tmp_path / "frozen", LINUX)
    (frozen / "_internal" / "libz.so.1").symlink_to("/etc/hostname")

    with pytest.raises(ReleaseError, match=r"libz\.so\.1 leads to /etc/hostname, which is not in the archive"):
        members(frozen, LINUX, TEXTS)


def test_a_link_that_leads_nowhere_is_refused(tmp_path: pathlib.Path) -> None:
    frozen = freeze(tmp_path / "frozen", LINUX)
    (frozen / "_internal" / "libz.so").symlink_to("libz.so.1")

    with pytest.raises(ReleaseError, match=r"libz\.so leads to .*libz\.so\.1, which is not in the archive"):
        members(frozen, LINUX, TEXTS)


def test_a_link_to_a_folder_that_it_is_in_is_refused(tmp_path: pathlib.Path) -> None:
    frozen = freeze(tmp_path / "frozen", LINUX)
    (frozen / "_internal" / "again").symlink_to(frozen, target_is_directory=True)

    with pytest.raises(ReleaseError, match="again leads to a folder that it is in"):
        members(frozen, LINUX, TEXTS)


def test_without_a_frozen_program_it_says_what_to_do(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ReleaseError, match=r"has no kubectl-grpclb: freeze first \(make dist does\)"):
        members(tmp_path, LINUX, TEXTS)


def test_a_frozen_program_with_a_licence_of_its_own_is_not_written_over(tmp_path: pathlib.Path) -> None:
    frozen = freeze(tmp_path / "frozen", LINUX)
    (frozen / "LICENSE").write_text("another")

    with pytest.raises(ReleaseError, match="already has kubectl-grpclb/LICENSE"):
        members(frozen, LINUX, TEXTS)
