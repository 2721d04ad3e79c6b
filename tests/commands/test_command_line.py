"""The command line where no cluster is needed: help, pages, recorded files, and everything that can be wrong."""

import gzip
import json
import os
import pathlib
import shlex
import subprocess
import sys
from importlib import import_module

import pytest

from kubectl_grpclb import __version__
from kubectl_grpclb.commands import VERBS
from kubectl_grpclb.model.snapshot import encode_snapshot
from tests.probes.asked import read
from tests.shop import sticky

GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "commands"


def run(*words: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command as a process of its own, as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "kubectl_grpclb", *words],
        input=stdin,
        capture_output=True,
        check=False,
        env={**os.environ, "COLUMNS": "100", "KUBECONFIG": "/nonexistent", **environment},
        timeout=60,
    )


@pytest.fixture
def recorded(tmp_path: pathlib.Path) -> pathlib.Path:
    """A recorded sticky Service."""
    file = tmp_path / "greeter.json"
    file.write_bytes(encode_snapshot(read(sticky())))
    return file


@pytest.mark.parametrize("output", ["table", "wide", "json", "yaml"])
def test_a_recorded_file_is_reported_in_every_format(recorded: pathlib.Path, output: str, update_goldens: bool) -> None:
    golden = GOLDEN / f"sticky.{output}"

    done = run("diagnose", "--from", str(recorded), "-o", output)

    if update_goldens:
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_bytes(done.stdout)
    assert done.stdout.decode() == golden.read_text()
    assert done.returncode == 1


@pytest.mark.parametrize("verb", VERBS)
def test_the_list_of_verbs_says_the_first_sentence_of_each(verb: str) -> None:
    first, _, _ = (getattr(import_module(f"kubectl_grpclb.commands.{verb}"), verb).__doc__ or "").partition("\n")

    assert VERBS[verb] == first


def test_help_imports_no_verb() -> None:
    program = (
        "import runpy, sys; sys.argv = ['kubectl-grpclb', '--help']\n"
        "try: runpy.run_module('kubectl_grpclb', run_name='__main__')\n"
        "except SystemExit: print(*sys.modules, sep='\\n')"
    )

    imported = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout.decode().split()

    assert {f"kubectl_grpclb.commands.{verb}" for verb in VERBS} & set(imported) == set()


def test_the_recorded_file_may_come_from_standard_input(recorded: pathlib.Path) -> None:
    done = run("diagnose", "--from", "-", "-o", "json", stdin=recorded.read_bytes())

    assert json.loads(done.stdout)["verdict"] == "unbalanced"


@pytest.mark.parametrize(("fail_on", "exit_code"), [("error", 1), ("warning", 1), ("info", 1), ("never", 0)])
def test_the_exit_code_follows_the_severity_that_is_asked_for(
    recorded: pathlib.Path, fail_on: str, exit_code: int
) -> None:
    assert run("diagnose", "--from", str(recorded), "--fail-on", fail_on).returncode == exit_code


