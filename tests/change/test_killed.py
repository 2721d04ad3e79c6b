"""`fix` and `rollback`, killed after every single change that they make, and run again."""

import os
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest

from kubectl_grpclb.model.bundle import bundle_of
from tests.change.acts import fix, killed, receipt_of, rollback
from tests.fake_workshop import FakeWorkshop

BEFORE = FakeWorkshop().service["spec"]


def changes(*, rolling_back: bool = False) -> int:
    """Count the changes that a `fix` makes, or the `rollback` after it."""
    shop = FakeWorkshop()
    with TemporaryDirectory() as state, patch.dict(os.environ, XDG_STATE_HOME=state):
        fix(shop)
        fixing = len(shop.changes)
        rollback(shop)
    return len(shop.changes) - fixing if rolling_back else fixing


OF_A_FIX = range(1, changes() + 1)
OF_A_ROLLBACK = range(1, changes(rolling_back=True) + 1)


@pytest.fixture
def fixed() -> FakeWorkshop:
    """The shop after a fix that nothing disturbed."""
    shop = FakeWorkshop()
    fix(shop)
    shop.revive()
    return shop


@pytest.mark.parametrize("after", OF_A_FIX)
def test_a_fix_that_was_killed_is_finished_by_the_next_one(shop: FakeWorkshop, fixed: FakeWorkshop, after: int) -> None:
    killed(fix, shop, after)

    fix(shop)

    assert shop.service["spec"] == fixed.service["spec"]
    assert shop.bundle == fixed.bundle
    assert receipt_of(shop).step == "done"
    assert receipt_of(shop).original == BEFORE


@pytest.mark.parametrize("after", OF_A_FIX[:-2])
def test_the_lease_of_a_fix_that_was_killed_half_way_is_taken_over_and_given_back(
    shop: FakeWorkshop, after: int
) -> None:
    killed(fix, shop, after)

    fix(shop)

    assert ("leases", "greeter-grpclb") not in shop.ours


@pytest.mark.parametrize("after", OF_A_FIX)
def test_a_fix_that_was_killed_is_undone_by_rollback_alone(shop: FakeWorkshop, after: int) -> None:
    killed(fix, shop, after)

    rollback(shop)

    assert shop.service["spec"] == BEFORE
    assert shop.ours == []


@pytest.mark.parametrize("after", OF_A_FIX)
def test_a_fix_that_was_killed_finished_and_rolled_back_leaves_nothing(shop: FakeWorkshop, after: int) -> None:
    killed(fix, shop, after)

    fix(shop)
    rollback(shop)

    assert shop.service["spec"] == BEFORE
    assert shop.ours == []


@pytest.mark.parametrize("after", OF_A_ROLLBACK)
def test_a_rollback_that_was_killed_is_finished_by_the_next_one(fixed: FakeWorkshop, after: int) -> None:
    killed(rollback, fixed, after)

    rollback(fixed)

    assert fixed.service["spec"] == BEFORE
    assert fixed.ours == []


@pytest.mark.parametrize("after", OF_A_ROLLBACK)
def test_a_rollback_that_was_killed_leaves_a_service_that_can_be_fixed_again(fixed: FakeWorkshop, after: int) -> None:
    spec = fixed.service["spec"]
    killed(rollback, fixed, after)

    fix(fixed)

    assert fixed.service["spec"] == spec
    assert fixed.leads_to_envoy
    assert receipt_of(fixed).original == BEFORE


def test_killing_covers_the_first_change_the_cut_over_and_the_last_one(shop: FakeWorkshop) -> None:
    fix(shop)

    kinds = [type(write).__name__ for write in shop.changes]
    assert kinds[0] == "Insert"
    assert "PatchObject" in kinds
    assert kinds[-1] == "Delete"
    assert shop.changes[-1].resource == "leases"  # type: ignore[union-attr] # a Delete
    assert shop.changes[-1].name == bundle_of("greeter").receipt  # type: ignore[union-attr] # a Delete
