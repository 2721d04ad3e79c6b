"""`pipx install` of this checkout gives a plugin that kubectl finds. Asks PyPI, and no cluster."""

import os
import pathlib
import subprocess
import sys

import pytest

from release.project import ROOT, version

pytestmark = pytest.mark.e2e


def test_pipx_installs_a_working_plugin(tmp_path: pathlib.Path) -> None:
    binaries = tmp_path / "bin"
    environment = os.environ | {
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(binaries),
        "PIPX_MAN_DIR": str(tmp_path / "man"),
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
    }

    def run(*command: str | pathlib.Path) -> str:
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(sys.executable, "-m", "pipx", "install", ROOT)

    assert sorted(path.name for path in binaries.iterdir()) == ["kubectl-grpclb", "kubectl_complete-grpclb"]
    assert run("kubectl", "grpclb", "version").startswith(f"kubectl-grpclb {version()}\n")
    assert run("kubectl", "grpclb", "explain", "GLB101").startswith("# GLB101: ")
    assert run("kubectl", "__complete", "grpclb", "expl").startswith("explain\tExplain a finding.\n")