def test_a_script_that_each_shell_loads_at_its_start_imports_nothing_of_reports_and_plans() -> None:
    program = (
        "import runpy, sys; sys.argv = ['kubectl-grpclb', 'completion', 'bash']\n"
        "try: runpy.run_module('kubectl_grpclb', run_name='__main__')\n"
        "except SystemExit: print(*sys.modules, sep='\\n', file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    imported = done.stderr.decode().split()
    assert "kubectl_grpclb.commands.completion" in imported
    assert [each for each in imported if each.startswith("kubectl_grpclb.report") or each == "msgspec"] == []


@pytest.mark.parametrize("heavy", ["kubernetes", "grpc", "aiohttp", "rich", "psutil"])
@pytest.mark.parametrize("words", [["--help"], ["explain", "GLB101"]])
def test_help_and_explain_import_nothing_heavy(words: list[str], heavy: str) -> None:
    program = (
        f"import runpy, sys; sys.argv = ['kubectl-grpclb', *{words}]\n"
        "try: runpy.run_module('kubectl_grpclb', run_name='__main__')\n"
        f"except SystemExit: sys.exit({heavy!r} in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 0


def test_explain_prints_the_page_of_a_finding() -> None:
    assert run("explain", "glb101").stdout.startswith(b"# GLB101: ")


def test_explain_without_a_code_lists_the_findings() -> None:
    assert b"GLB104" in run("explain").stdout


def test_version_says_which_snapshots_it_reads() -> None:
    done = run("version").stdout.decode()

    assert done.startswith(f"kubectl-grpclb {__version__}\n")
    assert "snapshot schema 3" in done
    assert "tested with Kubernetes 1.27 to 1.37" in done


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a whole snapshot"),
        (b"\x00\xff\xfe binary \x1b[31m", "not a whole snapshot"),
        (b'{"schema": 1, "kind": "Snapshot"', "not a whole snapshot"),
        (b'{"schema": 1, "kind": "Pod"}', "its kind is 'Pod'"),
        (b'{"schema": 4, "kind": "Snapshot", "readings": {}}', "newer kubectl-grpclb"),
        (b'{"schema": 1, "kind": "Snapshot"}', "does not fit its schema"),
        (b"[" * 100_000, "not a whole snapshot"),
        (gzip.compress(b"{}", mtime=0), "broken.json is compressed: gunzip it first"),
        (
            "{}".encode("utf-16"),
            "broken.json is in UTF-16, as PowerShell's > writes it: record it with -f",
        ),
        (b"\xfe\xff\x00{\x00}", "broken.json is in UTF-16"),
    ],
)
def test_a_file_that_is_no_snapshot_is_refused_in_one_message(
    tmp_path: pathlib.Path, content: bytes, says: str
) -> None:
    file = tmp_path / "broken.json"
    file.write_bytes(content)

    done = run("diagnose", "--from", str(file))

    assert done.returncode == 2
    assert says in done.stderr.decode()
    assert done.stdout == b""
    assert b"Traceback" not in done.stderr
    assert b"\x1b" not in done.stderr


def test_a_file_that_an_editor_saved_with_a_byte_order_mark_is_read(recorded: pathlib.Path) -> None:
    recorded.write_bytes(b"\xef\xbb\xbf" + recorded.read_bytes())

    assert run("diagnose", "--from", str(recorded)).returncode == 1


@pytest.mark.parametrize("words", [("diagnose", "--from", ""), ("completion", "--install", "--yes", "--dir", "")])
def test_an_empty_path_is_not_the_working_directory(tmp_path: pathlib.Path, words: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kubectl_grpclb", *words], capture_output=True, check=False, cwd=tmp_path, timeout=60
    )

    assert done.stderr == f"error: {words[-2]} needs a path, but got an empty one\n".encode()
    assert (done.stdout, done.returncode, [*tmp_path.iterdir()]) == (b"", 2, [])


def test_an_empty_kubeconfig_is_none_that_was_given_as_kubectl_takes_it() -> None:
    assert b"there is no kubeconfig: nothing at /nonexistent" in run("diagnose", "greeter", "--kubeconfig", "").stderr


