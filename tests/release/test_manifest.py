import pathlib
import re
import shutil
from collections.abc import Sequence

import pytest
import yaml

from kubectl_grpclb import __version__
from kubectl_grpclb.commands import VERBS
from release import manifest
from release.contents import Archive
from release.platforms import RELEASED
from release.project import ROOT, repository, version


@pytest.fixture
def dist(released: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A dist/ of this test's own, in place of the project's."""
    folder = tmp_path / "dist"
    shutil.copytree(released, folder)
    monkeypatch.setattr(manifest, "DIST", folder)
    monkeypatch.setattr(manifest, "ROOT", tmp_path)
    monkeypatch.setattr(manifest, "version", lambda: "0.1.0")
    return folder


def refusal(arguments: Sequence[str]) -> str:
    with pytest.raises(SystemExit) as left:
        manifest.main(arguments)
    return str(left.value)


def test_a_manifest_is_written_for_the_archives_that_are_there(dist: pathlib.Path) -> None:
    (dist / "kubectl-grpclb_0.1.0_windows_amd64.zip").unlink()

    manifest.main([])

    written = yaml.safe_load((dist / "plugin.yaml").read_text())
    assert [each["selector"]["matchLabels"] for each in written["spec"]["platforms"]] == [
        {"os": "linux", "arch": "amd64"},
        {"os": "linux", "arch": "arm64"},
        {"os": "darwin", "arch": "amd64"},
        {"os": "darwin", "arch": "arm64"},
    ]


def test_a_platform_tells_where_its_archive_will_be_and_which_program_is_in_it(archives: tuple[Archive, ...]) -> None:
    windows = next(each for each in archives if each.format == "zip")

    written = yaml.safe_load(manifest.render(manifest.manifest_for(archives, "0.1.0", "shop/fork")))

    assert written["spec"]["platforms"][-1] == {
        "selector": {"matchLabels": {"os": "windows", "arch": "amd64"}},
        "uri": "https://github.com/shop/fork/releases/download/v0.1.0/kubectl-grpclb_0.1.0_windows_amd64.zip",
        "sha256": windows.sha256,
        "bin": "kubectl-grpclb/kubectl-grpclb.exe",
    }


def test_the_manifest_has_the_version_of_the_program_and_the_repository_of_the_project(
    dist: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "version", version)
    shutil.copy(dist / RELEASED[0].archive_name("0.1.0"), dist / "new")
    (dist / "new").rename(dist / RELEASED[0].archive_name(version()))

    manifest.main([])

    written = yaml.safe_load((dist / "plugin.yaml").read_text())
    assert written["spec"]["version"] == f"v{__version__}"
    assert written["spec"]["homepage"] == f"https://github.com/{repository()}"


def test_a_manifest_that_krew_would_refuse_is_not_written(dist: pathlib.Path) -> None:
    (dist / "kubectl-grpclb_0.1.0_linux_amd64.tar.gz").write_bytes(b"a page that says: not found")

    told = refusal([])

    assert told == (
        "error: krew would not take the plugin:\n  archive-format: kubectl-grpclb_0.1.0_linux_amd64.tar.gz is neither "
        "a zip nor a gzipped tar by its content, or is damaged"
    )
    assert not (dist / "plugin.yaml").exists()


def test_without_any_archive_it_says_how_to_make_one(dist: pathlib.Path) -> None:
    shutil.rmtree(dist)

    assert refusal([]).endswith("make dist makes this machine's")


def test_a_release_must_have_every_archive(dist: pathlib.Path) -> None:
    (dist / "kubectl-grpclb_0.1.0_darwin_arm64.tar.gz").unlink()

    told = refusal(["--all"])

    assert told.startswith("error: dist/ has no kubectl-grpclb_0.1.0_darwin_arm64.tar.gz")
    assert not (dist / "plugin.yaml").exists()


def test_archives_of_another_version_are_left_out(archives: tuple[Archive, ...]) -> None:
    assert manifest.manifest_for(archives, "0.2.0", "grpclb/kubectl-grpclb").spec.platforms == ()


def test_every_released_platform_has_an_archive_in_the_tests(archives: tuple[Archive, ...]) -> None:
    assert {each.name for each in archives} == {each.archive_name("0.1.0") for each in RELEASED}


def test_the_manifest_reads_well(archives: tuple[Archive, ...]) -> None:
    text = manifest.render(manifest.manifest_for(archives, "0.1.0", "grpclb/kubectl-grpclb"))

    assert "\n  description: |\n    A gRPC channel keeps one HTTP/2 connection" in text
    assert "\n  caveats: |\n    * To look into pods" in text
    assert max(map(len, text.splitlines())) <= 140


def test_the_caveats_name_commands_that_there_are(archives: tuple[Archive, ...]) -> None:
    caveats = manifest.manifest_for(archives, "0.1.0", "grpclb/kubectl-grpclb").spec.caveats

    assert set(re.findall(r"kubectl grpclb (\S+)", caveats)) == {"rbac", "completion"}
    assert {"rbac", "completion"} <= set(VERBS)


def test_the_repository_is_that_of_pyproject() -> None:
    assert f'Repository = "https://github.com/{repository()}"' in (ROOT / "pyproject.toml").read_text()
