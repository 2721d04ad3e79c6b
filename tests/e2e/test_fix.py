"""A sticky Service on a real cluster, fixed by a real Envoy, verified and rolled back, while clients count."""

import json
import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.e2e import scenes
from tests.e2e.calls import Calls, Count
from tests.e2e.kubectl import apply, codes, grpclb, kubectl, report, rolled_out, until

pytestmark = pytest.mark.e2e

NAMESPACE = "grpclb-e2e-fix"
IMAGE = ("--envoy-image", "grpclb.test/envoy:1.40.0")
ENVOY = "deployment/greeter-grpclb-envoy"
TYPED_SECONDS = 60.0
"""Who asks has to go on within so long after the answer."""
DNS_SECONDS = 10.0
"""New pods have to carry load within so long."""


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    """A namespace at the restricted Pod Security level, with the sticky Service and its clients."""
    kubectl("create", "namespace", NAMESPACE)
    try:
        kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
        apply(NAMESPACE, [scenes.service("greeter"), scenes.servers("greeter")])
        rolled_out(NAMESPACE, ["deployment/greeter"])
        apply(
            NAMESPACE,
            [
                scenes.callers("greeter", "greeter:80", arguments=["-report=500ms"]),
                scenes.callers("dialling", "greeter:80", 1, rate=20, arguments=["-fresh", "-report=500ms"]),
            ],
        )
        rolled_out(NAMESPACE, ["deployment/greeter-caller", "deployment/dialling-caller"])
        yield NAMESPACE
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture(scope="module")
def calls(namespace: str) -> Iterator[Calls]:
    """The clients with one channel each: 100 calls a second in all."""
    with Calls(namespace, "app=greeter-caller") as counted:
        until("the first calls", lambda: bool(counted.count().answered))
        yield counted


@pytest.fixture(scope="module")
def dialling(namespace: str) -> Iterator[Calls]:
    """A client that dials anew for every call, so that every moment of the Service's path is used."""
    with Calls(namespace, "app=dialling-caller") as counted:
        until("the first calls", lambda: bool(counted.count().answered))
        yield counted


@pytest.fixture(scope="module")
def original(namespace: str) -> str:
    """The Service's spec before anything."""
    return spec(namespace)


@pytest.fixture(scope="module")
def fixed(namespace: str, original: str, calls: Calls, dialling: Calls) -> subprocess.CompletedProcess[str]:
    """What `fix` said."""
    return fix(namespace, "--recycle", "clients", *IMAGE)


def fix(namespace: str, *flags: str, service: str = "greeter") -> subprocess.CompletedProcess[str]:
    return grpclb("fix", service, "-n", namespace, "--yes", *flags)


def spec(namespace: str, service: str = "greeter") -> str:
    """The Service's spec as the API server gives it, byte for byte."""
    whole = json.loads(kubectl("get", "service", service, "-n", namespace, "-o", "json"))
    return json.dumps(whole["spec"])


def ours(namespace: str) -> list[str]:
    """Every object that a fix makes and that is there."""
    kinds = "services,configmaps,deployments,poddisruptionbudgets,leases,pods,networkpolicies,horizontalpodautoscalers"
    return kubectl("get", kinds, "-n", namespace, "-l", "grpclb/service", "-o", "name").split()


def max_over_mean(count: Count) -> float:
    calls = list(count.answered.values())
    return max(calls) / (sum(calls) / len(calls))


def test_a_dry_run_prints_manifests_that_the_api_server_takes(namespace: str, original: str) -> None:
    printed = grpclb("fix", "greeter", "-n", namespace, "--dry-run", *IMAGE)

    admitted = kubectl("apply", "--dry-run=server", "-f", "-", stdin=printed.stdout)
    assert printed.returncode == 0
    assert "deployment.apps/greeter-grpclb-envoy created (server dry run)" in admitted
    assert "#   kubectl patch service greeter" in printed.stdout
    assert ours(namespace) == []


