"""`fix` where a step fails, somebody changes something meanwhile, or the cluster stops answering."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubectl_grpclb.model.errors import ClusterError, GrpclbError, RefusedError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.write import Denied, PatchObject
from tests.change.acts import Listener, fix, fixing, receipt_of
from tests.fake_workshop import FakeWorkshop
from tests.virtual_time import run

BEFORE = FakeWorkshop().service["spec"]
QUOTA = 'pods "greeter-grpclb-envoy-6b7f9c8d4-" is forbidden: exceeded quota: team, requested: pods=1, used: pods=20'
WEBHOOK = 'admission webhook "images.example.com" denied the request: docker.io is not an allowed registry'


def cut_overs(shop: FakeWorkshop) -> list[PatchObject]:
    """The changes of where the Service leads."""
    patches = [each for each in shop.changes if isinstance(each, PatchObject) and each.resource == "services"]
    return [each for each in patches if "/spec/" in str(each.body)]


def deny(kind: str) -> Callable[[FakeWorkshop], None]:
    """Let a webhook refuse a kind."""
    return lambda shop: shop.denies.update({kind: Denied(403, GapReason.FORBIDDEN, WEBHOOK)})


def wait(reason: str, message: str = "") -> Callable[[FakeWorkshop], None]:
    """Let Envoy's containers wait."""
    return lambda shop: setattr(shop, "waiting", {"reason": reason, "message": message})


def test_a_refused_plan_is_shown_and_not_asked_about(shop: FakeWorkshop) -> None:
    talk = Listener()
    shop.forbidden = {("create", "deployments")}

    with pytest.raises(RefusedError, match=r"this fix was not started: .*deployments"):
        fix(shop, talk)

    assert [check.name for check in talk.shown[0].refused] == ["permissions"]
    assert talk.questions == []
    assert shop.writes == []


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (deny("Service"), "Service/greeter-grpclb-pods was refused"),
        (deny("Deployment"), WEBHOOK),
        (wait("ImagePullBackOff", 'Back-off pulling image "docker.io/envoyproxy/envoy"'), "ImagePullBackOff: Back-off"),
        (wait("RegistryUnavailable", "connection refused"), "does not start: RegistryUnavailable: connection refused"),
        (wait("CrashLoopBackOff", "back-off 10s restarting failed container"), "CrashLoopBackOff"),
        (wait("ContainerCreating"), "was not ready within 120 s"),
        (lambda shop: setattr(shop, "refused_pods", QUOTA), "exceeded quota: team"),
        (lambda shop: shop.loses.add("grpc"), "a call through Envoy failed: .*no healthy upstream"),
        (
            lambda shop: setattr(shop, "unknown_to_envoy", frozenset({"10.244.0.13"})),
            "Envoy does not know the right servers",
        ),
    ],
    ids=["headless", "webhook", "no-image", "no-registry", "crash", "never-ready", "quota", "no-answer", "dns"],
)
def test_a_stage_that_fails_is_removed_and_the_service_never_written(
    shop: FakeWorkshop, state: Path, break_it: Callable[[FakeWorkshop], Any], says: str
) -> None:
    break_it(shop)

    with pytest.raises(RefusedError, match=rf"(?s){says}.*The Service was not touched"):
        fix(shop)

    assert cut_overs(shop) == []
    assert shop.service["spec"] == BEFORE
    assert shop.ours == []
    assert list(state.rglob("*.json")) == []


def test_a_service_behind_which_no_call_comes_back_is_put_back_at_once(shop: FakeWorkshop) -> None:
    shop.loses.add("proof")

    with pytest.raises(RefusedError, match=r"(?s)a call through Service/greeter failed.*as it was before"):
        fix(shop)

    assert len(cut_overs(shop)) == 2
    assert shop.service["spec"] == BEFORE
    assert shop.ours == []


def test_a_service_that_somebody_changes_before_the_cut_over_is_not_cut_over(shop: FakeWorkshop) -> None:
    shop.before[9] = lambda: shop.change_service(lambda held: held["spec"].update(sessionAffinity="ClientIP"))

    with pytest.raises(RefusedError, match=r"spec\.sessionAffinity: \"None\" is now \"ClientIP\""):
        fix(shop)

    assert shop.service["spec"] == {**BEFORE, "sessionAffinity": "ClientIP"}
    assert shop.ours == []


def test_a_service_whose_labels_somebody_changes_before_the_cut_over_is_cut_over_all_the_same(
    shop: FakeWorkshop,
) -> None:
    shop.before[9] = lambda: shop.change_service(lambda held: held["metadata"].update(labels={"team": "checkout"}))

    fix(shop)

    assert shop.leads_to_envoy
    assert len(cut_overs(shop)) == 2


