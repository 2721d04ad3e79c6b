"""`fix` from the plan to the check, where everything goes well."""

from pathlib import Path

import pytest

from kubectl_grpclb.commands.conversation import Conversation
from kubectl_grpclb.commands.progress import Progress
from kubectl_grpclb.model.errors import DeclinedError, RefusedError, UsageError
from kubectl_grpclb.model.receipt import decode_receipt
from kubectl_grpclb.model.write import Apply, PatchObject
from tests.change.acts import Listener, fix, receipt_of, rollback
from tests.fake_workshop import FakeWorkshop

BEFORE = FakeWorkshop().service["spec"]
QUOTA = 'pods "greeter-grpclb-envoy-6b7f9c8d4-" is forbidden: exceeded quota: team, requested: pods=1, used: pods=20'
WEBHOOK = 'admission webhook "images.example.com" denied the request: docker.io is not an allowed registry'


def cut_overs(shop: FakeWorkshop) -> list[PatchObject]:
    """The changes of the Service itself."""
    return [each for each in shop.changes if isinstance(each, PatchObject) and each.resource == "services"]


def test_a_fix_leads_the_service_to_envoy_and_changes_one_value_of_its_selector(shop: FakeWorkshop) -> None:
    fix(shop)

    assert shop.service["spec"] == {**BEFORE, "selector": {"app": "greeter-grpclb-envoy"}}
    assert shop.leads_to_envoy


def test_a_fix_makes_these_objects_and_no_others(shop: FakeWorkshop) -> None:
    fix(shop)

    assert [each for each in shop.ours if each[0] != "pods"] == [
        ("configmaps", "greeter-grpclb"),
        ("configmaps", "greeter-grpclb-envoy"),
        ("deployments", "greeter-grpclb-envoy"),
        ("poddisruptionbudgets", "greeter-grpclb-envoy"),
        ("services", "greeter-grpclb-pods"),
    ]


def test_a_fix_says_each_step_when_it_is_done(shop: FakeWorkshop) -> None:
    talk = Listener()

    fix(shop, talk)

    steps = ["took the Lease", "wrote the receipt", "applied Deployment", "Envoy is ready", "cut over", "proved"]
    places = [talk.text.index(step) for step in steps]
    assert places == sorted(places)


def test_connections_from_before_leave_a_fix_pending(shop: FakeWorkshop) -> None:
    fixed = fix(shop)

    assert fixed.verification is not None
    assert fixed.verification.outcome == "pending"


def test_clients_that_connect_anew_show_that_a_fix_cures(shop: FakeWorkshop) -> None:
    shop.reconnect = True

    fixed = fix(shop)

    assert fixed.verification is not None
    assert fixed.verification.outcome == "fixed"


def test_recycling_restarts_the_clients_so_that_the_fix_cures(shop: FakeWorkshop) -> None:
    fixed = fix(shop, recycle="clients")

    restarted = [each.name for each in shop.changes if isinstance(each, PatchObject) and each.style == "strategic"]
    assert restarted == ["caller"]
    assert fixed.unrestarted == ()
    assert fixed.verification is not None
    assert fixed.verification.outcome == "fixed"


def test_without_recycling_no_client_is_restarted(shop: FakeWorkshop) -> None:
    fix(shop)

    assert [each for each in shop.changes if isinstance(each, PatchObject) and each.style == "strategic"] == []


def test_staging_only_leaves_the_service_as_it_is(shop: FakeWorkshop) -> None:
    fixed = fix(shop, stage_only=True)

    assert fixed.verification is None
    assert shop.service["spec"] == BEFORE
    assert receipt_of(shop).step == "checked"
    assert ("deployments", "greeter-grpclb-envoy") in shop.ours


def test_a_fix_after_staging_only_cuts_over(shop: FakeWorkshop) -> None:
    fix(shop, stage_only=True)

    fix(shop)

    assert shop.leads_to_envoy
    assert receipt_of(shop).original == BEFORE


