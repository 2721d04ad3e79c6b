"""`completion`: scripts that are printed, and the program that is put on PATH and taken away again."""

import os
import pathlib
import re
import shlex
import stat
import subprocess
import sys
import sysconfig

import pytest

from tests.terminal import SHELLS, terminal

SCRIPTS = sysconfig.get_path("scripts")
NAME = "kubectl_complete-grpclb"


@pytest.fixture
def bin_(tmp_path: pathlib.Path) -> pathlib.Path:
    """A directory of PATH as krew has it: kubectl-grpclb is a link into krew's store."""
    directory = tmp_path / "krew" / "bin"
    directory.mkdir(parents=True)
    (directory / "kubectl-grpclb").symlink_to(pathlib.Path(SCRIPTS, "kubectl-grpclb"))
    return directory


def run(bin_: pathlib.Path, *words: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run `completion` of the kubectl-grpclb there, which is on PATH unless said otherwise."""
    return subprocess.run(
        [bin_ / "kubectl-grpclb", "completion", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PATH": f"{bin_}{os.pathsep}/usr/bin{os.pathsep}/bin" if path is None else path},
    )


@pytest.mark.parametrize("shell", list(SHELLS))
def test_a_shells_script_is_printed_with_what_kubectl_needs(bin_: pathlib.Path, shell: str) -> None:
    done = run(bin_, shell)

    assert done.returncode == 0
    assert f"kubectl completion {shell}" in done.stdout
    assert "kubectl grpclb completion --install" in done.stdout


@pytest.mark.parametrize("shell", list(SHELLS))
def test_a_shells_script_is_one_to_that_shell(bin_: pathlib.Path, shell: str) -> None:
    script = run(bin_, shell).stdout

    done = subprocess.run([SHELLS[shell].program, "-n"], input=script, text=True, capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_program_goes_beside_the_kubectl_grpclb_that_is_on_path(bin_: pathlib.Path) -> None:
    done = run(bin_, "--install", "--yes")

    written = bin_ / NAME
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, f"Written: {written}")
    assert stat.S_IMODE(written.stat().st_mode) == 0o755
    assert [each.name for each in bin_.iterdir() if each.name.startswith(".")] == []


def test_what_is_written_is_shown_first(bin_: pathlib.Path) -> None:
    shown = run(bin_, "--install", "--yes").stderr

    assert f"This will be written to {bin_ / NAME}:" in shown
    assert '    exec kubectl-grpclb __complete "$@" </dev/null 2>/dev/null\n' in shown


def test_the_program_answers_kubectl(bin_: pathlib.Path) -> None:
    run(bin_, "--install", "--yes")

    said = subprocess.run([bin_ / NAME, "diagnose", "--fail-on", "w"], check=True, capture_output=True, env=_env(bin_))

    assert (said.stdout, said.stderr) == (b"warning\n:4\n", b"")


def test_the_program_keeps_silent_where_the_plugin_is_gone(bin_: pathlib.Path) -> None:
    run(bin_, "--install", "--yes")
    (bin_ / "kubectl-grpclb").unlink()

    said = subprocess.run([bin_ / NAME, "diag"], check=True, capture_output=True, env=_env(bin_))

    assert (said.stdout, said.stderr) == (b"", b"")


def test_the_program_outlives_an_upgrade(bin_: pathlib.Path) -> None:
    run(bin_, "--install", "--yes")
    (bin_ / "kubectl-grpclb").unlink()
    (bin_ / "kubectl-grpclb").write_text('#!/bin/sh\necho "new version: $*"\n')
    (bin_ / "kubectl-grpclb").chmod(0o755)

    said = subprocess.run([bin_ / NAME, "diag"], check=True, capture_output=True, text=True, env=_env(bin_)).stdout

    assert said == "new version: __complete diag\n"


def test_another_directory_is_taken_and_told_to_be_missing_from_path(
    bin_: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    done = run(bin_, "--install", "--yes", "--dir", str(tmp_path))

    assert (tmp_path / NAME).exists()
    assert f"Add {tmp_path} to PATH" in done.stdout


def test_a_second_time_nothing_is_written(bin_: pathlib.Path) -> None:
    run(bin_, "--install", "--yes")
    before = (bin_ / NAME).stat()

    done = run(bin_, "--install")

    assert done.stdout.startswith(f"{bin_ / NAME} already exists.\n")
    assert (bin_ / NAME).stat().st_mtime_ns == before.st_mtime_ns


def test_an_older_version_of_it_is_replaced(bin_: pathlib.Path) -> None:
    (bin_ / NAME).write_text("#!/bin/sh\n# Written by `kubectl grpclb completion --install`\nexec old\n")

    done = run(bin_, "--install", "--yes")

    assert "replacing an older one" in done.stderr
    assert "__complete" in (bin_ / NAME).read_text()


@pytest.mark.parametrize("words", [["--install"], ["--uninstall"]])
def test_somebody_elses_file_stays(bin_: pathlib.Path, words: list[str]) -> None:
    (bin_ / NAME).write_text("#!/bin/sh\necho mine\n")

    done = run(bin_, *words, "--yes", "--dir", str(bin_))

    assert done.returncode == 4
    assert "was not written by this command" in done.stderr
    assert (bin_ / NAME).read_text() == "#!/bin/sh\necho mine\n"


def test_a_link_is_somebody_elses(bin_: pathlib.Path, tmp_path: pathlib.Path) -> None:
    run(bin_, "--install", "--yes", "--dir", str(tmp_path))
    (bin_ / NAME).symlink_to(tmp_path / NAME)

    assert run(bin_, "--install", "--yes").returncode == 4
    assert (bin_ / NAME).is_symlink()


def test_a_directory_of_that_name_is_somebody_elses(bin_: pathlib.Path) -> None:
    (bin_ / NAME).mkdir()

    assert run(bin_, "--install", "--yes").returncode == 4


def test_a_pipe_of_that_name_is_somebody_elses(bin_: pathlib.Path) -> None:
    os.mkfifo(bin_ / NAME)

    assert run(bin_, "--install", "--yes").returncode == 4


def test_of_what_pip_put_there_it_does_not_say_that_it_could_remove_it(bin_: pathlib.Path) -> None:
    (bin_ / NAME).symlink_to(pathlib.Path(SCRIPTS, NAME))

    done = run(bin_, "--install")

    assert done.stdout.startswith(f"{bin_ / NAME} already exists, from the Python package.\n")
    assert "--uninstall" not in done.stdout


@pytest.mark.parametrize(("words", "code"), [(["--install", "--yes"], 0), (["--uninstall", "--yes"], 4)])
def test_what_pip_put_there_does_and_stays(bin_: pathlib.Path, words: list[str], code: int) -> None:
    (bin_ / NAME).symlink_to(pathlib.Path(SCRIPTS, NAME))

    assert run(bin_, *words).returncode == code
    assert (bin_ / NAME).is_symlink()


def test_without_a_terminal_nothing_is_written_unasked(bin_: pathlib.Path) -> None:
    done = run(bin_, "--install")

    assert done.returncode == 2
    assert "there is no terminal to ask on. Give --yes" in done.stderr
    assert not (bin_ / NAME).exists()


def test_uninstalling_removes_it(bin_: pathlib.Path) -> None:
    run(bin_, "--install", "--yes")

    done = run(bin_, "--uninstall", "--yes")

    assert (done.returncode, done.stdout) == (0, f"Removed: {bin_ / NAME}\n")
    assert not (bin_ / NAME).exists()


def test_what_was_installed_off_path_is_removed_as_it_was_said(bin_: pathlib.Path, tmp_path: pathlib.Path) -> None:
    elsewhere = tmp_path / "my tools"
    elsewhere.mkdir()

    said = run(bin_, "--install", "--yes", "--dir", str(elsewhere)).stdout
    (command,) = re.findall(r"`kubectl grpclb completion (.*)` removes it", said)
    run(bin_, *shlex.split(command), "--yes")

    assert list(elsewhere.iterdir()) == []


def test_uninstalling_what_is_not_there_is_no_error(bin_: pathlib.Path) -> None:
    assert run(bin_, "--uninstall").stdout == f"{bin_ / NAME} does not exist.\n"


def test_off_path_there_is_no_place_by_default(bin_: pathlib.Path) -> None:
    done = run(bin_, "--install", "--yes", path="/usr/bin:/bin")

    assert done.returncode == 4
    assert "kubectl-grpclb is not on PATH" in done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "give one of these"),
        (["bash", "--install"], "give one of these"),
        (["--install", "--uninstall"], "give one of these"),
        (["bash", "--yes"], "a script is only printed"),
        (["zsh", "--dir", "/tmp"], "a script is only printed"),
    ],
)
def test_flags_that_make_no_sense_together_are_refused(bin_: pathlib.Path, words: list[str], says: str) -> None:
    done = run(bin_, *words)

    assert done.returncode == 2
    assert says in done.stderr


def test_a_directory_that_is_none_is_refused(bin_: pathlib.Path) -> None:
    done = run(bin_, "--install", "--yes", "--dir", "/nonexistent/\x1b[31mbin")

    assert done.returncode == 4
    assert done.stderr == "error: /nonexistent/\\x1b[31mbin is not a directory (--dir)\n"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc, where nobody may write, is Linux'")
def test_a_directory_that_cannot_be_written_to_is_refused(bin_: pathlib.Path) -> None:
    done = run(bin_, "--install", "--yes", "--dir", "/proc")

    assert done.returncode == 4
    assert f"/proc/{NAME} cannot be written: " in done.stderr


@pytest.mark.parametrize(("key", "says", "there"), [("y", "Written: ", True), ("n", "nothing was changed", False)])
def test_on_a_terminal_it_asks(bin_: pathlib.Path, tmp_path: pathlib.Path, key: str, says: str, there: bool) -> None:
    with terminal(SHELLS["bash"], tmp_path, (), {"PATH": _env(bin_)["PATH"]}) as screen:
        screen.type("kubectl-grpclb completion --install\r")
        screen.until("Write it? [y/N]")
        screen.type(f"{key}\r")
        screen.until(says)
        screen.until_line("")

    assert (bin_ / NAME).exists() is there


def _env(bin_: pathlib.Path) -> dict[str, str]:
    return {**os.environ, "PATH": f"{bin_}{os.pathsep}/usr/bin{os.pathsep}/bin"}
