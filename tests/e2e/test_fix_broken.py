"""What a fix leaves behind on a real cluster when it is killed, refused or raced: nothing half-done."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec import Struct

from tests.e2e import scenes
from tests.e2e.kubectl import apply, grpclb, kubectl, rolled_out, until

pytestmark = pytest.mark.e2e

NAMESPACE = "grpclb-e2e-broken"
IMAGE = "grpclb.test/envoy:1.40.0"
AT_ONCE = 6
WHOLE = (
    (3, "one pod is ready now, so nothing shows whether load is spread"),
    (0, "PENDING"),
)
"""How a whole fix ends here, where each Service has one server: clients may still be ending."""
NOTHING_TO_DO = (0, "Nothing to do")

STEPS = {
    "lease": "took the Lease",
    "receipt": "wrote the receipt",
    "headless": "applied Service/",
    "config": "applied ConfigMap/",
    "budget": "applied PodDisruptionBudget/",
    "deployment": "applied Deployment/",
    "hosts": "Envoy knows",
    "canary": "calls through each Envoy",
    "cut-over": "cut over",
    "proof": "proved",
    "recycled": "restarted",
    "verified": "diagnosing again",
}
"""Each step of a fix, and how the line begins that tells that it is done."""


class Outcome(Struct, frozen=True):
    """What came after a kill."""

    code: int
    said: str
    selector: str
    left: tuple[str, ...]


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    """A namespace at the restricted level with the Service `other` and its server."""
    kubectl("create", "namespace", NAMESPACE)
    try:
        kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
        make(["other"])
        yield NAMESPACE
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def make(names: Sequence[str]) -> None:
    """Make a Service for each name, a server, and then a client that finds it."""
    apply(NAMESPACE, [manifest for name in names for manifest in scene(name)])
    rolled_out(NAMESPACE, [f"deployment/{name}" for name in names])
    apply(NAMESPACE, [scenes.callers(name, f"{name}:80", 1, rate=20) for name in names])
    rolled_out(NAMESPACE, [f"deployment/{name}-caller" for name in names])


@pytest.fixture
def other(namespace: str) -> str:
    """The Service `other` as it was made, whatever the test before came to."""
    if selector("other") != "other" or left("other"):
        grpclb("rollback", "other", "-n", namespace, "--yes")
    return "other"


def scene(name: str) -> list[scenes.Manifest]:
    return [scenes.service(name), scenes.servers(name, "shell", 1)]


def command(name: str, image: str = IMAGE) -> list[str]:
    """A fix; clients are restarted where a step is about that, or comes after it."""
    recycling = ("--recycle", "clients") if name.startswith(("other", "recycled", "verified")) else ()
    return [
        *("kubectl", "grpclb", "fix", name, "-n", NAMESPACE, "--yes", "--strategy", "envoy"),
        *("--window", "1s", *recycling, "--envoy-image", image),
    ]


def selector(name: str) -> str:
    return kubectl("get", "service", name, "-n", NAMESPACE, "-o", "jsonpath={.spec.selector.app}")


def left(name: str) -> tuple[str, ...]:
    kinds = "services,configmaps,deployments,poddisruptionbudgets,leases,pods"
    return tuple(kubectl("get", kinds, "-n", NAMESPACE, "-l", f"grpclb/service={name}", "-o", "name").split())


def killed(name: str, line: str) -> None:
    """Run a fix, and kill it as soon as it has said that line."""
    said = []
    with subprocess.Popen(command(name), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        for words in process.stderr or ():
            said.append(words)
            if line in words:
                process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, "".join(said)


def outcome(name: str, *words: str) -> Outcome:
    done = subprocess.run([*words], capture_output=True, text=True, check=False)
    return Outcome(done.returncode, done.stderr + done.stdout, selector(name), left(name))


def ended(code: int, said: str, *ways: tuple[int, str]) -> bool:
    """Whether a command ended in one of these ways, each an exit code and words that come with it."""
    return any(code == wanted and words in said for wanted, words in ways)


def fixed_again(step: str) -> Outcome:
    name = f"{step}-again"
    killed(name, STEPS[step])
    return outcome(name, *command(name))


def undone(step: str) -> Outcome:
    name = f"{step}-undone"
    killed(name, STEPS[step])
    return outcome(name, "kubectl", "grpclb", "rollback", name, "-n", NAMESPACE, "--yes")


def test_two_fixes_at_once_do_not_get_into_each_others_way(namespace: str, other: str) -> None:
    with subprocess.Popen(command(other), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as first:
        until("the first has the Lease", lambda: any(name.startswith("lease") for name in left(other)), 60)
        second = subprocess.run(command(other), capture_output=True, text=True, check=False)
        came, _ = first.communicate()

    assert ended(first.returncode, came, *WHOLE)
    late = ((4, "is running"), (4, "in the meantime"))
    assert ended(second.returncode, second.stdout + second.stderr, NOTHING_TO_DO, *late)
    assert selector(other) == "other-grpclb-envoy"
    assert grpclb("rollback", "other", "-n", namespace, "--yes").returncode == 0
    assert left(other) == ()


@pytest.mark.parametrize(
    ("image", "says"),
    [
        ("127.0.0.1:1/envoy:nowhere", "ImagePull"),
        ("grpclb.test/greeter:distroless", "CrashLoopBackOff"),
    ],
)
def test_an_envoy_that_does_not_start_is_removed_again(namespace: str, other: str, image: str, says: str) -> None:
    done = subprocess.run(command(other, image), capture_output=True, text=True, check=False)

    assert done.returncode == 4
    assert says in done.stderr
    assert "The Service was not touched" in done.stderr
    assert selector(other) == "other"
    assert left(other) == ()


def test_a_quota_that_has_no_room_for_envoy_stops_it_before_it_begins(namespace: str, other: str) -> None:
    kubectl("create", "quota", "full", "-n", namespace, "--hard=pods=1")
    try:
        until("the quota counts", lambda: "pods" in kubectl("get", "quota", "full", "-n", namespace, "-o", "yaml"))
        time.sleep(1)
        done = subprocess.run(command(other), capture_output=True, text=True, check=False)
    finally:
        kubectl("delete", "quota", "full", "-n", namespace)

    assert done.returncode == 4
    assert "quota" in done.stderr
    assert selector(other) == "other"
    assert left(other) == ()


@pytest.mark.parametrize(
    ("kind", "group", "resource"), [("stage", "apps", "deployments"), ("cut-over", "", "services")]
)
def test_what_admission_refuses_is_taken_back(namespace: str, other: str, kind: str, group: str, resource: str) -> None:
    policy = f"grpclb-e2e-{kind}"
    kubectl("apply", "-f", "-", stdin=json.dumps(refusing(policy, group, resource)))
    try:
        until("the policy is in force", lambda: is_refused(namespace, resource), 60)
        done = subprocess.run(command(other), capture_output=True, text=True, check=False)
    finally:
        kubectl("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", policy)

    assert done.returncode == 4
    assert "frozen by the platform team" in done.stderr
    assert selector(other) == "other"
    assert left(other) == ()


def refusing(name: str, group: str, resource: str) -> dict[str, object]:
    """A policy that refuses to create Deployments for Envoy, or to change the Service `other`."""
    operations = ["CREATE"] if resource == "deployments" else ["UPDATE"]
    other = "object.metadata.name.startsWith('other')"
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}},
                "resourceRules": [
                    {"apiGroups": [group], "apiVersions": ["v1"], "operations": operations, "resources": [resource]}
                ],
            },
            "validations": [{"expression": f"!{other}", "message": "frozen by the platform team"}],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    return {"apiVersion": "v1", "kind": "List", "items": [policy, binding]}


def is_refused(namespace: str, resource: str) -> bool:
    """Whether the policy is already applied, tried with a dry run."""
    words = (
        ["create", "deployment", "other-tried", "--image=a", "-n", namespace, "--dry-run=server"]
        if resource == "deployments"
        else ["annotate", "service", "other", "tried=1", "-n", namespace, "--dry-run=server", "--overwrite"]
    )
    done = subprocess.run(["kubectl", *words], capture_output=True, text=True, check=False)
    return "frozen" in done.stderr


def test_somebody_elses_change_between_plan_and_cut_over_is_named_and_nothing_is_cut_over(
    namespace: str, other: str
) -> None:
    said = []
    with subprocess.Popen(command(other), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr or ():
            said.append(line)
            if STEPS["receipt"] in line:
                kubectl("patch", "service", "other", "-n", namespace, "-p", '{"spec":{"sessionAffinity":"ClientIP"}}')
    kubectl("patch", "service", "other", "-n", namespace, "-p", '{"spec":{"sessionAffinity":"None"}}')

    assert process.returncode == 4
    assert 'spec.sessionAffinity: "None" is now "ClientIP"' in "".join(said)
    assert selector(other) == "other"
    assert left(other) == ()


def test_ctrl_c_before_the_cut_over_leaves_nothing(namespace: str, other: str) -> None:
    said = []
    with subprocess.Popen(command(other), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr or ():
            said.append(line)
            if STEPS["deployment"] in line:
                process.send_signal(signal.SIGINT)

    assert process.returncode == 130, "".join(said)
    assert selector(other) == "other"
    assert left(other) == ()


@pytest.fixture(scope="module")
def after_kills(namespace: str) -> dict[tuple[str, str], Outcome]:
    """Every step's kill, and what `fix` or `rollback` alone made of it; some at once, since each mostly waits.

    These tests come last: the two dozen Services that they want would keep the nodes from the other tests.
    """
    make([f"{step}-{way}" for step in STEPS for way in ("again", "undone")])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        again = {step: pool.submit(fixed_again, step) for step in STEPS}
        back = {step: pool.submit(undone, step) for step in STEPS}
        return {
            **{(step, "again"): future.result() for step, future in again.items()},
            **{(step, "undone"): future.result() for step, future in back.items()},
        }


@pytest.mark.parametrize("step", STEPS)
def test_after_a_kill_in_any_step_fix_alone_completes(after_kills: dict[tuple[str, str], Outcome], step: str) -> None:
    came = after_kills[step, "again"]

    assert ended(came.code, came.said, *WHOLE, NOTHING_TO_DO), came
    assert came.selector == f"{step}-again-grpclb-envoy"
    assert not [name for name in came.left if name.startswith("lease")]


@pytest.mark.parametrize("step", STEPS)
def test_after_a_kill_in_any_step_rollback_alone_restores(
    after_kills: dict[tuple[str, str], Outcome], step: str
) -> None:
    came = after_kills[step, "undone"]

    assert came.code == 0, came.said
    assert came.selector == f"{step}-undone"
    assert came.left == ()
