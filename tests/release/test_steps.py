import subprocess
import sys

from release.project import ROOT


def test_a_step_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "release", "pack", "upload"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert told.returncode == 2
    assert told.stderr.endswith("error: there is no step upload; there are freeze, pack, try, packages\n")
