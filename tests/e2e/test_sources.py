"""Load, not only connections: channelz, metrics, and pods that show nothing by themselves, on a real cluster."""

import json
import pathlib
import secrets
import signal
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.e2e import source_scenes as scenes
from tests.e2e.kubectl import apply, codes, connections, grpclb, kubectl, report, rolled_out, truth, until
from tests.e2e.scenes import names

pytestmark = pytest.mark.e2e

NAMESPACE = f"grpclb-e2e-sources-{secrets.token_hex(3)}"
CASES = pathlib.Path(__file__).parent.parent / "cases"

IMAGE = "grpclb.test/busybox:1"
"""For pods of ours: it has a shell."""

Keep = Callable[[str], str]


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """A namespace at the restricted Pod Security level with every scene in it."""
    kubectl("create", "namespace", NAMESPACE)
    try:
        kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
        first = scenes.first()
        apply(NAMESPACE, first)
        rolled_out(NAMESPACE, names(first))
        then = scenes.then(NAMESPACE)
        apply(NAMESPACE, then)
        rolled_out(NAMESPACE, names(then))
        until("every connection", lambda: {_held(f"harmless-{way}") for way in scenes.WAYS} == {33})
        yield NAMESPACE
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture
def keep(tmp_path: pathlib.Path, update_goldens: bool) -> Keep:
    """Where to record a scene: with --update the file becomes a case of the fast tests."""

    def place(name: str) -> str:
        folder = CASES / name if update_goldens else tmp_path
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder / "snapshot.json")

    return place


def _held(app: str) -> int:
    return sum(truth(NAMESPACE, app).values())


def rates(found: dict[str, Any]) -> dict[str, float | None]:
    """Requests a second of each pod."""
    return {pod["name"]: pod["requestsPerSecond"] for pod in found["pods"]}


def asked(found: dict[str, Any]) -> set[str]:
    """The sources that were asked."""
    return {row["source"] for row in found["sources"]}


def finding(found: dict[str, Any], code: str) -> dict[str, Any]:
    """The finding of a code."""
    matching: dict[str, Any] = next(each for each in found["findings"] if each["code"] == code)
    return matching


def test_pods_without_a_shell_show_connections_and_calls_by_channelz_without_one_exec(shop: str, keep: Keep) -> None:
    found = report("sticky", "-n", shop, "--window", "3s", "--record", keep("channelz-sticky"))

    assert (found["verdict"], next(iter(codes(found)))) == ("unbalanced", "GLB101")
    assert finding(found, "GLB101")["confidence"] == "high"
    assert found["balance"]["signal"] == "requests"
    assert connections(found) == truth(shop, "sticky")
    assert None not in rates(found).values()
    assert "exec" not in asked(found)


def test_dark_pods_are_not_guessed_at_and_the_report_says_how_to_go_on(shop: str) -> None:
    found = report("dark", "-n", shop, "--window", "1s")

    assert (found["verdict"], found["exitCode"]) == ("inconclusive", 3)
    assert [pod["connections"] for pod in found["pods"]] == [None, None]
    assert f"kubectl grpclb diagnose dark -n {shop} --debug" in finding(found, "GLB901")["next"]


@pytest.mark.parametrize("way", scenes.WAYS)
def test_a_client_that_calls_far_more_than_the_others_is_uneven_calls_over_even_connections(
    shop: str, way: str, keep: Keep
) -> None:
    name = scenes.named("heavy", way)
    found = report(name, "-n", shop, "--window", "3s", "--record", keep(f"{way}-heavy"))

    assert (found["verdict"], next(iter(codes(found)))) == ("unbalanced", "GLB106"), found["reason"]
    assert set(connections(found).values()) == {1}
    assert found["balance"]["signal"] == "requests"
    heavy = kubectl("get", "pods", "-n", shop, "-l", f"app=heavy-{way}-0-caller", "-o", "name").strip()
    assert heavy.removeprefix("pod/") in finding(found, "GLB106")["message"]


@pytest.mark.parametrize("way", scenes.WAYS)
def test_idle_connections_beside_busy_even_ones_are_harmless(shop: str, way: str, keep: Keep) -> None:
    found = report(scenes.named("harmless", way), "-n", shop, "--window", "3s", "--record", keep(f"{way}-harmless"))

    assert (found["verdict"], found["exitCode"], codes(found)) == ("balanced", 0, ["GLB107"]), found["reason"]
    assert sorted(connections(found).values(), key=lambda count: count or 0) == [1, 1, 31]


@pytest.mark.parametrize("way", scenes.WAYS)
def test_two_long_streams_on_one_pod_are_named_as_streams(shop: str, way: str, keep: Keep) -> None:
    found = report(scenes.named("streams", way), "-n", shop, "--window", "3s", "--record", keep(f"{way}-streams"))

    assert found["verdict"] == "unbalanced", found["reason"]
    assert found["balance"]["signal"] == "streams"
    assert "2 streams stay open" in finding(found, "GLB401")["message"]


def test_a_connection_at_its_stream_limit_is_told(shop: str, keep: Keep) -> None:
    found = report("limited", "-n", shop, "--window", "3s", "--record", keep("channelz-limited"))

    assert "100 open calls" in finding(found, "GLB402")["message"]


@pytest.mark.parametrize("via", scenes.WAYS)
def test_rates_are_what_the_clients_count_themselves(shop: str, via: str) -> None:
    """The clients print their counts every second, so that their 12 s are those of the look but for a second."""
    found = report("both", "-n", shop, "--via", via, "--window", "12s")

    counted = scenes.answered(shop, "both-caller", datetime.fromisoformat(found["takenAt"]), 12.0)
    for name, rate in rates(found).items():
        assert rate == pytest.approx(counted.get(name, 0.0), rel=0.05, abs=0.2)


