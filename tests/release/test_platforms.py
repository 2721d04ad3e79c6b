import pytest

from release.platforms import KREW_SUPPORTS, RELEASED, Platform, this_machine
from release.project import ReleaseError


@pytest.mark.parametrize(
    ("system", "machine", "expected"),
    [
        ("linux", "x86_64", Platform("linux", "amd64")),
        ("linux", "aarch64", Platform("linux", "arm64")),
        ("darwin", "x86_64", Platform("darwin", "amd64")),
        ("darwin", "arm64", Platform("darwin", "arm64")),
        ("win32", "AMD64", Platform("windows", "amd64")),
    ],
)
def test_a_machine_is_named_as_krew_names_it(system: str, machine: str, expected: Platform) -> None:
    assert this_machine(system, machine) == expected


def test_a_machine_that_nothing_is_released_for_is_told_what_there_is() -> None:
    with pytest.raises(
        ReleaseError, match="no archive is made for freebsd14/amd64; there are linux/amd64, linux/arm64"
    ):
        this_machine("freebsd14", "amd64")


def test_everything_that_is_released_is_known_to_krew() -> None:
    assert set(RELEASED) <= KREW_SUPPORTS


def test_an_archive_is_named_by_version_and_system() -> None:
    assert Platform("windows", "amd64").archive_name("0.1.0") == "kubectl-grpclb_0.1.0_windows_amd64.zip"
    assert Platform("darwin", "arm64").archive_name("0.1.0") == "kubectl-grpclb_0.1.0_darwin_arm64.tar.gz"
