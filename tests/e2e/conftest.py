"""The real cluster of $KUBECONFIG: kubectl, and a namespace for each module that asks for one."""

import json
import secrets
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

Kubectl = Callable[..., str]
"""Runs kubectl with these arguments; `stdin` takes manifests. Gives what it prints."""


def run_kubectl(*arguments: str, stdin: object = None) -> str:
    given = None if stdin is None else json.dumps(stdin)
    done = subprocess.run(
        ["kubectl", *arguments], check=False, input=given, text=True, capture_output=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def kubectl() -> Kubectl:
    """A kubectl that fails the test when it fails."""
    return run_kubectl


@pytest.fixture(scope="module")
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """A namespace that is there for one module's tests."""
    name = f"grpclb-e2e-{secrets.token_hex(3)}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="module")
def apply(kubectl: Kubectl, namespace: str) -> Callable[..., None]:
    """Creates these manifests in the module's namespace."""

    def create(*manifests: dict[str, Any]) -> None:
        whole = {"apiVersion": "v1", "kind": "List", "items": manifests}
        kubectl("-n", namespace, "apply", "-f", "-", stdin=whole)

    return create
