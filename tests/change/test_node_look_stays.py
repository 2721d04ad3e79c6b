"""Pods of looks from nodes that cannot be deleted, or that a killed process left."""

import asyncio
from datetime import timedelta

import pytest

from kubectl_grpclb.change.leftovers import remove_leftovers
from kubectl_grpclb.change.node_look import look_from_node
from kubectl_grpclb.flows.deeper import DeepCluster
from kubectl_grpclb.model.command import ClusterFlags
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import (
    Output,
)
from kubectl_grpclb.model.write import Delete, Denied, Outcome, Write
from tests.change.looking import IMAGE, REQUEST, Looking, leave, left, looked, refused
from tests.virtual_time import run


@pytest.fixture
def shop() -> Looking:
    return Looking()


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
        f"the pod {name} is still there: kubectl delete pod {name} -n shop; it exits by itself within 85 s"
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
