"""Looks from nodes: what the pod is, what keeps it from running, and that it is gone however the look ends."""

import asyncio
from datetime import timedelta

import pytest

from kubectl_grpclb.change.node_look import LABELS, look_from_node
from kubectl_grpclb.flows.deeper import DeepCluster
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.look import LOOK, RUN_LABEL
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.snapshot import (
    Answer,
    Exec,
    Get,
    LookFromNode,
    Objects,
    OpenUp,
    Output,
    Refused,
    Request,
)
from kubectl_grpclb.model.write import Delete, Denied, Insert
from tests.change.looking import IMAGE, REQUEST, Looking, leave, left, looked, refused
from tests.fake_workshop import FakeWorkshop
from tests.shop import PODS
from tests.virtual_time import run

SECURITY = 'pods "grpclb-node-look-1" is forbidden: violates PodSecurity "baseline:latest": host namespaces'


@pytest.fixture
def shop() -> Looking:
    return Looking()


def inserted(shop: FakeWorkshop) -> Manifest:
    (manifest,) = [write.manifest for write in shop.writes if isinstance(write, Insert)]
    return manifest


def test_the_command_is_run_and_the_pod_deleted(shop: Looking) -> None:
    answer = looked(shop)

    assert isinstance(answer, Output)
    assert answer.stdout.text == "#grpclb over\n"
    (ran,) = [each for each in shop.requests if isinstance(each, Exec)]
    assert (ran.namespace, ran.command, ran.seconds) == ("shop", REQUEST.command, 24.5)
    assert [type(write) for write in shop.writes] == [Insert, Delete]
    assert left(shop) == []