def test_a_service_that_is_made_anew_before_the_cut_over_is_left_alone(shop: FakeWorkshop) -> None:
    def remake() -> None:
        service = shop.api.held.pop(("services", "shop", "greeter"))
        shop.api.put("services", {**service, "metadata": {"name": "greeter", "namespace": "shop"}})

    shop.before[9] = remake

    with pytest.raises(RefusedError, match="was deleted and recreated in the meantime"):
        fix(shop)

    assert shop.service["spec"] == BEFORE
    assert shop.ours == []


def test_an_envoy_that_cannot_be_asked_once_is_asked_again(shop: FakeWorkshop) -> None:
    shop.hostless = 3

    fix(shop)

    assert shop.leads_to_envoy


def test_an_envoy_that_never_says_which_servers_it_knows_is_not_cut_over_to(shop: FakeWorkshop) -> None:
    shop.hostless = 10_000

    with pytest.raises(RefusedError, match="which servers it knows: no answer within 5 s"):
        fix(shop)

    assert cut_overs(shop) == []


@pytest.mark.parametrize("after", [2, 7, 8])
def test_a_cluster_that_stops_answering_before_the_cut_over_is_said_with_what_is_left_and_how_to_go_on(
    shop: FakeWorkshop, after: int
) -> None:
    shop.silent_after = after

    with pytest.raises(
        RefusedError,
        match=r"(?s)connection reset.*The Service was not touched; could not remove what was staged.*rollback greeter",
    ):
        fix(shop)


def test_a_cluster_that_stops_answering_after_the_proof_is_said_with_the_step_and_how_to_go_on(
    shop: FakeWorkshop,
) -> None:
    shop.silent_after = 12

    with pytest.raises(ClusterError, match=r"(?s)connection reset.*after the step `proved`.*fix greeter.*rollback"):
        fix(shop, recycle="clients")

    assert shop.leads_to_envoy


@pytest.mark.parametrize("after", [2, 7, 8, 9, 10])
def test_a_fix_that_the_cluster_interrupted_is_finished_by_the_next_one(shop: FakeWorkshop, after: int) -> None:
    shop.silent_after = after
    with pytest.raises(GrpclbError, match="connection reset"):
        fix(shop)
    shop.revive()

    fix(shop)

    assert shop.leads_to_envoy
    assert receipt_of(shop).step == "done"


@pytest.mark.parametrize(
    "resource",
    ["services greeter-grpclb-pods", "configmaps greeter-grpclb-envoy", "deployments greeter-grpclb-envoy"],
)
def test_an_object_of_others_with_a_name_of_the_bundle_is_never_written_or_deleted(
    shop: FakeWorkshop, resource: str
) -> None:
    plural, name = resource.split()
    theirs = shop.api.put(plural, {"metadata": {"name": name, "namespace": "shop"}, "spec": {"replicas": 1}})

    with pytest.raises(RefusedError, match=f"{name} exists already"):
        fix(shop)

    assert shop.writes == []
    assert shop.api.held[plural, "shop", name]["metadata"]["uid"] == theirs["metadata"]["uid"]


@pytest.mark.parametrize(
    ("resource", "options"),
    [("horizontalpodautoscalers", {"autoscaling": {"most": 5}}), ("networkpolicies", {"network_policy": True})],
)
def test_what_others_have_under_the_name_of_something_asked_for_is_never_taken_over(
    shop: FakeWorkshop, resource: str, options: dict[str, Any]
) -> None:
    theirs = shop.api.put(resource, {"metadata": {"name": "greeter-grpclb-envoy", "namespace": "shop"}, "spec": {}})

    with pytest.raises(RefusedError, match="greeter-grpclb-envoy exists already"):
        fix(shop, envoy=options)

    assert shop.writes == []
    assert shop.api.held[resource, "shop", "greeter-grpclb-envoy"] == theirs


def test_what_is_not_made_does_not_need_its_name(shop: FakeWorkshop) -> None:
    shop.api.put("networkpolicies", {"metadata": {"name": "greeter-grpclb-envoy", "namespace": "shop"}, "spec": {}})

    fix(shop)

    assert shop.leads_to_envoy


