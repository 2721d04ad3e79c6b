import pathlib

import pytest

from release.archive import Member, pack
from release.platforms import this_machine
from release.project import ReleaseError
from release.trial import run_unpacked

THIS = this_machine()


def archive_with(folder: pathlib.Path, program: str, mode: int = 0o755) -> pathlib.Path:
    path = folder / THIS.archive_name("0.1.0")
    path.write_bytes(pack([Member("kubectl-grpclb/kubectl-grpclb", mode, program.encode())], "tar.gz", 1_795_000_000))
    return path


def test_the_program_is_run_out_of_the_archive(tmp_path: pathlib.Path) -> None:
    archive = archive_with(tmp_path, "#!/bin/sh\necho kubectl-grpclb 0.1.0, asked for $1\n")

    assert run_unpacked(archive, THIS, "version") == "kubectl-grpclb 0.1.0, asked for version\n"


def test_a_program_that_fails_is_no_release(tmp_path: pathlib.Path) -> None:
    archive = archive_with(tmp_path, "#!/bin/sh\necho 'No module named grpc' >&2\nexit 3\n")

    with pytest.raises(ReleaseError, match=r"fails at 'version' \(3\): No module named grpc"):
        run_unpacked(archive, THIS, "version")


def test_a_program_that_may_not_be_executed_is_no_release(tmp_path: pathlib.Path) -> None:
    archive = archive_with(tmp_path, "#!/bin/sh\n", mode=0o644)

    with pytest.raises(ReleaseError, match=r"does not start: .*Permission denied"):
        run_unpacked(archive, THIS, "version")
