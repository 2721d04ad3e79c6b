"""Looks from nodes: what the pod is, what keeps it from running, and that it is gone however the look ends."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from kubectl_grpclb.change.leftovers import remove_leftovers
from kubectl_grpclb.change.node_look import LABELS, look_from_node
from kubectl_grpclb.flows.deeper import DeepCluster
from kubectl_grpclb.model.command import ClusterFlags
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
    Reading,
    Refused,
    Request,
)
from kubectl_grpclb.model.write import Delete, Denied, Insert, Outcome, Write
from tests.fake_cluster import printed
from tests.fake_workshop import FakeWorkshop
from tests.shop import PODS
from tests.virtual_time import run

IMAGE = "busybox:1.37.0"
REQUEST = LookFromNode("shop", "node-a", IMAGE, ("sh", "-c", "true", "grpclb", "5", "uid-1"), 24.5)
SECURITY = 'pods "grpclb-node-look-1" is forbidden: violates PodSecurity "baseline:latest": host namespaces'


class Looking(FakeWorkshop):
    """A shop in which a look takes a while, or fails."""

    def __init__(self) -> None:
        super().__init__()
        self.prints = printed("#grpclb over\n")
        self.exec_seconds = 0.0
        self.insert_seconds = 0.0
        self.lost: list[type[Write]] = []
        """Kinds of writes to whose next one no answer comes, although it is carried out."""

    async def read(self, request: Request) -> Reading:
        if isinstance(request, Exec):
            await asyncio.sleep(self.exec_seconds)
        return await super().read(request)

    async def write(self, write: Write) -> Outcome:
        if isinstance(write, Insert):
            await asyncio.sleep(self.insert_seconds)
        outcome = await super().write(write)
        if type(write) in self.lost:
            self.lost.remove(type(write))
            raise ClusterError("cannot reach the API server: no answer within 15 s")
        return outcome


@pytest.fixture
def shop() -> Looking:
    return Looking()


def left(shop: FakeWorkshop) -> list[str]:
    """The pods of looks that are there."""
    return [key[2] for key in shop.api.held if key[0] == "pods" and key[2].startswith("grpclb-node-look-")]


def looked(shop: FakeWorkshop, request: LookFromNode = REQUEST) -> Answer:
    reading = run(look_from_node(shop, request))
    assert reading.request == request
    return reading.answer


def refused(shop: FakeWorkshop) -> Refused:
    answer = looked(shop)
    assert isinstance(answer, Refused), answer
    return answer


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
        ({"terminated": {"reason": "StartError"}}, GapReason.DIED, "has it a sh"),
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


def undeletable(shop: Looking, times: int, denied: Denied | None = None) -> None:
    """Refuse so many deletions of a look's pod, or give no answer to them."""
    carry_out = shop.write
    left_to_refuse = [denied] * times

    async def refuse(write: Write) -> Outcome:
        if isinstance(write, Delete) and left_to_refuse:
            shop.writes.append(write)
            refusal = left_to_refuse.pop()
            if refusal is None:
                raise ClusterError("cannot reach the API server")
            return refusal
        return await carry_out(write)

    shop.write = refuse  # type: ignore[method-assign]  # the fake with one method that fails


def deletions(shop: Looking) -> int:
    return sum(isinstance(write, Delete) for write in shop.writes)


@pytest.mark.parametrize("denied", [Denied(500, GapReason.DIED, "etcdserver: leader changed"), None])
def test_a_deletion_that_fails_is_tried_again(shop: Looking, denied: Denied | None) -> None:
    undeletable(shop, 2, denied)
    told: list[str] = []

    answer = run(look_from_node(shop, REQUEST, tell=told.append)).answer

    assert isinstance(answer, Output)
    assert (answer.detail, told, left(shop)) == ("", [], [])
    assert deletions(shop) == 3


@pytest.mark.parametrize("denied", [Denied(403, GapReason.FORBIDDEN, "a webhook said no"), None])
def test_a_pod_that_stays_is_told_with_the_way_to_delete_it(shop: Looking, denied: Denied | None) -> None:
    undeletable(shop, 99, denied)
    told: list[str] = []

    answer = run(look_from_node(shop, REQUEST, tell=told.append)).answer

    (name,) = left(shop)
    assert isinstance(answer, Output)
    assert (answer.stdout.text, answer.gap) == ("#grpclb over\n", None)
    assert answer.detail == (
        f"the pod {name} is still there: kubectl delete pod {name} -n shop; it ends by itself within 85 s"
    )
    assert told == [answer.detail]
    assert deletions(shop) == 3


