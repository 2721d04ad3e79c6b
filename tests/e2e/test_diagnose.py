"""Services on a real cluster, diagnosed through the real kubectl."""

import json
import pathlib
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.e2e import scenes
from tests.e2e.kubectl import apply, codes, connections, grpclb, kubectl, report, rolled_out, truth, until

pytestmark = pytest.mark.e2e

NAMESPACE = "grpclb-e2e"
CASES = pathlib.Path(__file__).parent.parent / "cases"


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """A namespace at the restricted Pod Security level with every scene in it."""
    kubectl("create", "namespace", NAMESPACE)
    try:
        kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
        first, then = scenes.first(), scenes.then()
        apply(NAMESPACE, first)
        rolled_out(NAMESPACE, scenes.names(first))
        apply(NAMESPACE, then)
        rolled_out(NAMESPACE, scenes.names(then))
        until("eight clients of the one pod", lambda: sum(truth(NAMESPACE, "scaled").values()) == 8)
        until("clients that know every pod", lambda: set(truth(NAMESPACE, "spread").values()) == {2})
        kubectl("scale", "deployment/scaled", "-n", NAMESPACE, "--replicas=4")
        rolled_out(NAMESPACE, ["deployment/scaled"])
        yield NAMESPACE
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--wait=false")


Keep = Callable[[str], str]


@pytest.fixture
def keep(tmp_path: pathlib.Path, update_goldens: bool) -> Keep:
    """Where to record a scene: with --update the file becomes a case of the fast tests."""

    def place(name: str) -> str:
        folder = CASES / name if update_goldens else tmp_path
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder / "snapshot.json")

    return place


@pytest.mark.parametrize(
    ("name", "verdict", "leads", "exit_code"),
    [
        ("sticky-netstat", "unbalanced", "GLB101", 1),
        ("sticky-ss", "unbalanced", "GLB101", 1),
        ("sticky-shell", "unbalanced", "GLB101", 1),
        ("sticky-distroless", "inconclusive", "GLB901", 3),
        ("spread", "balanced", None, 0),
        ("pickfirst", "unbalanced", "GLB103", 1),
        ("scaled", "unbalanced", "GLB104", 1),
        ("churning", "balanced", None, 0),
        ("affine", "unbalanced", "GLB201", 1),
        ("alone", "idle", None, 0),
        ("mislabelled", "inconclusive", "GLB205", 3),
        ("misnamed", "inconclusive", "GLB205", 3),
        ("misported", "idle", "GLB205", 1),
        ("elsewhere", "inconclusive", "GLB205", 3),
        ("unready", "inconclusive", "GLB205", 3),
    ],
)
def test_a_service_gets_the_verdict_that_it_deserves(
    shop: str,
    name: str,
    verdict: str,
    leads: str | None,
    exit_code: int,
    keep: Keep,
) -> None:
    found = report(name, "-n", shop, "--record", keep(name))

    assert found["verdict"] == verdict, found["reason"]
    assert next(iter(codes(found)), None) == leads
    assert found["exitCode"] == exit_code


@pytest.mark.parametrize("name", ["sticky-netstat", "sticky-ss", "sticky-shell", "spread", "pickfirst", "scaled"])
def test_every_count_is_what_the_node_shows(shop: str, name: str) -> None:
    found = report(name, "-n", shop, "--window", "2s")

    assert connections(found) == truth(shop, name)


def test_a_single_look_counts_the_same(shop: str) -> None:
    found = report("sticky-netstat", "-n", shop, "--window", "0")

    assert connections(found) == truth(shop, "sticky-netstat")


def test_pods_without_a_shell_have_no_count_rather_than_none(shop: str) -> None:
    found = report("sticky-distroless", "-n", shop)

    assert [pod["connections"] for pod in found["pods"]] == [None, None]
    assert all("no-shell" in pod["gap"] for pod in found["pods"])


def test_the_clients_and_the_idle_pods_are_named(shop: str) -> None:
    found = report("sticky-netstat", "-n", shop)

    idle = [pod["name"] for pod in found["pods"] if pod["connections"] == 0]
    message = found["findings"][0]["message"]
    assert idle
    assert all(name in message for name in idle)
    assert {client["owner"] for client in found["clients"]} == {"Deployment/sticky-netstat-caller"}
    assert all(client["name"] in message for client in found["clients"])


def test_bytes_are_the_signal_where_ss_tells_them(shop: str) -> None:
    found = report("sticky-ss", "-n", shop)

    assert found["balance"]["signal"] == "bytes"
    assert sum(pod["bytesPerSecond"] for pod in found["pods"]) > 1000


def test_a_recorded_file_gives_the_same_report_byte_for_byte(shop: str, tmp_path: pathlib.Path) -> None:
    file = str(tmp_path / "greeter.json")

    live = grpclb("diagnose", "sticky-ss", "-n", shop, "-o", "json", "--record", file)
    replayed = grpclb("diagnose", "--from", file, "-o", "json")

    assert replayed.stdout == live.stdout
    assert replayed.returncode == live.returncode


