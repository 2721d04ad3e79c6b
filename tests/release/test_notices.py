import pathlib

import pytest

from release.native import LIBRARIES, bundled_libraries, check_native_libraries
from release.notices import notices
from release.platforms import Platform
from release.project import ReleaseError
from tests.release.frozen import freeze

LINUX = Platform("linux", "amd64")


@pytest.fixture
def frozen(tmp_path: pathlib.Path) -> pathlib.Path:
    return freeze(tmp_path / "frozen", LINUX)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The notices of a frozen program."""
    return notices(freeze(tmp_path_factory.mktemp("frozen") / "kubectl-grpclb", LINUX))


@pytest.mark.parametrize(
    "heading",
    ["Python 3.", "aiohttp 3.", "grpcio 1.", "msgspec 0.", "PyYAML 6.", "typer 0.", "OpenSSL (libssl.so*"],
)
def test_the_notices_name_everything_that_is_bundled(told: str, heading: str) -> None:
    assert f"\n{heading}" in told


def test_the_notices_have_the_licences_own_words(told: str) -> None:
    assert "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2" in told
    assert "Copyright (c) 2017-2021 Ingy döt Net" in told  # of PyYAML


def test_the_notices_name_no_tool_that_only_tests_or_builds(told: str) -> None:
    assert "\npytest 9" not in told
    assert "\nruff 0" not in told


def test_the_notices_are_the_same_each_time(frozen: pathlib.Path, told: str) -> None:
    assert notices(frozen) == told


def test_only_libraries_that_are_there_are_named(frozen: pathlib.Path) -> None:
    assert [each.name for each in bundled_libraries(frozen)] == ["OpenSSL"]


def test_libraries_of_known_licences_may_be_bundled(frozen: pathlib.Path) -> None:
    (frozen / "_internal" / "libstdc++.so.6").write_bytes(b"\x7fELF")

    check_native_libraries(frozen)


@pytest.mark.parametrize("library", ["libreadline.so.8", "libgdbm.so.6", "libcrypt.dylib", "nvidia.dll"])
def test_a_library_of_unknown_licence_ends_the_build(frozen: pathlib.Path, library: str) -> None:
    (frozen / "_internal" / library).write_bytes(b"\x7fELF")

    with pytest.raises(ReleaseError, match=f"native libraries of unknown licence: {library}; leave them out"):
        check_native_libraries(frozen)


def test_no_library_is_listed_twice() -> None:
    patterns = [pattern for library in LIBRARIES for pattern in library.files]

    assert len(patterns) == len(set(patterns))
