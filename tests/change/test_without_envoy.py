"""A cure without Envoy, a change of the Service or a headless one beside it, where it fails or is interrupted."""

import asyncio
from pathlib import Path

import pytest

from kubectl_grpclb.flows.verify import verify
from kubectl_grpclb.model.errors import RefusedError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.write import Denied, Outcome, Write
from tests.change.acts import ASK, fix, fixing, rollback
from tests.fake_workshop import FakeWorkshop
from tests.virtual_time import run

FORBIDDEN = Denied(403, GapReason.FORBIDDEN, 'admission webhook "services.example.com" denied the request')
RECEIPT, PATCH, DONE = 2, 4, 5
"""The numbers of the changes; in between, the receipt is told that all is staged."""


@pytest.fixture
def pinned(shop: FakeWorkshop) -> FakeWorkshop:
    """The shop, where session affinity holds all connections in one place."""
    shop.pinned = True
    affinity = {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}}}
    shop.change_service(lambda held: held["spec"].update(affinity))
    return shop


def slow(shop: FakeWorkshop, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let the change of this number take 3 s."""
    write = shop.write

    async def wait(each: Write) -> Outcome:
        if len(shop.changes) + 1 == number:
            await asyncio.sleep(3)
        return await write(each)

    monkeypatch.setattr(shop, "write", wait)


def test_a_change_that_is_refused_leaves_no_receipt(pinned: FakeWorkshop, state: Path) -> None:
    pinned.unchangeable["greeter"] = FORBIDDEN

    with pytest.raises(RefusedError, match=r"(?s)services\.example\.com.*\nThe Service is as it was before"):
        fix(pinned, strategy="auto")

    assert pinned.ours == []
    assert list(state.rglob("*.json")) == []
    with pytest.raises(RefusedError, match="no fix of Service greeter is recorded"):
        run(verify(pinned, ASK))


@pytest.mark.parametrize("number", [RECEIPT, PATCH, DONE], ids=["receipt", "patch", "done"])
def test_a_change_that_is_interrupted_is_taken_back(
    pinned: FakeWorkshop, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    before = pinned.service["spec"]
    slow(pinned, monkeypatch, number)

    with pytest.raises(TimeoutError):
        run(asyncio.wait_for(fixing(pinned, strategy="auto"), timeout=1))

    assert pinned.service["spec"] == before
    assert pinned.ours == []


def test_a_headless_service_whose_making_is_interrupted_is_removed(
    shop: FakeWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow(shop, monkeypatch, 3)

    with pytest.raises(TimeoutError):
        run(asyncio.wait_for(fixing(shop, strategy="headless"), timeout=1))

    assert shop.ours == []


def test_a_change_whose_answer_is_lost_is_taken_back(pinned: FakeWorkshop) -> None:
    before = pinned.service["spec"]

    def lose() -> None:
        pinned._silent = True
        asyncio.get_running_loop().call_later(1, lambda: setattr(pinned, "_silent", False))

    pinned.before[PATCH] = lose

    with pytest.raises(RefusedError, match=r"(?s)could not reach the cluster.*The Service is as it was before"):
        fix(pinned, strategy="auto")

    assert pinned.service["spec"] == before
    assert pinned.ours == []


def test_a_change_that_is_made_is_taken_back_by_rollback(pinned: FakeWorkshop) -> None:
    before = pinned.service["spec"]
    fix(pinned, strategy="auto")

    rollback(pinned)

    assert pinned.service["spec"] == before