def test_sources_that_agree_are_all_named_and_none_contradicts(shop: str) -> None:
    found = report("both", "-n", shop, "--via", "channelz,metrics,exec", "--window", "3s")

    assert {"channelz", "metrics", "exec"} <= asked(found)
    assert all({"channelz", "metrics"} <= set(pod["sources"]) for pod in found["pods"])
    assert "GLB904" not in codes(found)


def test_metrics_alone_tell_the_load_and_leave_connections_open(shop: str) -> None:
    found = report("both", "-n", shop, "--via", "metrics", "--window", "3s")

    assert (found["verdict"], found["balance"]["signal"]) == ("unbalanced", "requests")
    assert set(connections(found).values()) == {None}
    assert asked(found) == {"metrics", "metrics-api"}


@pytest.mark.parametrize(
    "look",
    [
        ("sticky",),
        ("streams-metrics",),
        ("dark", "--debug", "--debug-image", IMAGE),
        ("heavy-metrics", "--via", "node", "--debug-image", IMAGE, "--node-namespace", "default"),
    ],
    ids=["channelz", "metrics and exec", "debug", "node"],
)
def test_a_recorded_file_gives_the_same_report_whatever_told_it(
    shop: str, look: tuple[str, ...], tmp_path: pathlib.Path
) -> None:
    file = tmp_path / "snapshot.json"
    live = grpclb("diagnose", *look, "-n", shop, "--window", "2s", "--record", str(file), "-o", "json")
    replayed = grpclb("diagnose", "--from", str(file), "-o", "json")

    assert json.loads(live.stdout)
    assert replayed.stdout == live.stdout


def test_an_ephemeral_container_shows_dark_pods_at_the_restricted_level_and_serves_again(shop: str) -> None:
    look = ("dark", "-n", shop, "--debug", "--debug-image", IMAGE, "--window", "2s")
    found = report(*look)
    again = report(*look)

    assert (found["verdict"], next(iter(codes(found)), None)) in {("unbalanced", "GLB101"), ("balanced", None)}
    assert connections(found) == connections(again) == truth(shop, "dark")
    assert "debug" in asked(found)
    for pod in json.loads(kubectl("get", "pods", "-n", shop, "-l", "app=dark", "-o", "json"))["items"]:
        assert len(pod["spec"]["ephemeralContainers"]) == 1


def test_a_look_from_each_node_is_refused_politely_at_the_restricted_level(shop: str) -> None:
    found = report("heavy-metrics", "-n", shop, "--via", "node", "--debug-image", IMAGE, "--window", "0")

    assert (found["verdict"], found["exitCode"]) == ("inconclusive", 3)
    assert all("--node-namespace" in pod["gap"] for pod in found["pods"])


def test_a_look_from_each_node_through_another_namespace_counts_what_is_there(shop: str) -> None:
    look = ("--via", "node", "--debug-image", IMAGE, "--node-namespace", "default", "--window", "2s")
    found = report("heavy-metrics", "-n", shop, *look)

    assert connections(found) == truth(shop, "heavy-metrics")
    assert asked(found) == {"node"}
    assert "grpclb" not in kubectl("get", "pods", "-n", "default", "-l", "grpclb/purpose=node-look", "-o", "name")


def test_ctrl_c_during_a_look_from_each_node_leaves_no_pod(shop: str) -> None:
    def pods() -> str:
        return kubectl("get", "pods", "-n", "default", "-l", "grpclb/purpose=node-look", "-o", "name")

    look = ["--via", "node", "--debug-image", IMAGE, "--node-namespace", "default", "--window", "60s"]
    command = ["kubectl-grpclb", "diagnose", "heavy-metrics", "-n", shop, *look]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        until("a pod of the look", lambda: bool(pods()))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)

    assert (process.returncode, "Traceback" in said) == (130, False)
    assert not pods()


def test_an_autoscaler_that_sees_the_mean_only_is_told_of(shop: str, keep: Keep) -> None:
    def seen() -> bool:
        status = json.loads(kubectl("get", "hpa", "scaled", "-n", shop, "-o", "json"))["status"]
        return bool(status.get("currentMetrics"))

    until("the autoscaler's figure", seen, 120)
    until("one pod above the others", lambda: "GLB404" in codes(report("scaled", "-n", shop, "--window", "2s")), 60)
    found = report("scaled", "-n", shop, "--window", "3s", "--record", keep("autoscaled"))

    assert "GLB404" in codes(found), found["skipped"]
    assert next(iter(codes(found))) == "GLB101"


def test_equal_calls_and_unequal_work_are_told_apart(shop: str, keep: Keep) -> None:
    pod = kubectl("get", "pods", "-n", shop, "-l", "app=worked", "-o", "name").split()[0]
    busy = ["kubectl", "exec", "-n", shop, pod, "--", "sh", "-c", "while :; do :; done"]
    with subprocess.Popen(busy, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as work:
        try:
            until("its CPU", lambda: "GLB403" in codes(report("worked", "-n", shop, "--window", "2s")), 90)
            found = report("worked", "-n", shop, "--window", "3s", "--record", keep("unequal-work"))
        finally:
            work.kill()
            kubectl("delete", pod, "-n", shop, "--wait=false")  # the loop in it does not end with its exec

    assert (found["verdict"], codes(found)) == ("balanced", ["GLB403"])