def test_a_snapshot_holds_no_arguments_and_no_annotations(shop: str, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "greeter.json"

    grpclb("record", "sticky-netstat", "-n", shop, "-f", str(file))

    words = file.read_text()
    assert "metrics-port" not in words
    assert "last-applied" not in words


def test_the_plugin_is_the_same_with_and_without_kubectl(shop: str) -> None:
    through = grpclb("diagnose", "alone", "-n", shop, "--window", "0")
    alone = grpclb("diagnose", "alone", "-n", shop, "--window", "0", program=("kubectl-grpclb",))

    assert through.stdout.splitlines()[0] == alone.stdout.splitlines()[0]
    assert through.returncode == alone.returncode == 0


def test_several_services_come_as_a_list(shop: str) -> None:
    done = grpclb("diagnose", "svc/alone", "spread", "-n", shop, "--window", "0", "-o", "json")

    assert [item["target"]["service"] for item in json.loads(done.stdout)["items"]] == ["alone", "spread"]


def test_an_ambiguous_port_is_asked_back_with_the_choices(shop: str) -> None:
    done = grpclb("diagnose", "ambiguous", "-n", shop)

    assert done.returncode == 2
    assert "80  api" in done.stderr
    assert "--port" in done.stderr


def test_the_port_that_is_asked_for_is_the_one_diagnosed(shop: str) -> None:
    assert report("ambiguous", "-n", shop, "--port", "admin")["target"]["targetPort"] == 50051


@pytest.mark.parametrize(
    ("words", "exit_code", "says"),
    [
        (("alonee", "-n", NAMESPACE), 4, "did you mean alone"),
        (("alone", "-n", "grpclb-e3e"), 4, 'namespace "grpclb-e3e" does not exist'),
        (("alone", "--context", "grpclb-tset"), 4, "grpclb-test"),
        (("alone", "-n", NAMESPACE, "--kubeconfig", "/nonexistent/config"), 4, "/nonexistent/config"),
        (("pod/alone", "-n", NAMESPACE), 2, "is not a Service"),
        (("alone", "-n", NAMESPACE, "--window", "soon"), 2, "--window"),
        (("alone", "-n", NAMESPACE, "--as", "nobody"), 4, 'resources: ["services"]'),
    ],
)
def test_what_cannot_be_done_is_said_in_one_message(
    shop: str, words: tuple[str, ...], exit_code: int, says: str
) -> None:
    done = grpclb("diagnose", *words)

    assert done.returncode == exit_code, done.stderr
    assert says in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


@pytest.fixture
def looker(shop: str) -> str:
    """A service account that may read everything of the namespace, but run nothing in its pods."""
    kubectl("create", "serviceaccount", "looker", "-n", shop)
    readable = "services,pods,endpointslices.discovery.k8s.io,replicasets.apps,deployments.apps"
    kubectl("create", "role", "looker", "-n", shop, "--verb=get,list", f"--resource={readable}")
    kubectl("create", "rolebinding", "looker", "-n", shop, "--role=looker", f"--serviceaccount={shop}:looker")
    return f"system:serviceaccount:{shop}:looker"


def test_a_user_who_may_not_exec_learns_the_rule_and_sees_no_zeros(shop: str, looker: str, keep: Keep) -> None:
    found = report("sticky-netstat", "-n", shop, "--as", looker, "--record", keep("denied"))

    assert (found["verdict"], found["exitCode"]) == ("inconclusive", 3)
    assert {pod["connections"] for pod in found["pods"]} == {None}
    denied = next(finding for finding in found["findings"] if finding["code"] == "GLB902")
    assert 'resources: ["pods/exec"], verbs: ["get", "create"]' in denied["message"]


def test_a_pod_that_is_not_ready_any_more_is_told_with_the_connections_it_keeps(shop: str, keep: Keep) -> None:
    retired = next(name for name, held in truth(shop, "retired").items() if held)
    kubectl("exec", retired, "-n", shop, "--", "sh", "-c", ">/tmp/retired")
    until("its endpoint is not ready", lambda: not ready(retired, "retired", shop))

    found = report("retired", "-n", shop, "--record", keep("retired"))

    assert "GLB206" in codes(found)
    assert connections(found)[retired] == truth(shop, "retired")[retired] > 0


def test_a_pod_that_is_killed_during_the_look_is_a_gap_of_its_own(shop: str, keep: Keep) -> None:
    doomed = min(truth(shop, "spread"))
    words = ("kubectl", "grpclb", "diagnose", "spread", "-n", shop, "-o", "json", "--window", "10s")

    with subprocess.Popen([*words, "--record", keep("killed")], stdout=subprocess.PIPE, text=True) as running:
        until("the look has begun", lambda: sleeping(doomed, shop))
        kubectl("delete", "pod", doomed, "-n", shop, "--force", "--grace-period=0")
        found = json.loads(running.communicate(timeout=60)[0])

    gaps = {pod["name"]: pod["gap"] for pod in found["pods"]}
    assert gaps.pop(doomed)
    assert set(gaps.values()) == {None}
    assert (found["verdict"], running.returncode) == ("inconclusive", 3)


def ready(pod: str, service: str, namespace: str) -> bool:
    """Whether the Service's EndpointSlices say that the pod is ready; they learn it a moment after the pod."""
    labels = f"kubernetes.io/service-name={service}"
    slices = json.loads(kubectl("get", "endpointslices", "-n", namespace, "-l", labels, "-o", "json"))["items"]
    endpoints = {each["targetRef"]["name"]: each["conditions"] for item in slices for each in item["endpoints"]}
    return bool(endpoints[pod]["ready"])


def sleeping(pod: str, namespace: str) -> bool:
    """Whether the look's script waits in the pod between its two looks."""
    return "sleep" in kubectl("exec", pod, "-n", namespace, "--", "ps")
