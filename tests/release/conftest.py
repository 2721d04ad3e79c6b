"""Archives of every released system, packed as for a release out of small frozen programs."""

import pathlib

import pytest

from release.archive import members, pack
from release.contents import Archive, read_archive
from release.notices import NOTICES, notices
from release.platforms import RELEASED
from release.project import ROOT
from tests.release.frozen import RELEASED_AT, freeze


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A dist/ with the archives of version 0.1.0; not to be changed."""
    dist = tmp_path_factory.mktemp("dist")
    for platform in RELEASED:
        frozen = freeze(tmp_path_factory.mktemp("frozen") / "kubectl-grpclb", platform)
        texts = {"LICENSE": (ROOT / "LICENSE").read_text(), NOTICES: notices(frozen)}
        content = pack(members(frozen, platform, texts), platform.archive_format, RELEASED_AT)
        (dist / platform.archive_name("0.1.0")).write_bytes(content)
    return dist


@pytest.fixture(scope="session")
def archives(released: pathlib.Path) -> tuple[Archive, ...]:
    """What is in these archives."""
    return tuple(read_archive(path) for path in sorted(released.iterdir()))
