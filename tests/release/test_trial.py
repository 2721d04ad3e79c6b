import pathlib

import pytest

from release.archive import Member, pack
from release.platforms import this_machine
from release.project import ReleaseError
from release.trial import run, unpacked
from tests.release.frozen import RELEASED_AT

THIS = this_machine()


def try_out(folder: pathlib.Path, program: str, mode: int = 0o755) -> str:
    """Packs a program, unpacks it, and runs it with the word `version`."""
    path = folder / THIS.archive_name("0.1.0")
    path.write_bytes(pack([Member("kubectl-grpclb/kubectl-grpclb", mode, program.encode())], "tar.gz", RELEASED_AT))
    with unpacked(path, THIS) as linked:
        return run(linked, "version")


def test_the_program_is_run_out_of_the_archive(tmp_path: pathlib.Path) -> None:
    told = try_out(tmp_path, "#!/bin/sh\necho kubectl-grpclb 0.1.0, asked for $1\n")

    assert told == "kubectl-grpclb 0.1.0, asked for version\n"


def test_the_program_is_called_by_a_link_from_elsewhere_as_krew_does_it(tmp_path: pathlib.Path) -> None:
    told = try_out(tmp_path, '#!/bin/sh\ntest -L "$0" && basename "$(dirname "$0")"\n')

    assert told == "bin\n"


def test_a_program_that_fails_is_no_release(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ReleaseError, match=r"fails at 'version' \(3\): No module named grpc"):
        try_out(tmp_path, "#!/bin/sh\necho 'No module named grpc' >&2\nexit 3\n")


def test_a_program_that_may_not_be_executed_is_no_release(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ReleaseError, match=r"does not start: .*Permission denied"):
        try_out(tmp_path, "#!/bin/sh\n", mode=0o644)
