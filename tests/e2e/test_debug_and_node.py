"""Pods without a shell, in two ways that add to the cluster: an ephemeral container, and a pod on each node."""

import asyncio
import json
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from kubectl_grpclb.cluster.kube import ConnectOptions, connect_to_change
from kubectl_grpclb.flows.deeper import DeepCluster
from kubectl_grpclb.model import kube
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.look import LOOK
from kubectl_grpclb.model.snapshot import Answer, List, LookFromNode, Objects, OpenUp, Output, Reading, Refused, Request
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.endpoints import Backend
from kubectl_grpclb.probes.node import looks_from_nodes, request_node_looks
from kubectl_grpclb.probes.sockets import Looks, look_request, parse_look
from tests.e2e import scenes
from tests.e2e.kubectl import apply, kubectl, rolled_out, truth, until

pytestmark = pytest.mark.e2e

IMAGE = "grpclb.test/busybox:1"
PURPOSE = "grpclb/purpose=node-look"
APP = "greeter"


def namespace_with(level: str) -> Iterator[str]:
    name = f"grpclb-deep-{secrets.token_hex(3)}"
    kubectl("create", "namespace", name)
    kubectl("label", "namespace", name, f"pod-security.kubernetes.io/enforce={level}")
    apply(
        name,
        [
            scenes.service(APP),
            scenes.servers(APP, "distroless", 4, arguments=["-channelz=false"]),
            scenes.callers(APP, f"{APP}:80", 3),
        ],
    )
    rolled_out(name, [f"deployment/{APP}", f"deployment/{APP}-caller"])
    until("the callers connect", lambda: sum(truth(name, APP).values()) == 3)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="module")
def restricted() -> Iterator[str]:
    """A namespace of the Pod Security level `restricted`, with servers without a shell."""
    yield from namespace_with("restricted")


@pytest.fixture(scope="module")
def privileged() -> Iterator[str]:
    """The same where every pod is admitted."""
    yield from namespace_with("privileged")


def read(*requests: Request, as_user: str | None = None) -> list[Reading]:
    async def all_of_them() -> list[Reading]:
        async with connect_to_change(ConnectOptions(as_user=as_user)) as workshop, DeepCluster(workshop) as cluster:
            return list(await asyncio.gather(*map(cluster.read, requests)))

    return asyncio.run(all_of_them())


def answers(*requests: Request, as_user: str | None = None) -> list[Answer]:
    return [reading.answer for reading in read(*requests, as_user=as_user)]


def servers(namespace: str) -> list[Backend]:
    (found,) = answers(List("pods", namespace, label_selector=f"app={APP}"))
    assert isinstance(found, Objects)
    return [
        Backend(pod.metadata.name, (pod.status.pod_ip or "",), 50051, True, True, False, pod.spec.node_name, None, pod)
        for pod in found.items
        if isinstance(pod, kube.Pod)
    ]


def addresses(namespace: str) -> set[str]:
    pods = json.loads(kubectl("get", "pods", "-n", namespace, "-o", "json"))["items"]
    return {pod["status"]["podIP"] for pod in pods if "podIP" in pod["status"]}


def counted(looks: object, peers: set[str]) -> int:
    assert isinstance(looks, Looks), looks
    return sum(seen.peer in peers for seen in looks.seen if seen.established)


def ephemeral(namespace: str, pod: str) -> list[str]:
    spec: dict[str, Any] = json.loads(kubectl("get", "pod", pod, "-n", namespace, "-o", "json"))["spec"]
    return [each["name"] for each in spec.get("ephemeralContainers", ())]


def node_pods(namespace: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(kubectl("get", "pods", "-n", namespace, "-l", PURPOSE, "-o", "json"))[
        "items"
    ]
    return found


def test_pods_without_a_shell_are_seen_through_an_ephemeral_container(restricted: str) -> None:
    backends = servers(restricted)

    opened = answers(*(OpenUp(restricted, each.name, LOOK, IMAGE) for each in backends))
    looked = answers(*(look_request(restricted, each.name, LOOK, 0.5, 20) for each in backends))

    assert {type(answer) for answer in opened} == {Objects}
    peers, port = addresses(restricted), frozenset({50051})
    seen = {
        each.name: counted(parse_look(answer, port), peers)
        for each, answer in zip(backends, looked, strict=True)
        if isinstance(answer, Output)
    }
    assert seen == truth(restricted, APP)


def test_the_container_is_added_once(restricted: str) -> None:
    name = servers(restricted)[0].name

    answers(OpenUp(restricted, name, LOOK, IMAGE))
    answers(OpenUp(restricted, name, LOOK, IMAGE))

    assert ephemeral(restricted, name) == [LOOK]


def test_an_image_that_is_not_there_is_told_at_once(restricted: str) -> None:
    name = servers(restricted)[1].name

    (reading,) = read(OpenUp(restricted, name, "grpclb-look-nowhere", "127.0.0.1:1/nowhere:1"))

    assert isinstance(reading.answer, Refused)
    assert reading.answer.reason is GapReason.DIED
    assert "127.0.0.1:1/nowhere:1" in reading.answer.message
    assert reading.took < 30


def test_a_pod_with_the_container_ends_as_quickly_as_without(restricted: str) -> None:
    container = {
        "name": "greeter",
        "image": "grpclb.test/greeter:distroless",
        "args": ["serve", "-metrics-port=0"],
        "securityContext": scenes.RESTRICTED,
    }
    spec = {"terminationGracePeriodSeconds": 60, "containers": [container]}
    apply(restricted, [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "patient"}, "spec": spec}])
    kubectl("wait", "-n", restricted, "pod/patient", "--for=condition=Ready", "--timeout=60s")
    answers(OpenUp(restricted, "patient", LOOK, IMAGE))
    start = time.monotonic()

    kubectl("delete", "pod", "patient", "-n", restricted, "--timeout=50s")

    assert time.monotonic() - start < 30