def test_the_receipt_is_beside_the_service_and_on_this_machine(shop: FakeWorkshop, state: Path) -> None:
    fix(shop)

    file = state / "kubectl-grpclb" / "receipts" / "kind-shop" / "shop.greeter.json"
    assert decode_receipt(file.read_bytes()) == receipt_of(shop)
    assert file.stat().st_mode & 0o077 == 0


def test_a_receipt_that_cannot_be_written_leaves_nothing_beside_it(shop: FakeWorkshop, state: Path) -> None:
    in_the_way = state / "kubectl-grpclb" / "receipts" / "kind-shop" / "shop.greeter.json"
    in_the_way.mkdir(parents=True)

    with pytest.raises(RefusedError, match=r"could not write the receipt to .*directory"):
        fix(shop)

    assert list(in_the_way.parent.iterdir()) == [in_the_way]
    assert shop.ours == []


def test_the_receipt_is_written_before_anything_else_is_made(shop: FakeWorkshop) -> None:
    fix(shop)

    names = [each.manifest["metadata"]["name"] for each in shop.changes if isinstance(each, Apply)]
    assert names[0] == "greeter-grpclb"


def test_declining_changes_nothing(shop: FakeWorkshop) -> None:
    talk = Listener(agrees=False)

    with pytest.raises(DeclinedError):
        fix(shop, talk)

    assert talk.questions == ["Apply this to Service greeter in namespace shop?"]
    assert shop.writes == []


def test_without_a_terminal_and_without_yes_nothing_is_changed(shop: FakeWorkshop) -> None:
    with Progress() as progress, pytest.raises(UsageError, match="--yes"):
        fix(shop, Conversation(progress, yes=False))

    assert shop.writes == []


def test_a_fix_of_a_service_that_is_fixed_has_nothing_to_do(shop: FakeWorkshop) -> None:
    shop.reconnect = True
    fix(shop)
    shop.revive()

    again = fix(shop, strategy="auto")

    assert not again.changed
    assert again.plan.title.startswith("Nothing to do")
    assert shop.changes == []


def test_a_bundle_of_an_older_version_is_brought_up_to_date_in_place(shop: FakeWorkshop) -> None:
    fix(shop)
    fresh = shop.bundle
    old = ("deployments", "shop", "greeter-grpclb-envoy")
    shop.api.change(old, lambda held: held["spec"]["template"]["spec"]["containers"][0].update(image="envoy:1.30"))
    shop.revive()

    fix(shop)

    assert shop.bundle == fresh
    assert cut_overs(shop) == []
    assert shop.leads_to_envoy


def test_a_later_fix_keeps_the_choices_of_an_earlier_one(shop: FakeWorkshop) -> None:
    fix(shop, envoy={"replicas": 3, "image": "registry.example.com/envoy:1.40.0"})
    shop.revive()

    again = fix(shop, strategy="auto")

    assert not again.changed
    assert shop.api.held["deployments", "shop", "greeter-grpclb-envoy"]["spec"]["replicas"] == 3


def test_an_original_manifest_that_is_applied_after_the_fix_is_cut_over_again(shop: FakeWorkshop) -> None:
    fix(shop)
    shop.change_service(lambda held: held.update(spec=BEFORE))
    shop.revive()

    fix(shop)

    assert shop.leads_to_envoy
    assert receipt_of(shop).original == BEFORE


def test_a_service_without_a_fault_is_left_alone(shop: FakeWorkshop) -> None:
    shop.change_service(lambda held: held["spec"].update(type="ExternalName", externalName="greeter.example.com"))

    fixed = fix(shop, strategy="auto")

    assert not fixed.changed
    assert shop.writes == []


def test_a_rollback_after_everything_leaves_nothing(shop: FakeWorkshop, state: Path) -> None:
    fix(shop)

    rollback(shop)

    assert shop.service["spec"] == BEFORE
    assert shop.ours == []
    assert list(state.rglob("*.json")) == []
