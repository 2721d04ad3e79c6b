"""Whatever goes wrong while a shell waits is no candidate, and no word: clusters, kubeconfigs, credential plugins."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_grpclb.completion.process import LIMIT_VARIABLE
from tests.cluster.api_server import Handler, hangs, refuses, says
from tests.completion.completing import NOTHING, Complete, objects


@pytest.mark.parametrize(
    "handler",
    [
        refuses(403, 'services is forbidden: User "jo" cannot list resource "services"'),
        refuses(401, "Unauthorized"),
        refuses(404, "not found"),
        refuses(500, "etcdserver: leader changed"),
        says(200, "<html>log in</html>"),
        says(200, "\x00\xff garbage"),
        says(200, '{"items": "none"}'),
        says(200, "[" * 100_000),
    ],
    ids=["403", "401", "404", "500", "html", "garbage", "shape", "nested"],
)
@pytest.mark.parametrize("line", ["diagnose ", "fix greeter --port "])
def test_a_cluster_that_does_not_answer_well_is_passed_over_in_silence(
    complete: Complete, line: str, handler: Handler
) -> None:
    assert complete(line, handler).said == NOTHING


@pytest.mark.parametrize(
    "handler", [hangs, refuses(429, "too many requests", **{"Retry-After": "60"})], ids=["hangs", "busy"]
)
@pytest.mark.parametrize("line", ["diagnose ", "diagnose -n ", "fix greeter --port "])
def test_a_cluster_that_takes_too_long_is_given_up_in_silence(complete: Complete, line: str, handler: Handler) -> None:
    assert complete(line, handler, seconds=1).said == NOTHING


@pytest.mark.parametrize("content", ["", "\x00", "[]", "clusters: 7", "{a: *b}"])
@pytest.mark.parametrize("line", ["diagnose ", "diagnose --context "])
def test_a_kubeconfig_that_is_none_is_passed_over_in_silence(
    complete: Complete, tmp_path: Path, line: str, content: str
) -> None:
    (tmp_path / "broken").write_text(content)

    assert complete(f"{line.replace('diagnose', f'diagnose --kubeconfig {tmp_path}/broken')}", hangs).said == NOTHING


def test_a_kubeconfig_that_cannot_be_read_to_its_end_is_given_up(complete: Complete, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")

    assert complete(f"diagnose --kubeconfig {tmp_path}/fifo --context ", hangs, seconds=1).said == NOTHING


def plugin(tmp_path: Path, body: str, **fields: object) -> dict[str, object]:
    """A user whose credentials come from this Python program."""
    api = "client.authentication.k8s.io/v1"
    start = (
        "import json, os, pathlib, sys, time\n"
        f"say = lambda token: print(json.dumps({{'apiVersion': '{api}', 'kind': 'ExecCredential', "
        "'status': {'token': token}}))\n"
        f"here = pathlib.Path({str(tmp_path)!r})\n"
    )
    return {"exec": {"command": sys.executable, "args": ["-c", start + body], "apiVersion": api, **fields}}


def test_a_credential_plugin_gives_the_token_and_is_told_not_to_ask(complete: Complete, tmp_path: Path) -> None:
    user = plugin(
        tmp_path,
        "info = json.loads(os.environ['KUBERNETES_EXEC_INFO'])['spec']\n"
        "say(f\"{info['interactive']}-{sys.stdin.isatty()}-{sys.stdin.read()}\")\nprint('help!', file=sys.stderr)",
        interactiveMode="IfAvailable",
    )

    done = complete("diagnose ", objects("greeter"), **user)

    assert done.said == "greeter\n:4\n"
    assert done.requests[0].headers["Authorization"] == "Bearer False-False-"


def test_a_credential_plugin_that_has_to_ask_is_not_run(complete: Complete, tmp_path: Path) -> None:
    user = plugin(tmp_path, "(here / 'ran').touch()\nsay('t0ken')", interactiveMode="Always")

    assert complete("diagnose ", objects("greeter"), **user).said == NOTHING
    assert not (tmp_path / "ran").exists()


def test_a_credential_plugin_finds_no_terminal(complete: Complete, tmp_path: Path) -> None:
    user = plugin(
        tmp_path,
        "try: open('/dev/tty')\nexcept OSError as error: say(error.strerror.replace(' ', '-'))\nelse: say('found')",
    )

    assert (
        complete("diagnose ", objects("greeter"), **user).requests[0].headers["Authorization"].startswith("Bearer No-")
    )


def test_a_credential_plugin_that_hangs_is_ended_with_what_it_started(complete: Complete, tmp_path: Path) -> None:
    program = f"sleep 600 & echo $$ $! >{tmp_path}/pids; wait"
    user = {"exec": {"command": "sh", "args": ["-c", program], "apiVersion": "client.authentication.k8s.io/v1"}}

    assert complete("diagnose ", hangs, seconds=4, **user).said == NOTHING
    started = (tmp_path / "pids").read_text().split()
    assert [pid for pid in started if _runs(pid)] == []


def _runs(pid: str) -> bool:
    """Await the end of a process that was told to end; a zombie has ended."""
    try:
        done = subprocess.run(["tail", f"--pid={pid}", "-f", "/dev/null"], check=False, timeout=30)
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


@pytest.mark.parametrize("limit", ["nan", "inf", "-1", "0", "soon", ""])
def test_a_limit_that_is_none_is_the_usual_one(tmp_path: Path, limit: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    words = [sys.executable, "-m", "kubectl_grpclb", "__complete", "fix", "--kubeconfig", f"{tmp_path}/fifo", ""]

    done = subprocess.run(words, check=True, capture_output=True, timeout=60, env={**os.environ, LIMIT_VARIABLE: limit})

    assert (done.stdout.decode(), done.stderr) == (NOTHING, b"")


def test_where_nobody_reads_nothing_is_complained_about() -> None:
    line = f"exec {sys.executable} -m kubectl_grpclb __complete diag >&-"

    assert subprocess.run(["sh", "-c", line], check=True, capture_output=True).stderr == b""


def test_credentials_are_not_said(complete: Complete) -> None:
    said = complete("diagnose ", refuses(403, "t0ken-7f3a"), token="t0ken-7f3a").said

    assert "t0ken" not in said
