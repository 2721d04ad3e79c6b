"""krew itself takes the plugin, installs it everywhere, and refuses what our rules refuse.

`make e2e` builds krew where Go is; the archive comes from `make dist`. No cluster is asked.
"""

import http.server
import os
import pathlib
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial

import msgspec
import pytest

from kubectl_grpclb.model.yaml_text import yaml_text
from release.archive import members, pack
from release.contents import Archive, read_archive
from release.manifest import manifest_for, render
from release.notices import NOTICES
from release.platforms import RELEASED, Platform, this_machine
from release.project import DIST, repository, version
from tests.release.broken_archives import BROKEN_ARCHIVES
from tests.release.broken_archives import Broken as BrokenArchive
from tests.release.broken_manifests import BROKEN_MANIFESTS
from tests.release.broken_manifests import Broken as BrokenManifest
from tests.release.frozen import RELEASED_AT, freeze

THIS = this_machine()

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("kubectl-krew") is None, reason="krew is not there: make e2e builds it with Go"),
]

BY_PEOPLE = {
    *("kebab-case", "no-kube-prefix", "short-description-is-short", "description", "description-has-no-usage"),
    *("caveats", "homepage", "uri-of-version", "licence", "notices", "archive-size", "modes", "no-installers"),
}
"""The rules that krew leaves to its reviewers or checks elsewhere, and those of this project."""

ONLY_INSTALLED = {"bin-for-windows", "bin-is-there", "files-to-is-clean", "archive-is-there", "archive-checksum"}
"""The rules that a manifest's structure cannot show."""

LENIENT = {"uri: .tar.xz", "names: absolute on Windows", "archive-format: a zip inside", "bin-may-be-executed: 0644"}
"""What krew lets pass, although nothing good comes of it."""

REFUSED_MANIFESTS = [
    case for case in BROKEN_MANIFESTS if case.rule not in BY_PEOPLE | ONLY_INSTALLED and str(case) not in LENIENT
]
REFUSED_ARCHIVES = [case for case in BROKEN_ARCHIVES if case.rule not in BY_PEOPLE and str(case) not in LENIENT]


