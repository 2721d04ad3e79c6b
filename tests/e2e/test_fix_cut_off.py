"""What becomes of a fix that something from outside breaks into: a network that goes away, a signal."""

import json
import pathlib
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.e2e import scenes
from tests.e2e.kubectl import apply, codes, grpclb, kubectl, report, rolled_out
from tests.e2e.wire import Wire

pytestmark = pytest.mark.e2e

NAMESPACE = "grpclb-e2e-cut-off"
AWAY = 4.0
"""Seconds that the API server cannot be reached."""


@pytest.fixture(scope="module")
def made() -> Iterator[None]:
    """A Service with two servers and a client."""
    kubectl("create", "namespace", NAMESPACE)
    try:
        apply(NAMESPACE, [scenes.service("greeter"), scenes.servers("greeter", "shell", 2)])
        rolled_out(NAMESPACE, ["deployment/greeter"])
        apply(NAMESPACE, [scenes.callers("greeter", "greeter:80", 1, rate=20)])
        rolled_out(NAMESPACE, ["deployment/greeter-caller"])
        yield
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture
def greeter(made: None) -> str:  # the Service is there
    """The Service as it was made, whatever the test before came to."""
    if left():
        grpclb("rollback", "greeter", "-n", NAMESPACE, "--yes")
    return "greeter"


def fixed(at: str, happens: Callable[[subprocess.Popen[str]], None], *flags: str) -> tuple[int, str]:
    """Run a fix, and let something happen when it says a line; give its exit code and all that it said."""
    command = ["kubectl", "grpclb", "fix", "greeter", "-n", NAMESPACE, "--yes", "--strategy", "envoy", "--window", "1s"]
    command += ["--envoy-image", "grpclb.test/envoy:1.40.0", *flags]
    said = []
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr or ():
            said.append(line)
            if at in line:
                happens(process)
    return process.returncode, "".join(said)


def spec() -> str:
    return kubectl("get", "service", "greeter", "-n", NAMESPACE, "-o", "jsonpath={.spec}")


def left() -> list[str]:
    """What is there of a fix, also of its marks on the Service."""
    kinds = "services,configmaps,deployments,poddisruptionbudgets,leases,pods"
    objects = kubectl("get", kinds, "-n", NAMESPACE, "-l", "grpclb/service=greeter", "-o", "name").split()
    whole = kubectl("get", "service", "greeter", "-n", NAMESPACE, "-o", "json", "--show-managed-fields")
    metadata = json.loads(whole)["metadata"]
    marks = [*metadata["annotations"], *(each["manager"] for each in metadata["managedFields"])]
    return objects + [each for each in marks if "grpclb" in each]


def test_a_fix_that_is_only_staged_changes_nothing_of_what_is_seen_of_clients(greeter: str) -> None:
    before = report(greeter, "-n", NAMESPACE, "--window", "2s")
    staged = fixed("never", lambda _: None, "--stage-only")
    after = report(greeter, "-n", NAMESPACE, "--window", "2s")

    assert staged[0] == 0, staged[1]
    assert "GLB301" in codes(after)
    assert (after["verdict"], after["balance"]["idle"]) == (before["verdict"], before["balance"]["idle"])
    assert [each["name"] for each in after["clients"]] == [each["name"] for each in before["clients"]]


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("applied Service/", "The Service was not touched, and what had been staged for it has been removed"),
        ("cut over: new", "The Service is as it was before"),
    ],
    ids=["stage", "proof"],
)
def test_a_cluster_that_cannot_be_reached_for_a_moment_is_left_as_it_was(
    greeter: str, tmp_path: pathlib.Path, at: str, says: str
) -> None:
    before = spec()
    with Wire(tmp_path) as wire:
        code, said = fixed(at, lambda _: wire.cut(AWAY), "--kubeconfig", str(wire.kubeconfig))

    assert (code, says in said) == (4, True), said
    assert spec() == before
    assert left() == []


@pytest.mark.parametrize(
    ("at", "sent", "code"),
    [("applied Deployment/", signal.SIGHUP, 129), ("cut over: new", signal.SIGTERM, 143)],
    ids=["stage", "proof"],
)
def test_a_signal_that_ends_the_process_leaves_the_cluster_as_it_was(
    greeter: str, at: str, sent: signal.Signals, code: int
) -> None:
    before = spec()

    assert fixed(at, lambda process: process.send_signal(sent))[0] == code
    assert spec() == before
    assert left() == []
