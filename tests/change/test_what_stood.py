"""What stood before a fix, or is being deleted while one comes: neither is lost, and neither is taken for usable."""

import pytest

from kubectl_grpclb.model.errors import ClusterError, RefusedError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.write import Apply, Denied, Outcome, Write
from tests.change.acts import Listener, fix, receipt_of, rollback
from tests.fake_workshop import FakeWorkshop

BEFORE = FakeWorkshop().service["spec"]
DEPLOYMENT = ("deployments", "shop", "greeter-grpclb-envoy")
WEBHOOK = Denied(403, GapReason.FORBIDDEN, "admission webhook denied the request")


def end(manifest: Manifest) -> None:
    """Have something deleted, as far as its controllers get to it."""
    manifest["metadata"]["deletionTimestamp"] = "2026-11-23T12:00:00Z"


def scale(manifest: Manifest) -> None:
    """What `kubectl scale --replicas=3` does."""
    manifest["spec"]["replicas"] = 3
    manifest["metadata"]["managedFields"] = [{"manager": "kubectl", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]


def lose_the_next_receipt_after(shop: FakeWorkshop, refused: str) -> None:
    """Refuse to apply a kind, and give no answer to the next receipt that is written after that."""
    carry_out, losing = shop.write, False

    async def write(write: Write) -> Outcome:
        nonlocal losing
        if isinstance(write, Apply) and not write.dry_run:
            if write.manifest["kind"] == refused:
                losing = True
                return WEBHOOK
            if losing and write.manifest["metadata"]["name"] == "greeter-grpclb":
                losing = False
                raise ClusterError("cannot reach the API server: connection reset by peer")
        return await carry_out(write)

    shop.write = write  # type: ignore[method-assign]  # the fake with an answer that is lost


def test_what_a_fix_found_and_did_not_make_is_not_deleted_by_a_rollback(shop: FakeWorkshop) -> None:
    fix(shop, stage_only=True)
    fields = [{"manager": "kubectl-client-side-apply", "operation": "Update"}]
    shop.api.change(DEPLOYMENT, lambda held: held["metadata"].update(managedFields=fields))

    with pytest.raises(RefusedError, match="was not created by fix, but by kubectl-client-side-apply"):
        rollback(shop)

    assert DEPLOYMENT in shop.api.held


def test_a_clean_up_that_is_tried_again_leaves_the_headless_service_that_clients_may_dial(shop: FakeWorkshop) -> None:
    fix(shop, strategy="headless")
    shop.revive()
    stood = shop.ours
    lose_the_next_receipt_after(shop, "Service")

    with pytest.raises(RefusedError, match="what existed before keeps the changes"):
        fix(shop, strategy="headless")

    assert shop.ours == stood


def test_a_clean_up_that_is_tried_again_leaves_envoys_that_still_serve(shop: FakeWorkshop) -> None:
    fix(shop, recycle="clients")
    shop.revive()
    shop.stay_connected = True
    with pytest.raises(RefusedError, match="through Envoy did not close"):
        rollback(shop)
    shop.revive()
    stood = shop.ours
    lose_the_next_receipt_after(shop, "Deployment")

    with pytest.raises(RefusedError, match="what existed before keeps the changes"):
        fix(shop)

    assert shop.ours == stood


def test_envoys_that_are_still_being_deleted_are_waited_for_by_the_next_fix(shop: FakeWorkshop) -> None:
    fix(shop, stage_only=True)
    shop.api.change(DEPLOYMENT, end)
    shop.busy, talk = 30, Listener()

    fix(shop, talk)

    assert "Deployment/greeter-grpclb-envoy of an earlier fix is still being deleted" in talk.text
    assert shop.leads_to_envoy


def test_envoys_that_are_being_deleted_without_end_stop_the_next_fix(shop: FakeWorkshop) -> None:
    fix(shop, stage_only=True)
    shop.api.change(DEPLOYMENT, end)
    shop.busy = 10_000

    with pytest.raises(RefusedError, match="Deployment/greeter-grpclb-envoy is still being deleted after"):
        fix(shop)

    assert shop.service["spec"] == BEFORE


def test_a_look_that_fails_is_no_end_of_what_is_being_deleted(shop: FakeWorkshop) -> None:
    fix(shop, stage_only=True)
    shop.api.change(DEPLOYMENT, end)
    shop.busy, talk = 10_000, Listener()
    shop.before[7] = lambda: shop.failing.update(deployments=10_000)

    with pytest.raises(RefusedError, match="is still being deleted after"):
        fix(shop, talk)

    assert talk.text.count("still being deleted") == 1


def test_how_many_envoys_somebody_wanted_of_a_deployment_that_goes_says_nothing_of_the_next(shop: FakeWorkshop) -> None:
    fix(shop, stage_only=True)
    shop.api.change(DEPLOYMENT, scale)
    shop.api.change(DEPLOYMENT, end)
    shop.busy = 30

    fix(shop)

    assert shop.api.held[DEPLOYMENT]["spec"]["replicas"] == 2


def test_a_fix_whose_envoys_are_being_deleted_is_not_said_to_be_up_to_date(shop: FakeWorkshop) -> None:
    fix(shop)
    shop.revive()
    shop.api.change(DEPLOYMENT, end)
    shop.busy = 40

    fixed = fix(shop)

    assert fixed.changed
    assert "deletionTimestamp" not in shop.api.held[DEPLOYMENT]["metadata"]


def test_envoys_that_are_being_deleted_are_not_said_to_keep_serving(shop: FakeWorkshop) -> None:
    fix(shop)
    shop.revive()
    shop.api.change(DEPLOYMENT, end)
    shop.busy = 10_000

    with pytest.raises(
        RefusedError, match=r"(?s)leads to are being deleted\. `kubectl grpclb rollback greeter"
    ) as told:
        fix(shop)

    assert "keep serving" not in str(told.value)
    assert receipt_of(shop).step == "cut over"


def test_a_rollback_without_its_receipt_names_what_stands_and_the_service_does_not_lead_to(shop: FakeWorkshop) -> None:
    fix(shop, stage_only=True)
    shop.revive()
    shop.api.held.pop(("configmaps", "shop", "greeter-grpclb"))

    with pytest.raises(RefusedError, match=r"no receipt.*deployments/greeter-grpclb-envoy.*`kubectl delete services,"):
        rollback(shop)

    assert shop.changes == []
