"""What pip and pipx install."""

import hashlib
import pathlib
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from email.parser import BytesParser

import pytest

from release.packages import build
from release.project import ROOT, version

DIST_INFO = f"kubectl_grpclb-{version()}.dist-info"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[pathlib.Path, pathlib.Path]:
    """The wheel and the source archive of this checkout."""
    return build(ROOT, tmp_path_factory.mktemp("dist"))


def files_of_the_package() -> set[str]:
    """What git keeps of the package, or would once it is added."""
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "kubectl_grpclb"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return {path for path in listed if (ROOT / path).exists()}


def test_the_wheel_holds_the_package_and_nothing_else(built: tuple[pathlib.Path, pathlib.Path]) -> None:
    names = set(zipfile.ZipFile(built[0]).namelist())

    assert names == files_of_the_package() | {
        f"{DIST_INFO}/METADATA",
        f"{DIST_INFO}/RECORD",
        f"{DIST_INFO}/WHEEL",
        f"{DIST_INFO}/entry_points.txt",
        f"{DIST_INFO}/licenses/LICENSE",
    }


def test_the_package_holds_code_pages_and_scripts_and_says_that_it_is_typed() -> None:
    files = {pathlib.PurePath(path) for path in files_of_the_package()}

    assert {path.suffix for path in files} == {".py", ".md", ".typed", ".bash", ".zsh", ".fish"}
    assert pathlib.PurePath("kubectl_grpclb/py.typed") in files


def test_the_wheel_runs_everywhere_and_is_called_as_a_plugin(built: tuple[pathlib.Path, pathlib.Path]) -> None:
    with zipfile.ZipFile(built[0]) as wheel:
        entry_points = wheel.read(f"{DIST_INFO}/entry_points.txt").decode()

    assert built[0].name == f"kubectl_grpclb-{version()}-py3-none-any.whl"
    assert entry_points.split() == [
        "[console_scripts]",
        "kubectl-grpclb=kubectl_grpclb.__main__:main",
        "kubectl_complete-grpclb=kubectl_grpclb.__main__:complete",
    ]


def test_the_metadata_says_what_a_registry_shows(built: tuple[pathlib.Path, pathlib.Path]) -> None:
    with zipfile.ZipFile(built[0]) as wheel:
        metadata = BytesParser().parsebytes(wheel.read(f"{DIST_INFO}/METADATA"))

    assert metadata["Version"] == version()
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert {line.partition(",")[0] for line in metadata.get_all("Project-URL", [])} == {
        "Changelog",
        "Documentation",
        "Homepage",
        "Issues",
        "Repository",
    }


def test_the_source_archive_builds_the_same_wheel_byte_for_byte(
    built: tuple[pathlib.Path, pathlib.Path], tmp_path: pathlib.Path
) -> None:
    wheel, source = built
    with tarfile.open(source) as tar:
        tar.extractall(tmp_path, filter="data")

    again, _ = build(tmp_path / f"kubectl_grpclb-{version()}", tmp_path / "dist")

    assert digest(again) == digest(wheel)


def test_the_same_checkout_builds_the_same_archives(
    built: tuple[pathlib.Path, pathlib.Path], tmp_path: pathlib.Path
) -> None:
    assert [digest(path) for path in build(ROOT, tmp_path)] == [digest(path) for path in built]


def test_the_installed_wheel_is_a_working_plugin(
    built: tuple[pathlib.Path, pathlib.Path], tmp_path: pathlib.Path
) -> None:
    home = tmp_path / "venv"
    venv.create(home, symlinks=True)
    site = pathlib.Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    (site / "requirements.pth").write_text(sysconfig.get_path("purelib"))  # of this environment, to fetch nothing
    install = ["-m", "pip", "--python", str(home / "bin" / "python"), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([sys.executable, *install, "--disable-pip-version-check", str(built[0])], check=True)

    told = run(home / "bin" / "kubectl-grpclb", "version")
    page = run(home / "bin" / "kubectl-grpclb", "explain", "GLB101")
    where = run(home / "bin" / "python", "-c", "import kubectl_grpclb; print(kubectl_grpclb.__file__)")

    assert told.startswith(f"kubectl-grpclb {version()}\n")
    assert "GLB101" in page
    assert pathlib.Path(where.strip()).is_relative_to(home)


def run(*command: str | pathlib.Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout


def digest(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
