"""A change that is carried out late: after an interruption, after an error, after the connection broke."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from kubectl_grpclb.model.errors import ClusterError, GrpclbError, RefusedError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.write import Apply, Delete, Denied, Outcome, PatchObject, Write
from tests.change.acts import fixing, receipt_of, rollback
from tests.fake_workshop import FakeWorkshop
from tests.virtual_time import run

BEFORE = FakeWorkshop().service["spec"]
TIMED_OUT = Denied(504, GapReason.TIMED_OUT, "Timeout: request did not complete within requested timeout")
RESET = ClusterError("cannot reach the API server: the connection broke (connection reset by peer)")


class LateShop(FakeWorkshop):
    """A shop whose API server takes its time for one change."""

    def __init__(self) -> None:
        super().__init__()
        self.late: Callable[[Write], bool] = lambda _: False
        """Which change: the first that is so."""
        self.delay = 3.0
        """Seconds that it takes."""
        self.says: Denied | ClusterError | None = None
        """What is answered meanwhile; nothing where it is waited for."""
        self.begun = asyncio.Event()
        self._at_it: list[asyncio.Task[Outcome]] = []

    async def write(self, write: Write) -> Outcome:
        if self._at_it or not self.late(write):
            return await super().write(write)
        self._at_it.append(asyncio.ensure_future(self._carried_out(write)))
        self.begun.set()
        if isinstance(self.says, ClusterError):
            raise self.says
        return self.says if self.says is not None else await asyncio.shield(self._at_it[0])

    async def _carried_out(self, write: Write) -> Outcome:
        await asyncio.sleep(self.delay)
        return await super().write(write)


@pytest.fixture
def shop() -> LateShop:
    """The Service `greeter`, whose callers stick to one of three servers."""
    return LateShop()


def is_cut_over(write: Write) -> bool:
    return isinstance(write, PatchObject) and write.resource == "services"


def is_apply_of(kind: str) -> Callable[[Write], bool]:
    return lambda write: isinstance(write, Apply) and write.manifest["kind"] == kind


def is_first_receipt(write: Write) -> bool:
    return isinstance(write, Apply) and write.manifest["metadata"]["name"] == "greeter-grpclb"


async def interrupted(shop: LateShop, flow: Coroutine[Any, Any, Any]) -> None:
    """Press Ctrl-C while the late change is asked for, and come back long after everything."""
    task = asyncio.ensure_future(flow)
    await shop.begun.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(60)


async def failing(flow: Coroutine[Any, Any, Any]) -> str:
    """Come back long after everything with what the user is told."""
    with pytest.raises(GrpclbError) as caught:
        await flow
    await asyncio.sleep(60)
    return str(caught.value)


def test_a_cut_over_that_is_interrupted_while_it_is_made_is_put_back(shop: LateShop) -> None:
    shop.late = is_cut_over

    run(interrupted(shop, fixing(shop)))

    assert shop.service["spec"] == BEFORE
    assert shop.ours == []


@pytest.mark.parametrize("says", [TIMED_OUT, RESET], ids=["504", "reset"])
@pytest.mark.parametrize("delay", [0.0, 0.5, 3.0, 40.0])
def test_a_cut_over_that_comes_after_its_failure_leads_nobody_to_envoys_that_are_gone(
    shop: LateShop, says: Denied | ClusterError, delay: float
) -> None:
    shop.late, shop.says, shop.delay = is_cut_over, says, delay

    run(failing(fixing(shop)))

    assert shop.service["spec"] == BEFORE
    assert shop.service["metadata"].get("annotations", {}) == {}
    assert shop.ours == []


def test_a_cut_over_without_an_answer_that_is_interrupted_is_kept_from_coming_late(shop: LateShop) -> None:
    shop.late, shop.delay = is_cut_over, 40.0

    run(interrupted(shop, fixing(shop)))

    assert shop.service["spec"] == BEFORE
    assert shop.ours == []


def test_a_service_that_is_not_in_doubt_is_not_written_to(shop: LateShop) -> None:
    shop.loses.add("grpc")

    run(failing(fixing(shop)))

    assert [each for each in shop.changes if isinstance(each, PatchObject)] == []


def test_where_a_late_cut_over_cannot_be_kept_away_what_it_would_lead_to_is_left(shop: LateShop) -> None:
    shop.late, shop.says, shop.delay = is_cut_over, TIMED_OUT, 40.0
    shop.unchangeable["greeter"] = Denied(403, GapReason.FORBIDDEN, 'services "greeter" is forbidden')

    said = run(failing(fixing(shop)))

    assert "cannot tell whether Service/greeter was changed" in said
    assert ("deployments", "greeter-grpclb-envoy") in shop.ours
    assert receipt_of(shop).step == "checked"


@pytest.mark.parametrize("kind", ["Service", "ConfigMap", "Deployment", "PodDisruptionBudget"])
def test_an_object_whose_making_is_interrupted_is_removed_with_the_others(shop: LateShop, kind: str) -> None:
    shop.late = is_apply_of(kind)

    run(interrupted(shop, fixing(shop)))

    assert shop.service["spec"] == BEFORE
    assert shop.ours == []


def test_a_receipt_whose_writing_is_interrupted_is_removed(shop: LateShop) -> None:
    shop.late = is_first_receipt

    run(interrupted(shop, fixing(shop)))

    assert shop.ours == []


@pytest.mark.parametrize("says", [TIMED_OUT, RESET], ids=["504", "reset"])
@pytest.mark.parametrize("kind", ["Service", "Deployment", "PodDisruptionBudget"])
def test_an_object_that_comes_after_its_failure_is_removed_all_the_same(
    shop: LateShop, kind: str, says: Denied | ClusterError
) -> None:
    shop.late, shop.says = is_apply_of(kind), says

    run(failing(fixing(shop)))

    assert shop.ours == []


def test_a_service_that_somebody_leads_to_envoy_while_that_ends_keeps_what_is_left_and_the_receipt(
    shop: LateShop,
) -> None:
    run(fixing(shop, recycle="clients"))
    fixed = shop.service["spec"]
    carry_out = shop.api.carry_out

    def lead_back(write: Write) -> Outcome:
        if isinstance(write, Delete) and write.resource == "deployments":
            shop.change_service(lambda held: held.update(spec=fixed))
        return carry_out(write)

    shop.api.carry_out = lead_back  # type: ignore[method-assign] # somebody else is at work

    with pytest.raises(RefusedError, match=r"leads to greeter-grpclb-envoy again, which is gone.*rollback greeter"):
        rollback(shop)

    assert ("configmaps", "greeter-grpclb") in shop.ours
