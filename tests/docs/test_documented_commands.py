"""Commands of the documentation: each is run by a test, those that need no cluster here."""

import os
import pathlib
import subprocess
import sys

import pytest

from tests.docs.commands import ELSEWHERE, HERE, PROGRAMS, ROOT, blocks, commands, landmarks, on_a_cluster

SHOWN_HERE = [command for command in commands() if command.text in HERE]
EXITS = {
    "kubectl-grpclb diagnose --from docs/examples/sticky.json": 1,
    "kubectl-grpclb diagnose --from docs/examples/sticky.json -o wide": 1,
}
"""Exit codes other than 0."""
HELP = "docs/flags.md"
"""The verbs' own help, whose examples tests/commands/test_help.py runs."""
LANGUAGES = {"console", "text", "yaml", "json", "go", "java", "python", "js", "csharp", "rust", "cpp", "ruby"}


def run(command: str, folder: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a reader does in a clone, but for files, which it writes elsewhere."""
    (folder / "docs").symlink_to(ROOT / "docs")
    (folder / "Makefile").symlink_to(ROOT / "Makefile")
    (folder / "kubectl").write_text('#!/bin/sh\nshift\nexec kubectl-grpclb "$@"\n')  # as kubectl hands over to a plugin
    (folder / "kubectl").chmod(0o755)
    path = f"{folder}:{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
    place = ROOT if command.startswith("make ") else folder
    return subprocess.run(
        ["bash", "-c", command],
        cwd=place,
        env={**os.environ, "PATH": path},
        text=True,
        capture_output=True,
        check=False,
    )


def test_every_block_says_its_language() -> None:
    assert {block.language for block in blocks()} <= LANGUAGES


def test_no_command_hides_in_a_block_of_another_language() -> None:
    hidden = [
        line
        for block in blocks()
        if block.language not in {"console", "yaml"} and block.page != HELP
        for line in block.lines
        if line.startswith(("$ ", *(f"{program} " for program in PROGRAMS)))
    ]

    assert hidden == []


@pytest.mark.parametrize("command", HERE)
def test_what_is_run_here_is_in_the_documentation(command: str) -> None:
    assert [shown for shown in SHOWN_HERE if shown.text == command] != []


@pytest.mark.parametrize("command", ELSEWHERE)
def test_what_cannot_be_run_is_in_the_documentation(command: str) -> None:
    assert [shown for shown in commands() if shown.text == command] != []


def test_a_cluster_can_run_the_others() -> None:
    assert {command.text.split()[0] for command in on_a_cluster()} <= {"kubectl", "jq", "grep"}


@pytest.mark.parametrize("command", HERE)
def test_a_command_that_needs_no_cluster_does_what_is_shown(command: str, tmp_path: pathlib.Path) -> None:
    shown = "\n".join(each.shown for each in SHOWN_HERE if each.text == command)

    done = run(command, tmp_path)

    assert done.returncode == EXITS.get(command, 0), done.stderr
    assert "Traceback" not in done.stderr
    assert landmarks(shown) - landmarks(done.stdout + done.stderr) == set()