def test_half_a_snapshot_is_refused(recorded: pathlib.Path) -> None:
    whole = recorded.read_bytes()
    recorded.write_bytes(whole[: len(whole) // 2])

    done = run("diagnose", "--from", str(recorded))

    assert (done.returncode, done.stdout) == (2, b"")


def test_a_hostile_snapshot_reaches_the_terminal_without_its_escapes(recorded: pathlib.Path) -> None:
    hostile = recorded.read_text().replace("node-a", "node\\u001b[31m\\u202ea\\u009b")
    recorded.write_text(hostile)

    shown = run("diagnose", "--from", str(recorded), "-o", "wide").stdout.decode()

    assert not {"\x1b", "\u202e", "\x9b"} & set(shown)


@pytest.mark.parametrize(
    ("words", "exit_code", "says"),
    [
        (("diagnose",), 2, "name the Service"),
        (("diagnose", "greeter", "--from", "x"), 2, "--from"),
        (("diagnose", "--from", "/nonexistent/file"), 2, "No such file"),
        (("diagnose", "deploy/greeter"), 2, "is not a Service"),
        (("diagnose", "greeter", "--window", "-3"), 2, "--window"),
        (("diagnose", "greeter", "--window", "11m"), 2, "--window"),
        (("diagnose", "greeter"), 4, "kubeconfig"),
        (("explain", "GLB999"), 2, "there is no finding"),
        (("diagnos", "greeter"), 2, "unknown verb: diagnos; did you mean diagnose?\nSee `kubectl grpclb --help`."),
        (("frobnicate",), 2, "unknown verb: frobnicate\n"),
        (("-n", "shop", "diagnose", "greeter"), 2, "unknown flag: -n; flags go after the verb: kubectl"),
        (("fix", "greeter", "--replica", "3"), 2, "unknown flag: --replica; did you mean --replicas"),
        (("fix", "greeter", "--replica", "3"), 2, "\nSee `kubectl grpclb fix --help`."),
        (("fix", "greeter", "--bogus"), 2, "unknown flag: --bogus\nSee `kubectl grpclb fix --help`."),
        (("diagnose", "greeter", "--namspace", "shop"), 2, "unknown flag: --namspace; did you mean --namespace"),
        (("diagnose", "--from", "x", "greeter"), 2, "(here: SERVICE)"),
        (("fix", "--from", "x", "greeter", "--port", "grpc"), 2, "(here: SERVICE, --port)"),
        (("diagnose", "greeter", "--window"), 2, "--window needs a value"),
        (("diagnose", "greeter", "--tls=yes"), 2, "--tls takes no value"),
        (("verify",), 2, "SERVICE is missing"),
        (("verify", "greeter", "cart"), 2, "unexpected argument: cart"),
        (("diagnose", "greeter", "-v=loud"), 2, "-v takes no value, or a number as kubectl's does, not 'loud'"),
        (("explain", "-v"), 2, "unknown flag: -v"),
        (("--version",), 2, "unknown flag: --version; did you mean kubectl grpclb version?"),
        (("diagnose", "greeter", "-o", "xml"), 2, "--output takes table, wide, json or yaml, not 'xml'"),
        (("diagnose", "greeter", "--channelz-port", "0"), 2, "--channelz-port takes a number from 1 to 65535, not '0'"),
        (("fix", "greeter", "--replicas", "two"), 2, "--replicas takes a number from 2 to 100, not 'two'"),
        (("fix", "greeter", "--strategy", "\x1b[2J"), 2, "not '\\x1b[2J'"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_message(words: tuple[str, ...], exit_code: int, says: str) -> None:
    done = run(*words)

    assert done.returncode == exit_code, done.stderr
    assert says in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_error(recorded: pathlib.Path) -> None:
    command = f"{sys.executable} -m kubectl_grpclb diagnose --from {recorded} -o wide"

    done = subprocess.run(
        ["bash", "-c", f"{command} | head -c 1; echo ${{PIPESTATUS[0]}}"], capture_output=True, check=False
    )

    assert (done.stdout, done.stderr) == (b"U1\n", b"")


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        ("rbac diagnose -n shop >&-", 0),
        ("demo -o xml 2>&-", 2),
        ("diagnose greeter 2>&-", 4),
        ("--help 0<&- >&- 2>&-", 0),
    ],
)
def test_closed_streams_lead_nowhere_and_leave_the_exit_code(words: str, exit_code: int) -> None:
    command = f"KUBECONFIG=/nonexistent {shlex.quote(sys.executable)} -m kubectl_grpclb {words}"

    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False, timeout=60)

    assert (done.returncode, done.stdout, done.stderr) == (exit_code, b"", b"")


@pytest.mark.parametrize(
    "words", ["rbac diagnose -n shop", "completion bash", "explain GLB101", "--help", "fix --help"]
)
def test_a_disk_that_is_full_is_told_as_that(words: str) -> None:
    command = f"{shlex.quote(sys.executable)} -m kubectl_grpclb {words} > /dev/full"

    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False, timeout=60)

    assert done.stderr == b"error: cannot write to standard output: No space left on device\n"
    assert done.returncode == 4
