"""A user who has no home, as in a container whose user number is in no /etc/passwd: one receipt does."""

import os
from pathlib import Path

import pytest

from kubectl_grpclb.model.errors import RefusedError
from tests.change.acts import Listener, fix, rollback
from tests.change.test_rollback import BEFORE, RECEIPT
from tests.fake_workshop import FakeWorkshop


@pytest.fixture(autouse=True)
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's home."""
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_294_967_000)


def test_a_fix_keeps_its_receipt_in_the_cluster_alone(shop: FakeWorkshop) -> None:
    talk = Listener()

    fix(shop, talk)

    assert "wrote the receipt to ConfigMap/greeter-grpclb\n" in talk.text


def test_a_fix_of_a_user_without_a_home_writes_to_the_place_that_is_given(
    shop: FakeWorkshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "given"))
    talk = Listener()

    fix(shop, talk)

    assert f"wrote the receipt to {tmp_path}/given/kubectl-grpclb/receipts/" in talk.text


def test_a_rollback_needs_no_more_than_that(shop: FakeWorkshop) -> None:
    shop.reconnect = True
    fix(shop)
    shop.revive()

    rollback(shop)

    assert shop.service["spec"] == BEFORE
    assert shop.ours == []


def test_a_receipt_that_the_cluster_lost_is_nowhere_else(shop: FakeWorkshop) -> None:
    fix(shop)
    shop.revive()
    shop.api.held.pop(RECEIPT)

    with pytest.raises(RefusedError, match=r"the receipt that says how it was before .* does not exist"):
        rollback(shop)
