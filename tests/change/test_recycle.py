"""Restarting clients, changing what an earlier fix made, and fixes that need no Envoy."""

from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.write import Delete, Denied, PatchObject
from tests.change.acts import Listener, fix, receipt_of, rollback
from tests.fake_workshop import FakeWorkshop

FORBIDDEN = Denied(403, GapReason.FORBIDDEN, 'deployments.apps "caller" is forbidden: User "dana" cannot patch')


def test_a_client_that_may_not_be_restarted_is_named_and_the_fix_stays(shop: FakeWorkshop) -> None:
    shop.unchangeable["caller"] = FORBIDDEN

    fixed = fix(shop, recycle="clients")

    assert fixed.unrestarted == (f"Deployment/caller in shop: {FORBIDDEN.message}",)
    assert shop.leads_to_envoy
    assert receipt_of(shop).step == "done"


def test_clients_are_restarted_by_a_later_fix_too(shop: FakeWorkshop) -> None:
    fix(shop)
    shop.revive()

    fixed = fix(shop, recycle="clients")

    assert [each.name for each in shop.changes if isinstance(each, PatchObject)] == ["caller"]
    assert fixed.verification is not None
    assert fixed.verification.outcome == "fixed"


def test_a_restart_is_the_annotation_of_kubectl_rollout_restart(shop: FakeWorkshop) -> None:
    fix(shop, recycle="clients")

    template = shop.api.held["deployments", "shop", "caller"]["spec"]["template"]
    assert list(template["metadata"]["annotations"]) == ["kubectl.kubernetes.io/restartedAt"]


def test_a_rollback_tells_which_clients_it_could_not_restart(shop: FakeWorkshop) -> None:
    fix(shop)
    shop.unchangeable["caller"] = FORBIDDEN

    undone = rollback(shop, recycle="clients")

    assert undone.unrestarted == (f"Deployment/caller in shop: {FORBIDDEN.message}",)
    assert shop.ours == []


def test_what_a_later_fix_does_not_need_any_more_is_deleted(shop: FakeWorkshop) -> None:
    fix(shop, envoy={"network_policy": True})
    shop.revive()

    fix(shop, envoy={"network_policy": False})

    deleted = [each.resource for each in shop.changes if isinstance(each, Delete)]
    assert deleted == ["networkpolicies", "leases"]
    assert ("networkpolicies", "greeter-grpclb-envoy") not in shop.ours
    assert shop.leads_to_envoy


def test_a_rollback_removes_what_only_an_earlier_fix_made(shop: FakeWorkshop) -> None:
    fix(shop, envoy={"network_policy": True, "autoscaling": {"most": 6}})
    fix(shop, envoy={"replicas": 3})

    rollback(shop)

    assert shop.ours == []


def test_a_headless_service_for_clients_is_made_and_taken_away_again(shop: FakeWorkshop) -> None:
    before = shop.service["spec"]

    fix(shop, strategy="headless")
    made = shop.ours
    rollback(shop)

    assert made == [("configmaps", "greeter-grpclb"), ("services", "greeter-grpclb-pods")]
    assert shop.ours == []
    assert shop.service["spec"] == before


def test_a_headless_service_has_the_servers_port_once_where_two_ports_lead_to_it(shop: FakeWorkshop) -> None:
    legacy = {"name": "legacy", "port": 8080, "targetPort": "grpc", "protocol": "TCP"}
    shop.change_service(lambda held: held["spec"]["ports"].append(legacy))

    fix(shop, strategy="headless")

    ports = shop.api.held["services", "shop", "greeter-grpclb-pods"]["spec"]["ports"]
    assert ports == [{"port": 50051, "targetPort": 50051, "protocol": "TCP", "name": "grpc"}]


def test_session_affinity_that_pins_clients_is_taken_off_and_put_back(shop: FakeWorkshop) -> None:
    shop.change_service(lambda held: held["spec"].update(sessionAffinity="ClientIP"))
    shop.pinned = True
    before = shop.service["spec"]

    fix(shop, strategy="auto")
    after = shop.service["spec"]
    rollback(shop)

    assert after == {**before, "sessionAffinity": "None"}
    assert shop.service["spec"] == before
    assert shop.ours == []


def test_clients_that_take_a_while_to_connect_after_their_restart_are_waited_for(shop: FakeWorkshop) -> None:
    shop.asleep = 2
    talk = Listener()

    fixed = fix(shop, talk, recycle="clients")

    assert talk.lines.count("no client is connected yet") == 2
    assert fixed.verification is not None
    assert fixed.verification.outcome == "fixed"


def test_clients_that_never_connect_again_leave_the_outcome_unknown(shop: FakeWorkshop) -> None:
    shop.asleep = 1000

    fixed = fix(shop, recycle="clients")

    assert fixed.verification is not None
    assert fixed.verification.outcome == "unknown"
