"""What `-v` tells of what comes before the first request: which server, and the credential plugin by its name."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from kubectl_grpclb.cluster.kube import ConnectOptions, connect
from kubectl_grpclb.cluster.told import Teller
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.snapshot import List
from tests.cluster.api_server import Conversation, refuses, says, write_kubeconfig

BETA = "client.authentication.k8s.io/v1beta1"
SERVER = "https://prod.example:6443"
WITH_USER = "https://jo:s3rver@prod.example:6443"
GIVEN = json.dumps({"apiVersion": BETA, "kind": "ExecCredential", "status": {"token": "t0ken"}})


def plugin(body: str) -> dict[str, Any]:
    """A credential plugin that is a Python program, with a secret in its environment."""
    secret = [{"name": "PASSWORD", "value": "hunter2"}]
    return {"command": sys.executable, "args": ["-c", body], "env": secret, "apiVersion": BETA}


def told(directory: Path, body: str) -> list[str]:
    """Connect, ask nothing, and give the lines that were told."""
    lines: list[str] = []
    cluster = {"proxy-url": "http://jo:pr0xy@proxy.example:3128", "insecure-skip-tls-verify": True}
    path = write_kubeconfig(directory, WITH_USER, cluster, exec=plugin(body))

    async def main() -> None:
        async with connect(ConnectOptions(kubeconfig=path, teller=Teller(lines.append))):
            pass

    try:
        asyncio.run(main())
    except ClusterError as error:
        lines.append(f"raised: {error}")
    return lines


def test_the_context_and_the_plugin_are_told_before_anything_is_asked(tmp_path: Path) -> None:
    assert told(tmp_path, f"print({GIVEN!r})") == [
        f"use context shop-prod, server {SERVER}",
        f"run credential plugin {sys.executable}  ok",
    ]


def test_a_plugin_that_fails_is_told_so(tmp_path: Path) -> None:
    lines = told(tmp_path, "raise SystemExit(3)")

    assert lines[1] == f"run credential plugin {sys.executable}  failed"


@pytest.mark.parametrize("secret", ["t0ken", "hunter2", "pr0xy", "s3rver", "print"])
def test_no_token_argument_variable_or_password_is_told(tmp_path: Path, secret: str) -> None:
    assert secret not in "\n".join(told(tmp_path, f"print({GIVEN!r})"))


def test_that_the_server_is_busy_is_told_since_it_takes_time(tmp_path: Path) -> None:
    lines: list[str] = []
    busy = refuses(429, "too many requests", **{"Retry-After": "0"})
    talk = Conversation(tmp_path, busy, says(200, {"kind": "NodeList", "items": []}), teller=Teller(lines.append))

    talk.ask(List("nodes"))

    assert lines[1:] == ["wait 0 s, since the API server is busy (429)"]