def test_the_way_to_delete_a_pod_that_stays_is_the_same_clusters(shop: Looking) -> None:
    undeletable(shop, 99, Denied(403, GapReason.FORBIDDEN, "a webhook said no"))
    told: list[str] = []

    run(look_from_node(shop, REQUEST, tell=told.append, flags=ClusterFlags(context="staging")))

    assert f"kubectl delete pod {left(shop)[0]} -n shop --context staging; " in told[0]


def test_a_pod_that_stays_is_told_also_where_the_look_came_to_nothing(shop: Looking) -> None:
    shop.states = {IMAGE: {"waiting": {"reason": "ImagePullBackOff"}}}
    undeletable(shop, 99, Denied(500, GapReason.DIED, "etcdserver: leader changed"))

    answer = refused(shop)

    assert answer.reason is GapReason.DIED
    assert IMAGE in answer.message
    assert f"kubectl delete pod {left(shop)[0]} -n shop" in answer.message


def test_a_pod_that_stays_is_told_also_where_the_look_is_interrupted(shop: Looking) -> None:
    shop.exec_seconds = 100.0
    undeletable(shop, 99, Denied(500, GapReason.DIED, "etcdserver: leader changed"))

    async def leave_early() -> list[str]:
        async with DeepCluster(shop) as cluster:
            reading = asyncio.ensure_future(cluster.read(REQUEST))
            await asyncio.sleep(5)
        await asyncio.gather(reading, return_exceptions=True)
        return cluster.left_behind

    (told,) = run(leave_early())
    assert left(shop)[0] in told


@pytest.mark.parametrize("status", [404, 409])
def test_a_pod_that_somebody_else_deleted_is_gone(shop: Looking, status: int) -> None:
    undeletable(shop, 99, Denied(status, GapReason.DIED, "not found"))

    answer = looked(shop)

    assert isinstance(answer, Output)
    assert (answer.detail, deletions(shop)) == ("", 1)


def test_a_deletion_that_hangs_is_given_up_and_told(shop: Looking) -> None:
    carry_out = shop.write

    async def hang(write: Write) -> Outcome:
        if isinstance(write, Delete):
            await asyncio.sleep(1000)
        return await carry_out(write)

    shop.write = hang  # type: ignore[method-assign]  # the fake with one method that fails

    answer = looked(shop)

    assert isinstance(answer, Output)
    assert "is still there" in answer.detail


def leave(shop: FakeWorkshop, name: str, phase: str, age: timedelta, **labels: str) -> None:
    """Have a pod of a look, so old."""
    created = (datetime.now(UTC) - age).isoformat(timespec="seconds")
    shop.api.put(
        "pods",
        {
            "metadata": {
                "name": f"grpclb-node-look-{name}",
                "namespace": "shop",
                "labels": {**LABELS, **labels},
                "creationTimestamp": created,
            },
            "spec": {"nodeName": "node-a", "activeDeadlineSeconds": 85},
            "status": {"phase": phase, "conditions": []},
        },
    )


def test_what_a_killed_process_left_is_deleted_when_it_is_over(shop: Looking) -> None:
    leave(shop, "over", "Succeeded", timedelta(minutes=1))
    leave(shop, "ended", "Failed", timedelta(minutes=2))
    leave(shop, "stuck", "Pending", timedelta(minutes=10))

    assert run(remove_leftovers(shop, "shop")) == 3
    assert left(shop) == []


def test_somebody_elses_look_goes_on(shop: Looking) -> None:
    leave(shop, "running", "Running", timedelta(seconds=84))
    leave(shop, "starting", "Pending", timedelta(seconds=1))
    leave(shop, "other", "Failed", timedelta(minutes=2), **{"grpclb/purpose": "something-else"})

    assert run(remove_leftovers(shop, "shop")) == 0
    assert len(left(shop)) == 3


def test_leftovers_that_may_not_be_listed_stay(shop: Looking) -> None:
    shop.failing["pods"] = 1

    assert run(remove_leftovers(shop, "shop")) == 0


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
