"""The Lease: one `fix` or `rollback` at a time, and none for ever."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from kubectl_grpclb.change.lease import LEASE_SECONDS, holding
from kubectl_grpclb.change.receipts import Journal
from kubectl_grpclb.model.bundle import bundle_of
from kubectl_grpclb.model.errors import ClusterError, RefusedError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.write import Delete, Denied, Insert, Outcome, Replace, Write
from tests.change.acts import Listener, fix, fixing, killed, receipt_of, rollback
from tests.fake_workshop import FakeWorkshop
from tests.virtual_time import run

BUNDLE = bundle_of("greeter")
LEASE = ("leases", "shop", "greeter-grpclb")


async def while_held(shop: FakeWorkshop, act: Awaitable[Any]) -> Any:
    """Do something while another process holds the Lease and renews it."""
    async with holding(shop, "shop", BUNDLE, Listener().say):
        return await act


async def hold(shop: FakeWorkshop, seconds: float) -> None:
    """Hold the Lease for a while, and see at the end whether it is still held."""
    async with holding(shop, "shop", BUNDLE, Listener().say) as held:
        await asyncio.sleep(seconds)
        held.check()


def snatch(shop: FakeWorkshop) -> None:
    """Let somebody else take the Lease over."""
    shop.api.change(LEASE, lambda held: held["spec"].update(holderIdentity="ci-7 process 4711 ab12cd"))


def test_a_second_fix_is_refused_while_the_first_renews(shop: FakeWorkshop) -> None:
    with pytest.raises(RefusedError, match="another `fix` or `rollback` of this Service is running"):
        run(while_held(shop, fixing(shop)))

    assert shop.ours == []


def test_the_holder_is_named(shop: FakeWorkshop) -> None:
    talk = Listener()

    with pytest.raises(RefusedError):
        run(while_held(shop, fixing(shop, talk)))

    assert "process" in talk.text
    assert f"waiting {LEASE_SECONDS} s" in talk.text


def test_a_lease_that_nobody_renews_is_taken_over(shop: FakeWorkshop) -> None:
    killed(fix, shop, after=1)

    fix(shop)

    assert shop.leads_to_envoy
    assert LEASE not in shop.api.held


def test_a_lease_that_is_held_is_renewed_before_it_ends(shop: FakeWorkshop) -> None:
    run(hold(shop, 60))

    renewals = [each for each in shop.writes if isinstance(each, Replace)]
    assert len(renewals) >= 60 / LEASE_SECONDS


def test_a_lease_is_deleted_at_the_end(shop: FakeWorkshop) -> None:
    run(hold(shop, 1))

    assert LEASE not in shop.api.held


def test_a_lease_is_deleted_after_an_error_too(shop: FakeWorkshop) -> None:
    async def fail() -> None:
        raise RefusedError("the stage was refused")

    with pytest.raises(RefusedError, match="the stage was refused"):
        run(while_held(shop, fail()))

    assert LEASE not in shop.api.held


def test_an_error_is_not_hidden_by_a_lease_that_cannot_be_deleted(shop: FakeWorkshop) -> None:
    async def fail() -> None:
        shop.silent_after = 1
        raise ClusterError("after the step `staged`")

    with pytest.raises(ClusterError, match="after the step `staged`"):
        run(while_held(shop, fail()))


def test_a_holder_whose_lease_somebody_took_over_may_change_nothing_more(shop: FakeWorkshop) -> None:
    shop.before[2] = lambda: snatch(shop)

    with pytest.raises(RefusedError, match="has taken over the Lease"):
        run(hold(shop, 5))

    assert [each for each in shop.writes if isinstance(each, Delete)] == []
    assert shop.api.held[LEASE]["spec"]["holderIdentity"] == "ci-7 process 4711 ab12cd"


def test_a_holder_that_cannot_renew_stops_before_another_may_begin(shop: FakeWorkshop) -> None:
    shop.silent_after = 1

    async def held_in_silence() -> None:
        with pytest.raises(ClusterError):
            async with holding(shop, "shop", BUNDLE, Listener().say):
                raise AssertionError("the insert's answer was lost")
        shop.silent_after, shop._silent = None, False
        shop.api.held.pop(LEASE)
        async with holding(shop, "shop", BUNDLE, Listener().say) as held:
            shop._silent = True
            await asyncio.sleep(LEASE_SECONDS + 1)
            held.check()

    with pytest.raises(RefusedError, match="could not be renewed for 10 s"):
        run(held_in_silence())


def answer_late(shop: FakeWorkshop, monkeypatch: pytest.MonkeyPatch, kind: type[Write], seconds: float) -> None:
    """Let the answer to each of these writes take so long; it is carried out at once."""
    write = shop.write

    async def late(each: Write) -> Outcome:
        outcome = await write(each)
        await asyncio.sleep(seconds if isinstance(each, kind) else 0)
        return outcome

    monkeypatch.setattr(shop, "write", late)


@pytest.mark.parametrize("kind", [Insert, Replace])
def test_a_lease_whose_renewal_is_answered_late_counts_from_when_it_was_asked_for(
    shop: FakeWorkshop, monkeypatch: pytest.MonkeyPatch, kind: type[Write]
) -> None:
    answer_late(shop, monkeypatch, kind, LEASE_SECONDS + 1)

    with pytest.raises(RefusedError, match="could not be renewed for 10 s"):
        run(hold(shop, 15 if kind is Replace else 0))


def test_a_fix_whose_lease_is_taken_over_before_the_cut_over_leaves_the_service_alone(shop: FakeWorkshop) -> None:
    before = shop.service["spec"]
    shop.waiting = {"reason": "ContainerCreating"}
    shop.before[8] = lambda: snatch(shop)

    with pytest.raises(RefusedError):
        fix(shop)

    assert shop.service["spec"] == before
    assert shop.api.held[LEASE]["spec"]["holderIdentity"] == "ci-7 process 4711 ab12cd"


def test_a_lease_of_something_else_is_left_alone(shop: FakeWorkshop) -> None:
    theirs = {"metadata": {"name": "greeter-grpclb", "namespace": "shop"}, "spec": {"holderIdentity": "elector"}}
    shop.api.put("leases", theirs)

    with pytest.raises(RefusedError, match="the Lease greeter-grpclb is not that of a fix of Service greeter"):
        rollback(shop)

    assert shop.api.held[LEASE]["spec"]["holderIdentity"] == "elector"


def test_a_dead_holders_lease_that_may_not_be_taken_over_is_said_so(
    shop: FakeWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = {"grpclb/service": "greeter"}
    metadata = {"name": "greeter-grpclb", "namespace": "shop", "labels": labels}
    shop.api.put("leases", {"metadata": metadata, "spec": {"holderIdentity": "dead"}})
    carry_out = shop.write

    async def refuse(write: Write) -> Outcome:
        denied = Denied(403, GapReason.FORBIDDEN, "leases is forbidden")
        return denied if isinstance(write, Replace) else await carry_out(write)

    monkeypatch.setattr(shop, "write", refuse)

    with pytest.raises(RefusedError, match=r"could not take the Lease greeter-grpclb.*leases is forbidden"):
        fix(shop)


def test_what_a_holder_began_that_somebody_took_over_is_left_to_them(shop: FakeWorkshop) -> None:
    talk = Listener()
    shop.waiting = {"reason": "ContainerCreating"}
    shop.before[8] = lambda: snatch(shop)

    with pytest.raises(RefusedError) as told:
        fix(shop, talk)

    assert "rollback greeter" not in str(told.value)
    assert "continues it" in talk.text
    assert ("deployments", "greeter-grpclb-envoy") in shop.ours


def test_a_user_who_may_not_create_leases_is_told_so(shop: FakeWorkshop, monkeypatch: pytest.MonkeyPatch) -> None:
    denied = Denied(403, GapReason.FORBIDDEN, 'leases.coordination.k8s.io is forbidden: User "dana" cannot create')
    monkeypatch.setattr(shop.api, "carry_out", lambda _: denied)

    with pytest.raises(RefusedError, match=r'could not take the Lease greeter-grpclb.*User "dana" cannot create'):
        run(hold(shop, 1))


def test_an_answer_to_a_renewal_that_is_lost_is_no_loss_of_the_lease(
    shop: FakeWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = shop.write
    lost: list[Write] = []

    async def lose_one(each: Write) -> Outcome:
        outcome = await write(each)
        if isinstance(each, Replace) and not lost:
            lost.append(each)
            raise ClusterError("connection reset by peer")
        return outcome

    monkeypatch.setattr(shop, "write", lose_one)

    run(hold(shop, 30))

    assert len(lost) == 1
    assert LEASE not in shop.api.held


def test_a_holder_that_was_taken_for_dead_does_not_delete_its_successors_lease(shop: FakeWorkshop) -> None:
    async def stall() -> None:
        async with holding(shop, "shop", BUNDLE, Listener().say):
            snatch(shop)

    run(stall())

    assert shop.api.held[LEASE]["spec"]["holderIdentity"] == "ci-7 process 4711 ab12cd"


def test_a_holder_that_was_taken_for_dead_does_not_write_its_receipt_again(shop: FakeWorkshop) -> None:
    shop.before[8] = lambda: snatch(shop)
    shop.waiting = {"reason": "ContainerCreating"}
    with pytest.raises(RefusedError):
        fix(shop)
    receipt = ("configmaps", "shop", "greeter-grpclb")
    version = shop.api.held[receipt]["metadata"]["resourceVersion"]

    with pytest.raises(RefusedError, match="another `fix` or `rollback` has taken over"):
        run(note_without_the_lease(shop))

    assert shop.api.held[receipt]["metadata"]["resourceVersion"] == version


async def note_without_the_lease(shop: FakeWorkshop) -> None:
    """Go on after somebody took the Lease over."""
    shop.api.held.pop(LEASE)
    async with holding(shop, "shop", BUNDLE, Listener().say) as held:
        journal = Journal(shop, receipt_of(shop), None, held.check)
        snatch(shop)
        await asyncio.sleep(5)
        await journal.note("proved")
