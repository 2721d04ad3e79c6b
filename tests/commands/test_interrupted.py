"""Ctrl-C ends every verb with 130 and a word, whenever it comes; and other signals those that change a cluster."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPT = """
import runpy, signal, sys

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and what nohup starts ignores this
sys.argv[0] = "kubectl-grpclb"
"""
"""Precedes what a test has the interpreter do."""

RUN = "runpy.run_module('kubectl_grpclb', run_name='__main__')\n"

IMPATIENT = """
class Impatient:
    def find_spec(self, name, path, target=None):
        if name == "typer":
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Impatient())
"""

PATIENCE = 30.0
"""Seconds after which what has not happened never will."""


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """An API server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        yield server


@pytest.fixture
def kubeconfig(silent: socket.socket, tmp_path: Path) -> Path:
    """The way there."""
    config = {
        "current-context": "kind-shop",
        "contexts": [{"name": "kind-shop", "context": {"cluster": "kind-shop", "namespace": "shop"}}],
        "clusters": [{"name": "kind-shop", "cluster": {"server": f"http://127.0.0.1:{silent.getsockname()[1]}"}}],
    }
    path = tmp_path / "config"
    path.write_text(json.dumps(config))
    return path


@pytest.mark.parametrize(
    "words",
    [
        ("diagnose", "greeter"),
        ("diagnose", "greeter", "cart"),
        ("diagnose", "greeter", "--debug"),
        ("record", "greeter"),
        ("verify", "greeter"),
        ("fix", "greeter"),
        ("fix", "greeter", "--dry-run"),
        ("rollback", "greeter"),
    ],
    ids=" ".join,
)
def test_ctrl_c_during_a_request_ends_the_verb_in_a_word(
    words: tuple[str, ...], silent: socket.socket, kubeconfig: Path
) -> None:
    command = [sys.executable, "-c", SCRIPT + RUN, *words, "--kubeconfig", str(kubeconfig)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        connection, _ = silent.accept()
        with connection:
            connection.settimeout(PATIENCE)
            connection.recv(1)

            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=PATIENCE)

    assert (process.returncode, stdout, stderr) == (130, b"", b"error: interrupted\n")


@pytest.mark.parametrize(("sent", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
@pytest.mark.parametrize(
    "words",
    [("diagnose", "greeter", "--debug"), ("verify", "greeter"), ("fix", "greeter"), ("rollback", "greeter")],
    ids=" ".join,
)
def test_a_job_that_is_cancelled_or_a_connection_that_is_gone_ends_a_verb_that_changes_something_in_order(
    words: tuple[str, ...], sent: str, code: int, silent: socket.socket, kubeconfig: Path
) -> None:
    command = [sys.executable, "-c", SCRIPT + RUN, *words, "--kubeconfig", str(kubeconfig)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        connection, _ = silent.accept()
        with connection:
            connection.settimeout(PATIENCE)
            connection.recv(1)

            process.send_signal(signal.Signals[sent])
            stdout, stderr = process.communicate(timeout=PATIENCE)

    assert (process.returncode, stdout, stderr) == (code, b"", f"error: ended by {sent}\n".encode())


def test_what_nohup_started_stays_when_the_terminal_goes(silent: socket.socket, kubeconfig: Path) -> None:
    script = SCRIPT + "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + RUN
    command = [sys.executable, "-c", script, "fix", "greeter", "--kubeconfig", str(kubeconfig)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        connection, _ = silent.accept()
        with connection:
            connection.settimeout(PATIENCE)
            connection.recv(1)

            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGTERM)
            _, stderr = process.communicate(timeout=PATIENCE)

    assert (process.returncode, stderr) == (143, b"error: ended by SIGTERM\n")


def test_ctrl_c_before_there_is_a_command_line_leaves_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT + IMPATIENT + RUN], capture_output=True, check=False, timeout=PATIENCE
    )

    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"error: interrupted\n")
