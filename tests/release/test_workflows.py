"""The workflows on GitHub build every archive that krew's manifest names, with commands that are there."""

import pathlib
import re
from importlib.util import find_spec
from typing import Any

import pytest
import yaml

from release.platforms import RELEASED, Platform
from release.project import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))

RUNNERS = {
    "ubuntu-24.04": Platform("linux", "amd64"),
    "ubuntu-24.04-arm": Platform("linux", "arm64"),
    "macos-15-intel": Platform("darwin", "amd64"),
    "macos-15": Platform("darwin", "arm64"),
    "windows-2025": Platform("windows", "amd64"),
}
"""What GitHub's machines are (github.com/actions/runner-images)."""


def load(name: str) -> dict[Any, Any]:
    parsed: dict[Any, Any] = yaml.safe_load((FOLDER / name).read_text())
    return parsed


def steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def commands(path: pathlib.Path) -> str:
    return "\n".join(step.get("run", "") for step in steps(load(path.name)))


def test_there_is_a_workflow_for_each_push_and_one_for_each_release() -> None:
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "release.yml"]


def test_the_release_builds_each_platform_on_a_machine_of_its_kind() -> None:
    built = load("release.yml")["jobs"]["build"]["strategy"]["matrix"]["include"]

    assert tuple(Platform(each["os"], each["arch"]) for each in built) == RELEASED
    assert tuple(RUNNERS[each["runner"]] for each in built) == RELEASED


def test_the_release_builds_for_linux_where_the_c_library_is_old() -> None:
    built = load("release.yml")["jobs"]["build"]["strategy"]["matrix"]["include"]

    assert [each["container"] for each in built if each["os"] == "linux"] == [
        "quay.io/pypa/manylinux_2_28_x86_64",
        "quay.io/pypa/manylinux_2_28_aarch64",
    ]


def test_a_release_is_made_by_a_tag_and_only_when_everything_was_built() -> None:
    release = load("release.yml")

    assert release[True]["push"] == {"tags": ["v*"]}  # YAML 1.1 reads the key `on` as true
    assert release["jobs"]["publish"]["needs"] == "build"
    assert release["jobs"]["build"]["needs"] == "check"
    assert "--all" in commands(FOLDER / "release.yml")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_make_target_that_is_called_exists(path: pathlib.Path) -> None:
    called = {word for line in re.findall(r"\bmake ([a-z -]+)", commands(path)) for word in line.split()}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert called
    assert called <= targets


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_module_and_file_that_is_called_exists(path: pathlib.Path) -> None:
    modules = re.findall(r"python -m (release[\w.]*)", commands(path))
    requirements = re.findall(r"-r (\S+)", commands(path))

    assert [module for module in modules if find_spec(module) is None] == []
    assert [name for name in requirements if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_commit_and_says_its_version(path: pathlib.Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text())

    assert used
    assert [each for each in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_workflow_may_read_the_code_and_nothing_more(path: pathlib.Path) -> None:
    assert load(path.name)["permissions"] == {"contents": "read"}


def test_only_what_publishes_may_write() -> None:
    jobs = load("release.yml")["jobs"]

    assert {name: job["permissions"] for name, job in jobs.items() if "permissions" in job} == {
        "publish": {"contents": "write"}
    }


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_command_has_text_of_others_put_into_it(path: pathlib.Path) -> None:
    assert "${{" not in commands(path)


def test_windows_is_built_by_what_make_dist_runs() -> None:
    rule = (ROOT / "Makefile").read_text().partition("\n$(RELEASE): ")[2].partition("\n\n")[0]
    windows = next(each for each in steps(load("release.yml")) if "python -m release\n" in each.get("run", ""))

    assert re.findall(r"-m pip install (?:--quiet )?(.*)", windows["run"]) == re.findall(
        r"-m pip install (?:--quiet )?(.*)", rule
    )