def test_an_upgrade_that_does_not_start_leaves_the_service_with_envoy(shop: FakeWorkshop) -> None:
    fix(shop)
    shop.revive()
    wait("ImagePullBackOff")(shop)

    with pytest.raises(RefusedError, match="The existing Envoys keep serving"):
        fix(shop, envoy={"image": "registry.example.com/envoy:nope"})

    assert shop.service["spec"]["selector"] == {"app": "greeter-grpclb-envoy"}
    assert ("deployments", "greeter-grpclb-envoy") in shop.ours


def test_clients_that_stay_with_an_envoy_that_does_not_answer_do_not_hide_why_the_fix_was_taken_back(
    shop: FakeWorkshop,
) -> None:
    shop.loses.add("proof")
    shop.stay_connected = True
    shop.before[10] = shop.follow

    with pytest.raises(RefusedError, match="a call through Service/greeter failed"):
        fix(shop)

    assert shop.service["spec"] == BEFORE


def test_a_stage_that_fails_and_cannot_be_removed_says_both(shop: FakeWorkshop) -> None:
    shop.loses.add("grpc")
    budget = ("poddisruptionbudgets", "shop", "greeter-grpclb-envoy")
    shop.before[8] = lambda: shop.api.change(budget, lambda held: held["metadata"].update(labels={}))

    with pytest.raises(
        RefusedError, match=r"(?s)no healthy upstream.*is not the object that the fix created.*rollback greeter"
    ):
        fix(shop)

    assert shop.service["spec"] == BEFORE


def test_a_fix_that_is_interrupted_and_cannot_remove_what_it_staged_says_both(shop: FakeWorkshop) -> None:
    shop.waiting = {"reason": "ContainerCreating"}
    budget = ("poddisruptionbudgets", "shop", "greeter-grpclb-envoy")
    shop.before[8] = lambda: shop.api.change(budget, lambda held: held["metadata"].update(labels={}))

    with pytest.raises(RefusedError, match=r"(?s)^interrupted\.\nThe Service was not touched; .*rollback greeter"):
        run(asyncio.wait_for(fixing(shop), timeout=30))


def test_a_fix_that_is_interrupted_while_it_waits_removes_what_it_staged(shop: FakeWorkshop) -> None:
    shop.waiting = {"reason": "ContainerCreating"}
    talk = Listener()

    with pytest.raises(TimeoutError):
        run(asyncio.wait_for(fixing(shop, talk), timeout=30))

    assert shop.service["spec"] == BEFORE
    assert shop.ours == []
    assert talk.lines[-1] == "the Service was not touched, and what had been staged for it has been removed"


def test_an_upgrade_that_does_not_start_gives_the_envoys_that_were_there_their_configuration_back(
    shop: FakeWorkshop,
) -> None:
    fix(shop)
    shop.revive()
    config = shop.bundle["configmaps", "greeter-grpclb-envoy"]
    wait("ImagePullBackOff")(shop)

    with pytest.raises(RefusedError, match="The existing Envoys keep serving, with their previous configuration"):
        fix(shop, envoy={"image": "registry.example.com/envoy:nope", "access_log": "all"})

    assert shop.bundle["configmaps", "greeter-grpclb-envoy"] == config


def test_an_upgrade_whose_configuration_cannot_be_put_back_says_so(shop: FakeWorkshop) -> None:
    fix(shop)
    shop.revive()
    wait("ImagePullBackOff")(shop)
    shop.before[5] = lambda: deny("ConfigMap")(shop)

    with pytest.raises(RefusedError, match=r"(?s)ImagePullBackOff.*have the new configuration when they restart"):
        fix(shop, envoy={"image": "registry.example.com/envoy:nope", "access_log": "all"})


def test_an_upgrade_that_is_interrupted_gives_the_configuration_back(shop: FakeWorkshop) -> None:
    fix(shop)
    shop.revive()
    config = shop.bundle["configmaps", "greeter-grpclb-envoy"]
    wait("ContainerCreating")(shop)

    with pytest.raises(TimeoutError):
        run(asyncio.wait_for(fixing(shop, envoy={"access_log": "all"}), timeout=30))

    assert shop.bundle["configmaps", "greeter-grpclb-envoy"] == config


def test_an_upgrade_whose_new_envoys_do_not_answer_leaves_them_their_configuration(shop: FakeWorkshop) -> None:
    fix(shop)
    shop.revive()
    config = shop.bundle["configmaps", "greeter-grpclb-envoy"]
    shop.loses.add("grpc")

    with pytest.raises(
        RefusedError, match=r"(?s)a call through .* failed.*The new Envoys have already replaced the old"
    ):
        fix(shop, envoy={"access_log": "all"})

    assert shop.bundle["configmaps", "greeter-grpclb-envoy"] != config
