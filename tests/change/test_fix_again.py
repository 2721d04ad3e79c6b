"""`fix` of a Service that a fix, or somebody with kubectl, has changed before: it takes over nothing unasked."""

import copy
from typing import Any

import msgspec
import pytest

from kubectl_grpclb.model.errors import BadReceiptError, RefusedError, UsageError
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.receipt import encode_receipt
from kubectl_grpclb.model.write import Apply, PatchObject
from tests import fake_parts as parts
from tests.change.acts import Listener, fix, killed, receipt_of, rollback
from tests.fake_workshop import FakeWorkshop

BEFORE = FakeWorkshop().service["spec"]
RECEIPT = ("configmaps", "shop", "greeter-grpclb")
HEADLESS = ("services", "shop", "greeter-grpclb-pods")
NO_IMAGE = {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}


def label_servers(shop: FakeWorkshop, **labels: str) -> None:
    """Give the servers more labels, as a deploy does."""
    for pod in shop.api.of("pods"):
        if parts.labels_of(pod).get("app") == "greeter":
            shop.api.change(parts.key_of("pods", pod), lambda held: held["metadata"]["labels"].update(labels))


def pin(shop: FakeWorkshop) -> None:
    """Let session affinity hold all connections in one place."""
    shop.pinned = True
    shop.change_service(
        lambda held: held["spec"].update(
            sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 10800}}
        )
    )


def checks(talk: Listener) -> dict[str, Check]:
    """The checks of the plan that was shown last, by name."""
    return {check.name: check for check in talk.shown[-1].checks}


def restarted(shop: FakeWorkshop) -> list[str]:
    """Which workloads were restarted."""
    return [each.name for each in shop.changes if isinstance(each, PatchObject) and each.style == "strategic"]