@pytest.fixture
def looker(restricted: str) -> str:
    """A service account that may read everything of the namespace, and no more."""
    kubectl("create", "serviceaccount", "looker", "-n", restricted)
    kubectl("create", "role", "looker", "-n", restricted, "--verb=get,list", "--resource=pods")
    kubectl(
        "create", "rolebinding", "looker", "-n", restricted, "--role=looker", f"--serviceaccount={restricted}:looker"
    )
    return f"system:serviceaccount:{restricted}:looker"


def test_who_may_not_learns_what_is_needed_and_changes_nothing(restricted: str, looker: str) -> None:
    name = servers(restricted)[2].name
    before = ephemeral(restricted, name)

    opened, looked = answers(
        OpenUp(restricted, name, "grpclb-look-denied", IMAGE), look_from("node-a", restricted), as_user=looker
    )

    assert isinstance(opened, Refused)
    assert isinstance(looked, Refused)
    assert (opened.reason, looked.reason) == (GapReason.FORBIDDEN, GapReason.FORBIDDEN)
    assert 'resources: ["pods/ephemeralcontainers"], verbs: ["patch"]' in opened.message
    assert "you may not create pods, delete pods, get pods/exec, create pods/exec there" in looked.message
    assert ephemeral(restricted, name) == before
    assert node_pods(restricted) == []


def look_from(node: str, namespace: str, command: str = "true", seconds: float = 20.0) -> LookFromNode:
    return LookFromNode(namespace, node, IMAGE, ("sh", "-c", command), seconds)


def test_a_namespace_that_admits_no_look_from_a_node_says_so(restricted: str) -> None:
    (answer,) = answers(look_from("node-a", restricted))

    assert isinstance(answer, Refused)
    assert (answer.reason, answer.status) == (GapReason.FORBIDDEN, 403)
    assert "--node-namespace NAMESPACE" in answer.message


@pytest.mark.parametrize("window", [0.0, 1.0])
def test_looks_from_both_nodes_show_what_is_true(privileged: str, window: float) -> None:
    backends = servers(privileged)
    requests = request_node_looks(Ask(privileged, APP, window=window), backends, privileged, IMAGE)

    readings = read(*requests)

    peers = addresses(privileged)
    seen = {each.name: counted(looks_from_nodes(readings, each), peers) for each in backends}
    assert [request.node for request in requests] == ["node-a", "node-b"]
    assert seen == truth(privileged, APP)
    assert node_pods(privileged) == []


def test_one_namespaces_pods_are_seen_from_a_pod_in_another(restricted: str, privileged: str) -> None:
    backends = servers(restricted)

    readings = read(*request_node_looks(Ask(restricted, APP, window=0), backends, privileged, IMAGE))

    peers = addresses(restricted)
    assert {each.name: counted(looks_from_nodes(readings, each), peers) for each in backends} == truth(restricted, APP)


def test_a_node_that_is_not_there_is_an_answer(privileged: str) -> None:
    async def look() -> Answer:
        async with connect_to_change(ConnectOptions()) as workshop, DeepCluster(workshop, 2.0) as cluster:
            return (await cluster.read(look_from("node-z", privileged))).answer

    answer = asyncio.run(look())

    assert isinstance(answer, Refused)
    assert answer.reason is GapReason.TIMED_OUT
    assert node_pods(privileged) == []


DRIVER = """
import asyncio, sys
from kubectl_grpclb.cluster.kube import ConnectOptions, connect_to_change
from kubectl_grpclb.flows.deeper import DeepCluster
from kubectl_grpclb.model.snapshot import LookFromNode

async def main(namespace, image, command, seconds):
    async with connect_to_change(ConnectOptions()) as workshop, DeepCluster(workshop) as cluster:
        await cluster.read(LookFromNode(namespace, "node-a", image, ("sh", "-c", command), float(seconds)))

asyncio.run(main(*sys.argv[1:]))
"""


def driver(namespace: str, command: str, seconds: float) -> subprocess.Popen[bytes]:
    """Start a process that looks from a node, and wait until its pod is there."""
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, namespace, IMAGE, command, str(seconds)], stderr=subprocess.DEVNULL
    )
    until("its pod is there", lambda: bool(node_pods(namespace)))
    return process


def phases(namespace: str) -> set[str]:
    return {pod["status"]["phase"] for pod in node_pods(namespace)}


@pytest.mark.parametrize("wait_for", ["Pending", "Running"])
def test_an_interrupted_look_leaves_nothing(privileged: str, wait_for: str) -> None:
    process = driver(privileged, "sleep 30", 40)
    until("it runs", lambda: wait_for == "Pending" or phases(privileged) == {"Running"})

    process.send_signal(signal.SIGINT)

    assert process.wait(20) != 0
    assert node_pods(privileged) == []


def test_what_a_killed_look_leaves_ends_by_itself_and_goes_with_the_next_one(privileged: str) -> None:
    process = driver(privileged, "sleep 30", 2)
    until("it runs", lambda: phases(privileged) == {"Running"})
    process.send_signal(signal.SIGKILL)
    process.wait(20)
    (pod,) = node_pods(privileged)

    answers(look_from("node-b", privileged))
    assert [each["metadata"]["uid"] for each in node_pods(privileged)] == [pod["metadata"]["uid"]]

    assert pod["spec"]["activeDeadlineSeconds"] == 62
    until("it is over", lambda: phases(privileged) <= {"Succeeded", "Failed"}, 30)
    answers(look_from("node-b", privileged))
    assert node_pods(privileged) == []