def test_the_printed_cut_over_is_a_patch_that_the_api_server_takes(namespace: str, original: str) -> None:
    printed = grpclb("fix", "greeter", "-n", namespace, "--dry-run", *IMAGE).stdout

    line = next(line for line in printed.splitlines() if line.startswith("#   kubectl patch"))
    done = subprocess.run(
        ["bash", "-c", f"{line.removeprefix('#   ')} --dry-run=server"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert spec(namespace) == original


def test_the_api_server_is_asked_whether_it_would_admit_everything(namespace: str, original: str) -> None:
    asked = grpclb("fix", "greeter", "-n", namespace, "--dry-run=server", *IMAGE)

    assert asked.returncode == 0, asked.stdout
    assert "services/greeter patched (server dry run)" in asked.stdout
    assert ours(namespace) == []


def test_the_difference_is_shown_as_kubectl_diff_shows_it(namespace: str, original: str) -> None:
    shown = grpclb("fix", "greeter", "-n", namespace, "--diff", *IMAGE)

    assert shown.returncode == 1
    assert "+    app: greeter-grpclb-envoy" in shown.stdout
    assert "-    app: greeter" in shown.stdout


def test_without_a_terminal_and_without_yes_nothing_is_done(namespace: str, original: str) -> None:
    done = grpclb("fix", "greeter", "-n", namespace, *IMAGE)

    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert ours(namespace) == []


@pytest.mark.parametrize(("typed", "exit_code"), [(b"n\n", 1), (b"\n", 1), (b"\x03", 130)])
def test_at_a_terminal_it_asks_and_anything_but_yes_changes_nothing(
    namespace: str, original: str, typed: bytes, exit_code: int
) -> None:
    words = ["kubectl", "grpclb", "fix", "greeter", "-n", namespace, "--window", "0", "--strategy", "envoy", *IMAGE]

    code, shown = at_a_terminal(words, b"[y/N]", typed)

    assert code == exit_code, shown
    assert b"change Service/greeter" in shown
    assert spec(namespace) == original
    assert ours(namespace) == []


def test_the_fix_cures_and_no_call_is_lost(
    fixed: subprocess.CompletedProcess[str], calls: Calls, dialling: Calls
) -> None:
    count = calls.during(10)

    assert fixed.returncode == 0, fixed.stderr
    assert fixed.stdout.startswith("FIXED")
    assert len(count.answered) == 3
    assert max_over_mean(count) <= 1.05, count
    assert calls.count().failed == 0
    assert dialling.count().failed == 0


def test_verify_says_fixed_and_has_the_balance_from_before(
    fixed: subprocess.CompletedProcess[str], namespace: str
) -> None:
    done = grpclb("verify", "greeter", "-n", namespace, "-o", "json")

    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert told["outcome"] == "fixed"
    assert told["before"]["effectivePods"] < 2.4
    assert told["balance"]["effectivePods"] > 2.9


def test_diagnose_looks_at_the_servers_and_shows_envoy_as_a_tier(
    fixed: subprocess.CompletedProcess[str], namespace: str
) -> None:
    found = report("greeter", "-n", namespace)

    assert found["verdict"] == "balanced"
    assert found["balance"]["signal"] == "requests"
    assert {pod["owner"] for pod in found["pods"]} == {"Deployment/greeter"}
    assert [tier["name"] for tier in found["tiers"]] == ["Deployment/greeter-grpclb-envoy"]


def test_a_second_fix_says_that_there_is_nothing_to_do(fixed: subprocess.CompletedProcess[str], namespace: str) -> None:
    before = kubectl("get", ENVOY, "-n", namespace, "-o", "jsonpath={.metadata.generation}")

    again = fix(namespace)

    assert again.returncode == 0
    assert "Nothing to do" in again.stdout
    assert kubectl("get", ENVOY, "-n", namespace, "-o", "jsonpath={.metadata.generation}") == before


def test_a_rolling_restart_of_envoy_loses_no_call(
    fixed: subprocess.CompletedProcess[str], namespace: str, calls: Calls, dialling: Calls
) -> None:
    kubectl("rollout", "restart", ENVOY, "-n", namespace)
    rolled_out(namespace, [ENVOY])
    until("the old Envoys have drained", lambda: len(ours_pods(namespace)) == 2, 120)

    assert calls.count().failed == 0
    assert dialling.count().failed == 0


def test_scaling_the_servers_up_and_down_loses_no_call_and_new_pods_carry_load(
    fixed: subprocess.CompletedProcess[str], namespace: str, calls: Calls, dialling: Calls
) -> None:
    for _ in range(2):
        scale(namespace, 6)
        time.sleep(DNS_SECONDS)
        assert len(calls.during(2).answered) == 6
        scale(namespace, 2)
        time.sleep(DNS_SECONDS)

    assert calls.count().failed == 0
    assert dialling.count().failed == 0


def test_deleting_a_server_pod_loses_no_call(
    fixed: subprocess.CompletedProcess[str], namespace: str, calls: Calls, dialling: Calls
) -> None:
    pod = kubectl("get", "pods", "-n", namespace, "-l", "app=greeter", "-o", "name").split()[0]

    kubectl("delete", "-n", namespace, pod)
    time.sleep(DNS_SECONDS)

    assert calls.count().failed == 0
    assert dialling.count().failed == 0


def test_the_drain_can_be_begun_only_by_who_knows_the_path(
    fixed: subprocess.CompletedProcess[str], namespace: str
) -> None:
    """The drain's port as another host of the cluster sees it: the API server, which asks the pod's address."""
    pod = ours_pods(namespace)[0].removeprefix("pod/")
    container = json.loads(kubectl("get", "pod", pod, "-n", namespace, "-o", "json"))["spec"]["containers"][0]
    port = container["lifecycle"]["preStop"]["httpGet"]["port"]

    answers = {fetched(namespace, pod, port, path) for path in ("", "drain", "drain-", "drain_listeners?graceful")}

    assert answers == {"Error from server (NotFound): the server could not find the requested resource\n"}
    assert len(ours_pods(namespace)) == 2


def test_what_listens_nowhere_is_not_what_is_not_found(fixed: subprocess.CompletedProcess[str], namespace: str) -> None:
    """So that the test before this one would notice if nothing listened on the drain's port."""
    pod = ours_pods(namespace)[0].removeprefix("pod/")

    assert "ServiceUnavailable" in fetched(namespace, pod, 1, "")


def test_a_change_of_somebody_else_since_the_fix_is_named_and_not_undone(
    fixed: subprocess.CompletedProcess[str], namespace: str
) -> None:
    kubectl("patch", "service", "greeter", "-n", namespace, "-p", '{"spec":{"sessionAffinity":"ClientIP"}}')
    try:
        refused = grpclb("rollback", "greeter", "-n", namespace, "--yes")
    finally:
        kubectl("patch", "service", "greeter", "-n", namespace, "-p", '{"spec":{"sessionAffinity":"None"}}')

    assert refused.returncode == 4
    assert 'spec.sessionAffinity: "None" is now "ClientIP"' in refused.stderr


def test_the_original_manifest_applied_again_brings_the_old_path_back_and_breaks_nothing(
    fixed: subprocess.CompletedProcess[str], namespace: str, original: str, calls: Calls, dialling: Calls
) -> None:
    apply(namespace, [scenes.service("greeter")])
    time.sleep(3)
    found = report("greeter", "-n", namespace)
    again = fix(namespace, "--recycle", "clients")

    assert "GLB301" in codes(found)
    assert again.returncode == 0, again.stderr
    assert calls.count().failed == 0
    assert dialling.count().failed == 0


def test_rollback_restores_the_service_exactly_loses_no_call_and_leaves_nothing(
    fixed: subprocess.CompletedProcess[str], namespace: str, original: str, calls: Calls, dialling: Calls
) -> None:
    undone = elsewhere("rollback", "greeter", "-n", namespace, "--yes", "--recycle", "clients")

    assert undone.returncode == 0, undone.stderr
    assert spec(namespace) == original
    assert ours(namespace) == []
    assert calls.count().failed == 0
    assert dialling.count().failed == 0


def test_there_is_nothing_to_verify_or_roll_back_any_more(namespace: str, original: str) -> None:
    verified = grpclb("verify", "greeter", "-n", namespace)
    undone = grpclb("rollback", "greeter", "-n", namespace, "--yes")

    assert verified.returncode == 4
    assert "no fix of Service greeter is recorded" in verified.stderr
    assert undone.returncode == 0
    assert "Nothing to roll back" in undone.stdout


def test_without_recycling_the_fix_is_pending_until_old_connections_close(
    namespace: str, original: str, calls: Calls
) -> None:
    done = fix(namespace, "--strategy", "envoy", *IMAGE)
    found = report("greeter", "-n", namespace)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("PENDING")
    assert "GLB105" in codes(found)
    assert {client["owner"] for client in found["clients"]} == {"Deployment/greeter-caller"}


def test_a_rollback_without_recycling_loses_no_call_either(
    namespace: str, original: str, calls: Calls, dialling: Calls
) -> None:
    kubectl("rollout", "restart", "deployment/greeter-caller", "-n", namespace)
    rolled_out(namespace, ["deployment/greeter-caller"])

    undone = grpclb("rollback", "greeter", "-n", namespace, "--yes")

    assert undone.returncode == 0, undone.stderr
    assert spec(namespace) == original
    assert ours(namespace) == []
    assert calls.count().failed == 0
    assert dialling.count().failed == 0


def ours_pods(namespace: str) -> list[str]:
    return kubectl("get", "pods", "-n", namespace, "-l", "grpclb/part=envoy", "-o", "name").split()


def scale(namespace: str, replicas: int) -> None:
    kubectl("scale", "deployment/greeter", "-n", namespace, f"--replicas={replicas}")
    rolled_out(namespace, ["deployment/greeter"])


def at_a_terminal(words: list[str], prompt: bytes, typed: bytes) -> tuple[int, bytes]:
    """Run a command at a terminal, and type when the prompt is there; give the exit code and what was shown."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(words[0], words)
    shown, ended = b"", False
    while not ended:
        assert select.select([terminal], [], [], TYPED_SECONDS)[0], f"it does not go on after {shown!r}"
        ended, more = read_terminal(terminal)
        shown += more
        if prompt in shown and typed:
            os.write(terminal, typed)
            typed = b""
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown


def read_terminal(terminal: int) -> tuple[bool, bytes]:
    """Read what is there; Linux ends a terminal whose other side is closed with an error."""
    try:
        return False, os.read(terminal, 4096)
    except OSError:
        return True, b""


def elsewhere(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the plugin as on another machine: with an empty home and no state of its own."""
    changed: Mapping[str, Any] = {"XDG_STATE_HOME": "/nonexistent"}
    return subprocess.run(
        ["kubectl", "grpclb", *words], capture_output=True, text=True, check=False, env={**os.environ, **changed}
    )


def fetched(namespace: str, pod: str, port: int, path: str) -> str:
    """GET a path of a pod through the API server's proxy; give what kubectl said of it."""
    words = ["kubectl", "get", "--raw", f"/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy/{path}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
