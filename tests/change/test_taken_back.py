"""What stands between a fix that fails and clients who are led nowhere: nothing is removed that is not known unused."""

import pytest

from kubectl_grpclb.model.errors import RefusedError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.write import Denied, Done, Outcome
from tests.change.acts import Listener, fix, receipt_of, rollback
from tests.fake_workshop import FakeWorkshop

BEFORE = FakeWorkshop().service["spec"]
DEPLOYMENT = ("deployments", "greeter-grpclb-envoy")
LEASE = ("leases", "shop", "greeter-grpclb")
CRASHED = {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container"}
AFTER_THE_CUT_OVER = 10
"""The number of the change that comes next: the receipt's."""


@pytest.fixture
def fixed(shop: FakeWorkshop) -> FakeWorkshop:
    """The shop after a fix whose clients have moved to Envoy."""
    fix(shop, recycle="clients")
    shop.revive()
    return shop


def crash(shop: FakeWorkshop) -> None:
    """Let no Envoy be ready any more."""
    shop.waiting = CRASHED
    shop.reconcile()


def test_a_service_that_cannot_be_read_for_a_moment_is_put_back_all_the_same(shop: FakeWorkshop) -> None:
    shop.loses.add("proof")
    shop.before[AFTER_THE_CUT_OVER] = lambda: shop.failing.update(services=3)

    with pytest.raises(RefusedError, match="The Service is as it was before"):
        fix(shop)

    assert shop.service["spec"] == BEFORE
    assert shop.ours == []


def test_while_the_service_cannot_be_read_what_it_may_lead_to_is_left_running(shop: FakeWorkshop) -> None:
    shop.loses.add("proof")
    shop.before[AFTER_THE_CUT_OVER] = lambda: shop.failing.update(services=1000)

    with pytest.raises(
        RefusedError, match=r"(?s)a call through .* failed.*While undoing it: could not read Service greeter"
    ):
        fix(shop)

    assert shop.leads_to_envoy
    assert DEPLOYMENT in shop.ours
    assert receipt_of(shop).step == "cut over"


def test_envoys_that_crash_at_the_cut_over_prove_nothing(shop: FakeWorkshop) -> None:
    shop.before[AFTER_THE_CUT_OVER] = lambda: crash(shop)

    with pytest.raises(RefusedError, match=r"a call through Service/greeter could not be made: no Envoy is ready"):
        fix(shop)

    assert shop.service["spec"] == BEFORE
    assert shop.ours == []


def test_pods_that_cannot_be_listed_prove_nothing(shop: FakeWorkshop) -> None:
    shop.before[AFTER_THE_CUT_OVER] = lambda: shop.failing.update(pods=100)

    with pytest.raises(RefusedError, match="cannot list Envoy's pods: etcdserver: leader changed"):
        fix(shop)

    assert shop.service["spec"] == BEFORE


def test_a_list_of_pods_that_fails_once_is_asked_for_again(shop: FakeWorkshop) -> None:
    shop.before[AFTER_THE_CUT_OVER] = lambda: shop.failing.update(pods=2)

    fix(shop)

    assert shop.leads_to_envoy


def test_a_rollback_that_cannot_list_the_pods_removes_no_envoy(fixed: FakeWorkshop) -> None:
    fixed.failing["pods"] = 1000

    with pytest.raises(RefusedError, match=r"it is still unknown which clients Envoy serves.*so Envoy is left running"):
        rollback(fixed)

    assert fixed.service["spec"] == BEFORE
    assert DEPLOYMENT in fixed.ours


def test_an_envoy_that_does_not_say_whom_it_serves_is_asked_again(fixed: FakeWorkshop) -> None:
    fixed.speechless = 3
    talk = Listener()

    rollback(fixed, talk)

    assert "cannot tell which clients Envoy still serves; asking again" in talk.text
    assert fixed.ours == []


def test_who_may_not_ask_envoy_rolls_back_without_its_answer(
    fixed: FakeWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> Denied:
        return Denied(403, GapReason.FORBIDDEN, 'pods is forbidden: User "dana" cannot list resource "pods"')

    fixed.reconnect = True
    monkeypatch.setattr(fixed, "fetch_all", refuse)
    talk = Listener()

    rollback(fixed, talk)

    assert "not permitted to ask Envoy which clients it still serves" in talk.text
    assert fixed.ours == []


def test_a_deployment_that_may_not_be_deleted_keeps_all_that_it_needs(fixed: FakeWorkshop) -> None:
    fixed.api.change(
        ("deployments", "shop", "greeter-grpclb-envoy"), lambda held: held["metadata"].update(labels={"team": "edge"})
    )
    bundle = {key for key in fixed.api.held if "greeter-grpclb" in key[2]}

    with pytest.raises(RefusedError, match="deployments/greeter-grpclb-envoy is not the object that the fix created"):
        rollback(fixed)

    assert bundle <= fixed.api.held.keys() | {LEASE}


def test_envoys_that_do_not_end_keep_what_they_need(fixed: FakeWorkshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixed, "reconcile", lambda: None)
    fixed.follow()

    with pytest.raises(RefusedError, match=r"these pods did not exit within 60 s: .*delete pod .* --force`"):
        rollback(fixed, recycle="clients")

    assert ("configmaps", "greeter-grpclb-envoy") in fixed.ours


def test_what_envoy_needs_stays_until_controllers_that_are_late_make_no_more_of_its_pods(fixed: FakeWorkshop) -> None:
    fixed.busy = 5

    rollback(fixed, recycle="clients")

    assert fixed.ours == []


def test_a_deployment_that_nothing_deletes_keeps_what_it_needs(fixed: FakeWorkshop) -> None:
    fixed.busy = 1000

    with pytest.raises(RefusedError, match="these pods did not exit within 60 s"):
        rollback(fixed, recycle="clients")

    assert ("configmaps", "greeter-grpclb-envoy") in fixed.ours


def test_envoys_that_a_rollback_of_a_bypassed_fix_drained_are_replaced_by_the_next_fix(fixed: FakeWorkshop) -> None:
    fixed.change_service(lambda held: held.update(spec=BEFORE))
    fixed.stay_connected = True
    with pytest.raises(RefusedError, match="through Envoy did not close"):
        rollback(fixed)
    drained = set(fixed.drained)
    fixed.revive()

    fix(fixed)

    assert not drained & set(fixed.selected(fixed.service["spec"]["selector"]))


def test_envoys_that_a_failed_fix_drained_are_replaced_by_the_next_fix(fixed: FakeWorkshop) -> None:
    fixed.change_service(lambda held: held.update(spec=BEFORE))
    fixed.revive()
    fixed.loses.add("proof")
    with pytest.raises(RefusedError, match=r"a call through .* failed"):
        fix(fixed)
    drained = set(fixed.drained)
    fixed.revive()
    fixed.loses.clear()

    fix(fixed)

    assert len(drained) == 2
    assert not drained & set(fixed.selected(fixed.service["spec"]["selector"]))


def test_a_stage_whose_service_a_deploy_changed_meanwhile_is_removed_by_rollback(shop: FakeWorkshop) -> None:
    fix(shop, stage_only=True)
    shop.revive()
    shop.change_service(lambda held: held["spec"].update(selector={"app": "greeter", "track": "stable"}))

    undone = rollback(shop)

    assert not undone.restored
    assert shop.service["spec"]["selector"] == {"app": "greeter", "track": "stable"}
    assert shop.ours == []


def test_clients_of_the_services_other_ports_are_waited_for_too(fixed: FakeWorkshop) -> None:
    fixed.passed_through = 4

    with pytest.raises(RefusedError, match="8 client connections through Envoy did not close"):
        rollback(fixed)

    assert DEPLOYMENT in fixed.ours


def test_an_object_that_may_not_be_deleted_keeps_no_other(fixed: FakeWorkshop) -> None:
    budget = ("poddisruptionbudgets", "shop", "greeter-grpclb-envoy")
    fixed.api.change(budget, lambda held: held["metadata"].update(labels={}))

    with pytest.raises(RefusedError, match="is not the object that the fix created"):
        rollback(fixed)

    assert fixed.ours == [("configmaps", "greeter-grpclb")]


def test_clients_that_did_not_leave_are_restarted_when_the_next_rollback_is_asked_to(fixed: FakeWorkshop) -> None:
    fixed.stay_connected = True
    with pytest.raises(RefusedError, match="or with --recycle clients"):
        rollback(fixed)
    fixed.revive()

    rollback(fixed, recycle="clients")

    assert fixed.ours == []


def test_envoys_that_a_rollback_drained_are_replaced_by_the_next_fix(fixed: FakeWorkshop) -> None:
    fixed.stay_connected = True
    with pytest.raises(RefusedError, match="through Envoy did not close"):
        rollback(fixed)
    drained = set(fixed.drained)
    fixed.revive()

    fix(fixed)

    assert len(drained) == 2
    assert not drained & set(fixed.selected(fixed.service["spec"]["selector"]))


def test_replaced_envoys_stay_when_fix_runs_once_more(fixed: FakeWorkshop) -> None:
    fixed.stay_connected = True
    with pytest.raises(RefusedError, match="through Envoy did not close"):
        rollback(fixed)
    fixed.revive()
    fix(fixed)
    envoys = fixed.selected(fixed.service["spec"]["selector"])

    again = fix(fixed)

    assert not again.changed
    assert fixed.selected(fixed.service["spec"]["selector"]) == envoys


def test_a_deployment_that_outlives_its_pods_is_waited_for_by_its_name(
    fixed: FakeWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch_all = fixed.fetch_all
    talk = Listener()

    async def gone_first(resource: str, namespace: str, labels: str) -> Outcome:
        ending = "deletionTimestamp" in fixed.api.held.get(("deployments", "shop", DEPLOYMENT[1]), {}).get(
            "metadata", {}
        )
        return Done({"items": []}) if ending else await fetch_all(resource, namespace, labels)

    monkeypatch.setattr(fixed, "fetch_all", gone_first)
    fixed.reconnect, fixed.busy = True, 5

    rollback(fixed, talk)

    assert talk.lines.count("waiting for Envoy's Deployment to be gone") == 1
    assert " 0 Envoy" not in talk.text
    assert fixed.ours == []