@pytest.fixture(scope="module")
def archive() -> pathlib.Path:
    """The archive of this machine, as it would be released."""
    path = DIST / THIS.archive_name(version())
    if not path.exists():
        pytest.skip(f"there is no {path.name}: make dist")
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A dist/ with small archives of every system."""
    dist = tmp_path_factory.mktemp("dist")
    for platform in RELEASED:
        frozen = freeze(tmp_path_factory.mktemp("frozen") / "kubectl-grpclb", platform)
        content = pack(members(frozen, platform, {"LICENSE": "L", NOTICES: "N"}), platform.archive_format, RELEASED_AT)
        (dist / platform.archive_name(version())).write_bytes(content)
    return dist


@pytest.fixture
def served(small: pathlib.Path, archive: pathlib.Path, tmp_path: pathlib.Path) -> Iterator[str]:
    """Where every archive of a release can be fetched from: this machine's as released, small ones of the others."""
    dist = tmp_path / "dist"
    shutil.copytree(small, dist)
    shutil.copy(archive, dist)
    handler = partial(QuietHandler, directory=dist)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Writes no line for each file into the tests' output."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Krew:
    """A krew with a folder of its own, and kubectl that finds what it installed."""

    def __init__(self, home: pathlib.Path) -> None:
        self.root = home / "krew"
        path = f"{self.root / 'bin'}{os.pathsep}{os.environ['PATH']}"
        self.environment = os.environ | {"KREW_ROOT": str(self.root), "HOME": str(home), "PATH": path}

    def __call__(self, *arguments: str | pathlib.Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["kubectl", *arguments],
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def install(
        self, manifest: pathlib.Path, archive: pathlib.Path, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return self("krew", "install", "--manifest", manifest, "--archive", archive, **environment)


@pytest.fixture
def krew(tmp_path: pathlib.Path) -> Krew:
    return Krew(tmp_path)


def validate(manifest: pathlib.Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["validate-krew-manifest", "-manifest", manifest, *more],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def write_manifest(folder: pathlib.Path, archives: list[Archive], at: str = "") -> pathlib.Path:
    """Writes grpclb.yaml for these archives; `at` is where they are fetched from in place of GitHub."""
    text = render(manifest_for(archives, version(), repository()))
    released = f"https://github.com/{repository()}/releases/download/v{version()}"
    path = folder / "grpclb.yaml"
    path.write_text(text.replace(released, at) if at else text)
    return path


def test_the_check_of_krews_index_installs_it_on_every_platform(
    served: str, small: pathlib.Path, archive: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    others = [path for path in sorted(small.iterdir()) if path.name != archive.name]
    archives = [read_archive(path) for path in [archive, *others]]

    told = validate(write_manifest(tmp_path, archives, at=served))

    assert told.returncode == 0, told.stderr
    assert f"all {len(RELEASED)} spec.platforms installed fine" in told.stderr


def test_installed_by_krew_kubectl_runs_the_frozen_program(
    krew: Krew, archive: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    manifest = write_manifest(tmp_path, [read_archive(archive)])

    installed = krew.install(manifest, archive)

    assert installed.returncode == 0, installed.stderr
    assert (krew.root / "bin" / "kubectl-grpclb").is_symlink()
    assert krew("grpclb", "version").stdout.startswith(f"kubectl-grpclb {version()}\n")
    assert krew("grpclb", "explain", "GLB101").stdout.startswith("# GLB101: ")
    assert "Usage:\n  kubectl grpclb " in krew("grpclb", "-h").stdout
    assert "-n, --namespace" in krew("grpclb", "diagnose", "-h").stdout


def test_krew_says_what_the_plugin_needs_once_it_is_installed(
    krew: Krew, archive: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    told = krew.install(write_manifest(tmp_path, [read_archive(archive)]), archive).stderr

    assert f"https://github.com/{repository()}" in told
    assert "* On Linux: glibc 2.28 or newer" in told


@pytest.mark.parametrize("platform", RELEASED, ids=lambda each: f"{each.os}-{each.arch}")
def test_krew_finds_the_archive_of_each_system(
    krew: Krew, small: pathlib.Path, tmp_path: pathlib.Path, platform: Platform
) -> None:
    manifest = write_manifest(tmp_path, [read_archive(path) for path in small.iterdir()])

    told = krew.install(
        manifest, small / platform.archive_name(version()), KREW_OS=platform.os, KREW_ARCH=platform.arch
    )

    assert told.returncode == 0, told.stderr
    program = krew.root / "store" / "grpclb" / f"v{version()}" / "kubectl-grpclb" / platform.program
    assert os.access(program, os.X_OK)


@pytest.mark.parametrize("case", REFUSED_MANIFESTS, ids=str)
def test_krew_refuses_a_manifest_that_our_rules_refuse(
    case: BrokenManifest, small: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    manifest = msgspec.to_builtins(
        manifest_for([read_archive(path) for path in small.iterdir()], version(), repository())
    )
    case.change(manifest)
    path = tmp_path / "grpclb.yaml"
    path.write_text(yaml_text(manifest))

    assert validate(path, "-skip-install").returncode != 0


@pytest.mark.parametrize("case", REFUSED_ARCHIVES, ids=str)
def test_krew_refuses_an_archive_that_our_rules_refuse(
    case: BrokenArchive, krew: Krew, small: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    path = pathlib.Path(shutil.copy(small / RELEASED[0].archive_name(version()), tmp_path))
    case.change(path)

    told = krew.install(
        write_manifest(tmp_path, [read_archive(path)]), path, KREW_OS=RELEASED[0].os, KREW_ARCH=RELEASED[0].arch
    )

    assert told.returncode != 0
    assert not (krew.root / "bin" / "kubectl-grpclb").exists()
