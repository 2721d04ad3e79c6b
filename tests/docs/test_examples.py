"""The examples of the tutorial work, and name what the rest of the project names."""

import json
import pathlib
import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
import yaml

from kubectl_grpclb.flows.diagnose import replayed
from kubectl_grpclb.model.look import DEBUG_IMAGE
from kubectl_grpclb.remedies.envoy.options import DEFAULT_IMAGE
from tests.docs.commands import ROOT

EXAMPLES = ROOT / "docs" / "examples"
GREETER = EXAMPLES / "greeter.py"
ANSWERING = re.compile(r"answering on port (\d+)")


@pytest.fixture
def port() -> Iterator[str]:
    """Of a greeter that serves on this machine."""
    server = subprocess.Popen([sys.executable, GREETER, "serve", "--port", "0"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    answering = ANSWERING.search(server.stdout.readline())
    assert answering is not None
    yield answering[1]
    server.send_signal(signal.SIGTERM)
    assert server.wait(timeout=30) == 0
    server.stdout.close()


def test_the_greeter_of_the_tutorial_answers_its_callers(port: str) -> None:
    words = [sys.executable, str(GREETER), "call", f"--target=localhost:{port}", "--rate=50", "--report=0.5"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as caller:
        assert caller.stdout is not None
        told = caller.stdout.readline()
        caller.terminate()
        assert caller.wait(timeout=30) == 0

    assert re.fullmatch(r"\{'[^']+': \d+\}\n", told)
    assert "error" not in told


@pytest.mark.parametrize("name", ["greeter.yaml", "caller.yaml"])
def test_the_manifests_give_the_program_flags_that_it_has(name: str) -> None:
    objects = list(yaml.safe_load_all((EXAMPLES / name).read_text()))
    arguments = objects[-1]["spec"]["template"]["spec"]["containers"][0]["args"]

    done = subprocess.run([sys.executable, GREETER, *arguments, "--help"], capture_output=True, text=True, check=False)

    assert done.returncode == 0
    assert f"greeter.py {arguments[0]}" in done.stdout


def test_the_image_has_the_versions_that_the_project_is_tested_with() -> None:
    pinned = set((ROOT / "requirements.txt").read_text().splitlines())
    installed = re.findall(r"[\w-]+==\S+", (EXAMPLES / "Dockerfile").read_text())

    assert len(installed) == 3
    assert set(installed) <= pinned


def test_the_recorded_files_are_of_the_service_before_its_fix_and_after_it() -> None:
    verdicts = [replayed((EXAMPLES / name).read_bytes()).verdict for name in ("sticky.json", "fixed.json")]

    assert verdicts == ["unbalanced", "balanced"]


@pytest.mark.parametrize("name", ["sticky.json", "fixed.json"])
def test_the_recorded_files_name_no_other_place_than_the_tutorials(name: str) -> None:
    target = json.loads((EXAMPLES / name).read_bytes())["target"]

    assert (target["namespace"], target["service"]) == ("shop", "greeter")


@pytest.mark.parametrize("image", [DEFAULT_IMAGE, DEBUG_IMAGE])
def test_a_closed_network_is_told_of_every_image(image: str) -> None:
    assert f"| `{image}` |" in (ROOT / "docs" / "recipes" / "air-gapped.md").read_text()


def test_no_example_is_forgotten() -> None:
    known = {"greeter.py", "greeter.yaml", "caller.yaml", "Dockerfile", "sticky.json", "fixed.json"}

    assert {path.name for path in pathlib.Path(EXAMPLES).iterdir() if path.is_file()} == known