def test_the_pod_has_no_right_but_to_see_the_nodes_processes(shop: Looking) -> None:
    looked(shop)

    spec = inserted(shop)["spec"]
    (container,) = spec.pop("containers")
    assert spec == {
        "nodeName": "node-a",
        "hostPID": True,
        "restartPolicy": "Never",
        "activeDeadlineSeconds": 85,
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "tolerations": [{"operator": "Exists"}],
    }
    assert container["command"] == ["sh", "-c", "sleep 35"]
    assert container["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert LABELS.items() < inserted(shop)["metadata"]["labels"].items()


def test_every_look_has_a_pod_of_its_own(shop: Looking) -> None:
    looked(shop)
    looked(shop)

    runs = {write.manifest["metadata"]["labels"][RUN_LABEL] for write in shop.writes if isinstance(write, Insert)}
    assert len(runs) == 2


def test_the_look_of_a_server_is_what_its_own_look_would_be(shop: Looking) -> None:
    shop.prints = None
    uid = shop.api.held["pods", "shop", PODS[0]]["metadata"]["uid"]

    answer = looked(shop, LookFromNode("shop", "node-a", IMAGE, ("sh", "-c", "true", "grpclb", "5", uid), 25))

    assert isinstance(answer, Output)
    assert answer.stdout.text.startswith(f"#grpclb pod {uid}\n#grpclb script 1\n")


@pytest.mark.parametrize(
    "lacking", [("create", "pods"), ("delete", "pods"), ("list", "pods"), ("create", "pods/exec"), ("get", "pods/exec")]
)
def test_who_may_not_learns_the_rule_that_is_lacking(shop: Looking, lacking: tuple[str, str]) -> None:
    shop.forbidden.add(lacking)

    answer = refused(shop)

    assert answer.reason is GapReason.FORBIDDEN
    assert f"you may not {' '.join(lacking)} there; nothing was changed" in answer.message
    assert answer.message.endswith(f'apiGroups: [""], resources: ["{lacking[1]}"], verbs: ["{lacking[0]}"]')
    assert shop.writes == []


def test_a_namespace_that_admits_no_such_pod_is_told_with_the_way_out(shop: Looking) -> None:
    shop.denies["Pod"] = Denied(403, GapReason.FORBIDDEN, SECURITY)

    answer = refused(shop)

    assert (answer.reason, answer.status) == (GapReason.FORBIDDEN, 403)
    assert "--node-namespace NAMESPACE" in answer.message
    assert "privileged" in answer.message


def test_another_refusal_is_told_in_the_clusters_words(shop: Looking) -> None:
    shop.denies["Pod"] = Denied(403, GapReason.FORBIDDEN, "exceeded quota: compute")

    answer = refused(shop)

    assert "exceeded quota" in answer.message
    assert "--node-namespace" not in answer.message


@pytest.mark.parametrize(
    ("state", "reason", "says"),
    [
        ({"waiting": {"reason": "ImagePullBackOff"}}, GapReason.DIED, f"image {IMAGE}"),
        ({"terminated": {"reason": "StartError"}}, GapReason.DIED, "does it have sh and sleep?"),
        ({"waiting": {"reason": "ContainerCreating"}}, GapReason.TIMED_OUT, "within 60 s"),
    ],
)
def test_a_pod_that_does_not_run_is_told_and_deleted(
    shop: Looking, state: Manifest, reason: GapReason, says: str
) -> None:
    shop.states = {IMAGE: state}

    answer = refused(shop)

    assert answer.reason is reason
    assert says in answer.message
    assert left(shop) == []


def test_a_node_that_is_full_is_told(shop: Looking) -> None:
    shop.phases = {"node-a": {"phase": "Failed", "reason": "OutOfpods"}}

    assert "OutOfpods" in refused(shop).message
    assert left(shop) == []


def test_a_pod_that_somebody_deletes_is_told(shop: Looking) -> None:
    shop.states = {IMAGE: {"waiting": {"reason": "ContainerCreating"}}}

    async def pause(_: float) -> None:
        for name in left(shop):
            shop.api.held.pop(("pods", "shop", name))

    answer = run(look_from_node(shop, REQUEST, pause=pause)).answer

    assert isinstance(answer, Refused)
    assert "somebody deleted" in answer.message


async def cancelled(shop: FakeWorkshop, *seconds: float) -> None:
    """Cancel a look after a while, and again after another one."""
    look = asyncio.create_task(look_from_node(shop, REQUEST))
    for each in seconds:
        await asyncio.sleep(each)
        look.cancel()
    with pytest.raises(asyncio.CancelledError):
        await look


@pytest.mark.parametrize("seconds", [(1.0,), (3.0,), (5.0,), (1.0, 0.5), (5.0, 0.0)])
def test_a_look_that_is_interrupted_leaves_nothing(shop: Looking, seconds: tuple[float, ...]) -> None:
    shop.insert_seconds, shop.exec_seconds = 2.0, 5.0

    run(cancelled(shop, *seconds))

    assert left(shop) == []
    assert any(isinstance(write, Insert) for write in shop.writes)


def test_a_pod_of_which_nobody_knows_whether_it_was_made_is_deleted(shop: Looking) -> None:
    shop.lost = [Insert]

    with pytest.raises(ClusterError):
        run(look_from_node(shop, REQUEST))

    assert left(shop) == []


def test_a_deletion_that_is_not_answered_takes_nothing_from_the_look(shop: Looking) -> None:
    shop.lost = [Delete]

    assert isinstance(looked(shop), Output)


async def deeply(shop: FakeWorkshop, *requests: Request) -> list[Answer]:
    async with DeepCluster(shop) as cluster:
        assert (cluster.context, cluster.namespace) == ("kind-shop", "shop")
        readings = await asyncio.gather(*map(cluster.read, requests))
    return [reading.answer for reading in readings]


def test_a_deep_cluster_carries_out_every_request(shop: Looking) -> None:
    leave(shop, "over", "Succeeded", timedelta(minutes=1))

    answers = run(
        deeply(shop, OpenUp("shop", PODS[0], LOOK, IMAGE), REQUEST, REQUEST, Get("services", "greeter", "shop"))
    )

    assert [type(answer) for answer in answers] == [Objects, Output, Output, Objects]
    assert left(shop) == []


def test_a_deep_cluster_that_is_left_ends_what_is_at_work(shop: Looking) -> None:
    shop.exec_seconds = 1000.0

    async def leave_early() -> None:
        async with DeepCluster(shop) as cluster:
            reading = asyncio.ensure_future(cluster.read(REQUEST))
            await asyncio.sleep(5)
        with pytest.raises(asyncio.CancelledError):
            await reading

    run(leave_early())

    assert left(shop) == []
    assert any(isinstance(write, Delete) for write in shop.writes)