def scale(held: dict[str, Any]) -> None:
    """Set another number of replicas, as an autoscaler does."""
    held["spec"]["replicas"] = 4
    held["metadata"]["managedFields"] = [
        {"manager": "kube-controller-manager", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    ]


def test_envoys_that_something_else_scales_are_brought_up_to_date_in_their_number(shop: FakeWorkshop) -> None:
    fix(shop)
    shop.revive()
    shop.api.change(("deployments", "shop", "greeter-grpclb-envoy"), scale)

    fix(shop, envoy={"access_log": "all"})

    (applied,) = [each for each in shop.changes if isinstance(each, Apply) and each.manifest["kind"] == "Deployment"]
    assert "replicas" not in applied.manifest["spec"]


def test_without_its_receipt_a_fix_in_use_is_neither_changed_nor_removed(shop: FakeWorkshop) -> None:
    fix(shop, recycle="clients")
    shop.revive()
    shop.api.held.pop(RECEIPT)
    bundle = shop.bundle

    with pytest.raises(RefusedError, match=r"no receipt \(ConfigMap greeter-grpclb\) says how it was before"):
        fix(shop, envoy={"replicas": 5})

    assert shop.changes == []
    assert shop.bundle == bundle


def test_a_choice_of_another_version_is_not_forgotten_by_the_next_fix(shop: FakeWorkshop) -> None:
    fix(shop, envoy={"replicas": 3})
    shop.revive()
    later = msgspec.structs.replace(receipt_of(shop), options={"replicas": 3, "wasm": "filter.wasm"})
    shop.api.change(RECEIPT, lambda held: held["data"].update({"receipt.json": encode_receipt(later).decode()}))

    with pytest.raises(BadReceiptError, match=r"Envoy settings that this version does not know: .*`wasm`"):
        fix(shop, envoy={"access_log": "all"})

    assert shop.changes == []


def test_a_rollback_without_its_receipt_says_where_one_is(shop: FakeWorkshop) -> None:
    fix(shop)
    shop.revive()
    shop.api.held.pop(RECEIPT)

    with pytest.raises(RefusedError, match=r"rollback greeter -n shop --receipt .*shop\.greeter\.json"):
        rollback(shop)

    assert shop.changes == []


def test_a_failing_fix_leaves_the_headless_service_that_clients_may_dial(shop: FakeWorkshop) -> None:
    fix(shop, strategy="headless")
    shop.revive()
    talk = Listener()

    with pytest.raises(RefusedError, match="created services/greeter-grpclb-pods, which clients may be using by now"):
        fix(shop, talk)

    assert checks(talk)["earlier-fix"].level == "refuse"
    assert shop.changes == []
    assert HEADLESS in shop.api.held


def test_a_fix_that_fails_over_a_bypassed_bundle_leaves_the_envoys_that_still_serve(shop: FakeWorkshop) -> None:
    fix(shop, recycle="clients")
    shop.change_service(lambda held: held.update(spec=BEFORE))
    shop.revive()
    earlier = receipt_of(shop)
    shop.waiting = NO_IMAGE

    with pytest.raises(RefusedError, match=r"(?s)ImagePullBackOff.*what existed before keeps the changes"):
        fix(shop, envoy={"image": "registry.example.com/envoy:nope"})

    assert ("deployments", "greeter-grpclb-envoy") in shop.ours
    assert receipt_of(shop) == earlier


def test_a_stage_that_was_killed_is_still_removed_where_the_next_fix_fails(shop: FakeWorkshop) -> None:
    fix(shop, stage_only=True)
    shop.revive()
    shop.loses.add("grpc")

    with pytest.raises(RefusedError, match="what had been staged for it has been removed"):
        fix(shop)

    assert shop.ours == []


def test_a_selector_that_a_deploy_changed_since_is_cut_over_anew(shop: FakeWorkshop) -> None:
    fix(shop)
    shop.revive()
    label_servers(shop, track="stable")
    shop.change_service(lambda held: held["spec"].update(selector={"app": "greeter", "track": "stable"}))

    fix(shop)

    assert shop.service["spec"]["selector"] == {"app": "greeter-grpclb-envoy", "track": "stable"}
    assert shop.leads_to_envoy
    assert receipt_of(shop).original["selector"] == {"app": "greeter", "track": "stable"}


def test_an_upgrade_keeps_the_key_by_which_the_service_finds_envoy(shop: FakeWorkshop) -> None:
    label_servers(shop, tier="backend")
    shop.change_service(lambda held: held["spec"].update(selector={"app": "greeter", "tier": "backend"}))
    fix(shop)
    shop.revive()
    other = copy.deepcopy(shop.service)
    other["metadata"] = {"name": "greeters", "namespace": "shop"}
    other["spec"] |= {"selector": {"app": "greeter-grpclb-envoy"}}
    shop.api.put("services", other)

    with pytest.raises(RefusedError):
        fix(shop, envoy={"replicas": 3})

    assert shop.leads_to_envoy


def test_after_affinity_was_removed_a_second_fix_puts_envoy_before_the_pods(shop: FakeWorkshop) -> None:
    pin(shop)
    fix(shop, strategy="auto")
    shop.revive()
    shop.pinned = False
    talk = Listener()

    fix(shop, talk, strategy="auto")

    assert shop.leads_to_envoy
    assert "changed /spec/sessionAffinity" in checks(talk)["earlier-fix"].message


def test_clients_are_restarted_where_the_cure_is_a_change_of_the_service(shop: FakeWorkshop) -> None:
    pin(shop)

    fix(shop, strategy="auto", recycle="clients")

    assert shop.service["spec"]["sessionAffinity"] == "None"
    assert restarted(shop) == ["caller"]


def test_a_cure_without_a_stage_is_not_begun_where_only_the_stage_is_wanted(shop: FakeWorkshop) -> None:
    pin(shop)

    with pytest.raises(UsageError, match="--stage-only is for Envoy"):
        fix(shop, strategy="auto", stage_only=True)

    assert shop.service["spec"]["sessionAffinity"] == "ClientIP"
    assert shop.changes == []


def test_what_only_tells_what_to_do_writes_nothing_after_a_fix_either(shop: FakeWorkshop) -> None:
    fix(shop, stage_only=True)
    shop.revive()
    talk = Listener()

    fixed = fix(shop, talk, strategy="client")

    assert not fixed.changed
    assert talk.questions == []
    assert shop.changes == []


def test_a_receipt_keeps_what_was_chosen_and_no_defaults(shop: FakeWorkshop) -> None:
    fix(shop, envoy={"replicas": 3})

    assert receipt_of(shop).options == {"replicas": 3}


def test_a_choice_is_kept_by_the_next_fix(shop: FakeWorkshop) -> None:
    fix(shop, envoy={"replicas": 3})
    shop.revive()

    fix(shop, envoy={"access_log": "all"})

    assert receipt_of(shop).options == {"replicas": 3, "access_log": "all"}


def test_the_envoys_of_a_bypassed_fix_are_no_clients_to_restart(
    shop: FakeWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = parts.envoy_pod

    def owned(name: str, ip: str, deployment: dict[str, Any], waiting: dict[str, Any] | None) -> dict[str, Any]:
        pod = made(name, ip, deployment, waiting)
        owner = {"kind": "ReplicaSet", "name": "greeter-grpclb-envoy-abc123", "controller": True}
        labels = {**pod["metadata"]["labels"], "pod-template-hash": "abc123"}
        return {**pod, "metadata": {**pod["metadata"], "labels": labels, "ownerReferences": [owner]}}

    monkeypatch.setattr(parts, "envoy_pod", owned)
    fix(shop, recycle="clients")
    shop.revive()
    shop.change_service(lambda held: held.update(spec=BEFORE))

    fix(shop, recycle="clients")

    assert "greeter-grpclb-envoy" not in restarted(shop)


def test_what_may_not_be_made_is_refused_before_anything_for_what_was_asked_for_besides(shop: FakeWorkshop) -> None:
    shop.forbidden = {("create", "horizontalpodautoscalers")}
    talk = Listener()

    with pytest.raises(RefusedError, match="horizontalpodautoscalers"):
        fix(shop, talk, envoy={"autoscaling": {"most": 5}})

    assert checks(talk)["permissions"].level == "refuse"
    assert shop.changes == []


def test_a_copy_of_a_receipt_leads_nobody_to_change_what_it_was_copied_from(shop: FakeWorkshop) -> None:
    fix(shop)
    shop.revive()
    receipt = msgspec.structs.replace(receipt_of(shop), namespace="production")
    shop.api.change(RECEIPT, lambda held: held.update(data={"receipt.json": encode_receipt(receipt).decode()}))

    with pytest.raises(BadReceiptError, match="is the receipt of Service greeter in namespace production"):
        rollback(shop)

    assert shop.changes == []


def test_a_receipt_that_would_change_another_service_is_not_acted_upon(shop: FakeWorkshop) -> None:
    fix(shop)
    shop.revive()
    receipt = receipt_of(shop)
    assert receipt.change is not None
    elsewhere = msgspec.structs.replace(receipt, change=msgspec.structs.replace(receipt.change, name="payments"))
    shop.api.change(RECEIPT, lambda held: held.update(data={"receipt.json": encode_receipt(elsewhere).decode()}))

    with pytest.raises(BadReceiptError, match="it would change services/payments"):
        rollback(shop)

    assert shop.changes == []


def test_a_selector_that_somebody_shortened_still_leads_to_envoy_and_is_not_taken_for_the_original(
    shop: FakeWorkshop,
) -> None:
    label_servers(shop, tier="backend")
    shop.change_service(lambda held: held["spec"].update(selector={"app": "greeter", "tier": "backend"}))
    fix(shop)
    shop.revive()
    shop.change_service(lambda held: held["spec"].update(selector={"app": "greeter-grpclb-envoy"}))

    fix(shop, envoy={"replicas": 3})

    assert shop.api.held[HEADLESS]["spec"]["selector"] == {"app": "greeter", "tier": "backend"}
    assert receipt_of(shop).original["selector"] == {"app": "greeter", "tier": "backend"}


def test_a_headless_service_is_not_made_over_a_bundle_that_may_still_carry_connections(shop: FakeWorkshop) -> None:
    fix(shop, recycle="clients")
    shop.change_service(lambda held: held.update(spec=BEFORE))
    shop.revive()
    bundle = shop.bundle

    with pytest.raises(RefusedError, match=r"An earlier fix \(strategy envoy\) created"):
        fix(shop, strategy="headless")

    assert shop.bundle == bundle


def test_a_fix_does_not_begin_where_it_cannot_see_what_stands_already(shop: FakeWorkshop) -> None:
    fix(shop, recycle="clients")
    shop.change_service(lambda held: held.update(spec=BEFORE))
    shop.revive()
    shop.waiting = NO_IMAGE
    shop.before[1] = lambda: shop.failing.update(deployments=1)

    with pytest.raises(RefusedError, match="could not see whether deployments/greeter-grpclb-envoy already exists"):
        fix(shop)

    assert ("deployments", "greeter-grpclb-envoy") in shop.ours


def test_a_change_of_the_service_that_was_killed_right_after_it_is_no_dead_end(shop: FakeWorkshop) -> None:
    pin(shop)
    killed(lambda each: fix(each, strategy="auto"), shop, after=4)
    shop.pinned = False

    fix(shop, strategy="auto")

    assert shop.leads_to_envoy
    assert receipt_of(shop).step == "done"


def test_a_fix_that_fails_keeps_the_receipt_of_the_earlier_one(shop: FakeWorkshop) -> None:
    pin(shop)
    fix(shop, strategy="auto")
    shop.revive()
    shop.pinned = False
    shop.loses.add("grpc")
    with pytest.raises(RefusedError, match="no healthy upstream"):
        fix(shop, strategy="auto")
    shop.revive()

    rollback(shop)

    assert shop.service["spec"]["sessionAffinity"] == "ClientIP"


def test_an_upgrade_that_fails_leaves_a_receipt_of_a_service_that_is_cut_over(shop: FakeWorkshop) -> None:
    fix(shop)
    shop.revive()
    shop.waiting = NO_IMAGE

    with pytest.raises(RefusedError, match="ImagePullBackOff"):
        fix(shop, envoy={"image": "registry.example.com/envoy:nope"})

    assert receipt_of(shop).step == "cut over"


def test_a_bundle_that_stands_keeps_its_receipt_through_fixes_that_fail(shop: FakeWorkshop) -> None:
    fix(shop, recycle="clients")
    shop.revive()
    shop.waiting = NO_IMAGE
    with pytest.raises(RefusedError, match="ImagePullBackOff"):
        fix(shop, envoy={"image": "registry.example.com/envoy:nope"})
    shop.change_service(lambda held: held.update(spec=BEFORE))
    with pytest.raises(RefusedError, match="ImagePullBackOff"):
        fix(shop, envoy={"image": "registry.example.com/envoy:nope"})
    shop.waiting = None
    shop.reconcile()

    undone = rollback(shop)

    assert undone.receipt is not None
    assert shop.ours == []


def test_a_bundle_whose_receipt_was_lost_has_one_again_after_a_fix_that_fails(shop: FakeWorkshop) -> None:
    fix(shop, recycle="clients")
    shop.change_service(lambda held: held.update(spec=BEFORE))
    shop.api.held.pop(RECEIPT)
    shop.revive()
    shop.loses.add("grpc")
    with pytest.raises(RefusedError, match="what existed before keeps the changes"):
        fix(shop)
    shop.loses.clear()

    undone = rollback(shop)

    assert undone.receipt is not None
    assert shop.ours == []
