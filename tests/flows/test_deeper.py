"""A cluster that opens pods up: one first, and the others only where that one runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kubectl_grpclb import cli
from kubectl_grpclb.flows.deeper import DeepCluster
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.look import LOOK
from kubectl_grpclb.model.snapshot import Answer, LookFromNode, Objects, OpenUp, Output, Refused, Request
from kubectl_grpclb.model.write import Delete, Denied, Insert, Outcome, PatchObject, Write
from tests.fake_cluster import printed
from tests.fake_workshop import FakeWorkshop
from tests.shop import PODS
from tests.virtual_time import run

IMAGE = "busybox:1.37.0"
PULLING: dict[str, Any] = {"waiting": {"reason": "ContainerCreating"}}
BACK_OFF: dict[str, Any] = {"waiting": {"reason": "ImagePullBackOff"}}


class Shop(FakeWorkshop):
    """A shop that remembers what is asked of permissions, and in which a write takes a second."""

    def __init__(self) -> None:
        super().__init__()
        self.prints = printed("#grpclb over\n")
        self.asked: list[tuple[str, str, str]] = []
        self.now = self.most = 0
        self.lost = 0
        """How many writes find no cluster."""

    async def may(self, verb: str, resource: str, namespace: str, name: str = "") -> bool | None:
        self.asked.append((verb, resource, namespace))
        await asyncio.sleep(0.1)
        return await super().may(verb, resource, namespace)

    async def write(self, write: Write) -> Outcome:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(1)
        self.now -= 1
        if self.lost:
            self.lost -= 1
            raise ClusterError("cannot reach the API server")
        return await super().write(write)

    @property
    def opened(self) -> list[str]:
        """The pods that were given a container."""
        return [write.name for write in self.writes if isinstance(write, PatchObject)]


@pytest.fixture
def shop() -> Shop:
    return Shop()


def requests(image: str = IMAGE) -> list[OpenUp]:
    return [OpenUp("shop", pod, LOOK, image) for pod in PODS]


def carried_out(shop: Shop, *asked: Request) -> list[Answer]:
    async def read() -> list[Answer]:
        async with DeepCluster(shop) as cluster:
            return [reading.answer for reading in await asyncio.gather(*map(cluster.read, asked))]

    return run(read())


def refusals(answers: list[Answer]) -> list[Refused]:
    assert all(isinstance(answer, Refused) for answer in answers), answers
    return [answer for answer in answers if isinstance(answer, Refused)]


def test_one_pod_is_opened_up_first_and_the_others_at_once(shop: Shop) -> None:
    answers = carried_out(shop, *requests())

    assert [type(answer) for answer in answers] == [Objects] * len(PODS)
    assert shop.opened == list(PODS)
    assert shop.most == len(PODS) - 1


@pytest.mark.parametrize(("state", "reason"), [(BACK_OFF, GapReason.DIED), (PULLING, GapReason.TIMED_OUT)])
def test_an_image_that_cannot_be_run_is_tried_in_one_pod_only(
    shop: Shop, state: dict[str, Any], reason: GapReason
) -> None:
    shop.states = {IMAGE: state}

    first, *others = refusals(carried_out(shop, *requests()))

    assert first.reason is reason
    assert shop.opened == [PODS[0]]
    assert others == [Refused(reason, f"not tried, since it failed in pod {PODS[0]}: {first.message}")] * (
        len(PODS) - 1
    )


def test_who_may_not_is_asked_once(shop: Shop) -> None:
    shop.forbidden.add(("patch", "pods/ephemeralcontainers"))

    answers = refusals(carried_out(shop, *requests()))

    assert [answer.reason for answer in answers] == [GapReason.FORBIDDEN] * len(PODS)
    assert shop.writes == []
    assert shop.asked == [("patch", "pods/ephemeralcontainers", "shop")]


def test_another_image_is_tried_by_itself(shop: Shop) -> None:
    shop.states = {"missing:1": BACK_OFF}

    answers = carried_out(shop, *requests("missing:1")[:2], requests()[2])

    assert [type(answer) for answer in answers] == [Refused, Refused, Objects]


def test_a_later_request_is_not_tried_either(shop: Shop) -> None:
    shop.states = {IMAGE: BACK_OFF}

    async def read() -> list[Answer]:
        async with DeepCluster(shop) as cluster:
            return [(await cluster.read(request)).answer for request in requests()]

    refusals(run(read()))

    assert shop.opened == [PODS[0]]


@pytest.mark.parametrize("goes", ["gone", "ends", "static"])
def test_what_is_wrong_with_one_pod_alone_says_nothing_of_the_others(shop: Shop, goes: str) -> None:
    key = ("pods", "shop", PODS[0])
    if goes == "gone":
        shop.api.held.pop(key)
    elif goes == "ends":
        shop.api.change(key, lambda held: held["metadata"].update(deletionTimestamp="2026-11-23T12:00:00Z"))
    else:
        shop.unchangeable[PODS[0]] = Denied(422, GapReason.DIED, "static pods do not support ephemeral containers")

    first, *others = carried_out(shop, *requests())

    assert isinstance(first, Refused)
    assert [type(answer) for answer in others] == [Objects] * (len(PODS) - 1)


def test_a_first_try_without_an_answer_lets_the_next_one_be_the_first(shop: Shop) -> None:
    shop.lost = 1

    async def read() -> list[Any]:
        async with DeepCluster(shop) as cluster:
            return await asyncio.gather(*map(cluster.read, requests()), return_exceptions=True)

    first, *others = run(read())

    assert isinstance(first, ClusterError)
    assert [type(each.answer) for each in others] == [Objects] * (len(PODS) - 1)


def test_who_waits_for_a_first_try_ends_with_the_cluster(shop: Shop) -> None:
    shop.states = {IMAGE: PULLING}

    async def leave_early() -> list[Any]:
        async with DeepCluster(shop) as cluster:
            readings = [asyncio.ensure_future(cluster.read(request)) for request in requests()]
            await asyncio.sleep(5)
        return await asyncio.gather(*readings, return_exceptions=True)

    assert [type(each) for each in run(leave_early())] == [asyncio.CancelledError] * len(PODS)
    assert shop.opened == [PODS[0]]


def test_each_permission_is_asked_for_once(shop: Shop) -> None:
    looks = [LookFromNode("shop", f"node-{name}", IMAGE, ("sh", "-c", "true"), 24.5) for name in "abc"]

    answers = carried_out(shop, *looks, *requests())

    assert [type(answer) for answer in answers] == [Output] * 3 + [Objects] * len(PODS)
    assert len(shop.asked) == len(set(shop.asked)) == 6


def test_a_permission_that_could_not_be_asked_for_is_asked_for_again(shop: Shop) -> None:
    answers = [ClusterError("cannot reach the API server")]
    may = shop.may

    async def fail_once(verb: str, resource: str, namespace: str, name: str = "") -> bool | None:
        if answers:
            raise answers.pop()
        return await may(verb, resource, namespace)

    shop.may = fail_once  # type: ignore[method-assign]

    async def read() -> Answer:
        async with DeepCluster(shop) as cluster:
            with pytest.raises(ClusterError):
                await cluster.read(requests()[0])
            return (await cluster.read(requests()[0])).answer

    assert isinstance(run(read()), Objects)


def test_a_pod_that_a_look_leaves_is_collected(shop: Shop) -> None:
    carry_out = shop.write

    async def refuse(write: Write) -> Outcome:
        return Denied(500, GapReason.DIED, "no") if isinstance(write, Delete) else await carry_out(write)

    shop.write = refuse  # type: ignore[method-assign]

    async def read() -> list[str]:
        async with DeepCluster(shop) as cluster:
            await cluster.read(LookFromNode("shop", "node-a", IMAGE, ("sh", "-c", "true"), 24.5))
        return cluster.left_behind

    (told,) = run(read())
    (name,) = [each.manifest["metadata"]["name"] for each in shop.writes if isinstance(each, Insert)]
    assert f"kubectl delete pod {name} -n shop" in told


@pytest.mark.parametrize("verbose", [[], ["-v"]])
def test_diagnose_tells_what_is_left_behind_after_its_report(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], verbose: list[str]
) -> None:
    carry_out = shop.write

    async def refuse(write: Write) -> Outcome:
        return Denied(500, GapReason.DIED, "no") if isinstance(write, Delete) else await carry_out(write)

    @asynccontextmanager
    async def connected(_: object) -> AsyncIterator[Shop]:
        yield shop

    shop.write = refuse  # type: ignore[method-assign]
    monkeypatch.setattr("kubectl_grpclb.change.node_look._TRY_AGAIN", 0.0)
    monkeypatch.setattr("kubectl_grpclb.cluster.kube.connect_to_change", connected)

    monkeypatch.setattr("gc.freeze", lambda: None)
    monkeypatch.setattr(
        "sys.argv", ["kubectl-grpclb", "diagnose", "greeter", "--via", "node", "--window", "0", *verbose]
    )

    with pytest.raises(SystemExit):
        cli.main()

    names = [each.manifest["metadata"]["name"] for each in shop.writes if isinstance(each, Insert)]
    told = capfd.readouterr().err
    assert names
    assert all(f"warning: the pod {name} is still there: kubectl delete pod {name} -n shop" in told for name in names)
