"""What -v and -vv tell of a real cluster, through kubectl."""

import json
import re
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e import scenes
from tests.e2e.conftest import Kubectl

pytestmark = pytest.mark.e2e


def told(namespace: str, *flags: str) -> list[str]:
    """Diagnose a Service that has no pods; gives the lines on standard error."""
    command = ["kubectl", "grpclb", "diagnose", "empty", "-n", namespace, *flags]
    done = subprocess.run(command, check=False, text=True, capture_output=True, timeout=120)
    assert done.returncode == 3, done.stderr
    return done.stderr.splitlines()


@pytest.fixture
def empty(namespace: str, apply: Callable[..., None]) -> str:
    """A namespace with that Service."""
    apply(scenes.service("empty", selector={"app": "nobody"}))
    return namespace


@pytest.fixture
def version(kubectl: Kubectl) -> str:
    """What the server calls itself."""
    told: dict[str, Any] = json.loads(kubectl("version", "-o", "json"))
    return str(told["serverVersion"]["gitVersion"])


def test_each_request_is_told_with_what_came_of_it(empty: str, version: str) -> None:
    first, *lines = told(empty, "-v")

    assert re.fullmatch(r"use context \S+, server https://\S+", first)
    assert f"get services empty in namespace {empty}  1 object" in lines
    assert f"list endpointslices.discovery.k8s.io in namespace {empty}  1 object" in lines
    assert f"get /version  {version}" in lines


def test_twice_it_also_tells_when_and_how_long(empty: str) -> None:
    lines = told(empty, "-v=6")

    assert all(re.match(r"20\d\d-\d\d-\d\dT\S+Z +(\d+ ms  )?\w", line) for line in lines)


def test_a_file_keeps_the_servers_version(empty: str, version: str) -> None:
    command = ["kubectl", "grpclb", "record", "empty", "-n", empty]
    done = subprocess.run(command, check=True, text=True, capture_output=True, timeout=120)

    assert json.loads(done.stdout)["target"]["serverVersion"] == version
