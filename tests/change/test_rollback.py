"""`rollback`: the Service exactly as it was, nothing left, and nothing taken that somebody else did."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from kubectl_grpclb.model.errors import BadReceiptError, ClusterError, DeclinedError, RefusedError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.receipt import encode_receipt
from kubectl_grpclb.model.write import Delete, Denied, Insert, Outcome, PatchObject, Write
from tests.change.acts import Listener, fix, killed, receipt_of, rollback, rolling_back
from tests.fake_workshop import FakeWorkshop
from tests.virtual_time import run

BEFORE = FakeWorkshop().service["spec"]
RECEIPT = ("configmaps", "shop", "greeter-grpclb")


@pytest.fixture
def fixed(shop: FakeWorkshop) -> FakeWorkshop:
    """The shop after a fix; its clients connect anew whenever the Service leads elsewhere."""
    shop.reconnect = True
    fix(shop)
    shop.revive()
    return shop


class Hesitant(Listener):
    """A user who takes so long to say yes that something happens meanwhile."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    def confirm(self, question: str) -> None:
        super().confirm(question)
        self._meanwhile()


def deleted(shop: FakeWorkshop) -> list[str]:
    """What was deleted, in order."""
    return [f"{each.resource}/{each.name}" for each in shop.changes if isinstance(each, Delete)]


def test_a_rollback_restores_the_spec_exactly_and_leaves_nothing(fixed: FakeWorkshop) -> None:
    undone = rollback(fixed)

    assert undone.restored
    assert fixed.service["spec"] == BEFORE
    assert fixed.ours == []


def managers(shop: FakeWorkshop) -> list[str]:
    """Who is noted to own fields of the Service."""
    return [each["manager"] for each in shop.service["metadata"].get("managedFields", [])]


def own(shop: FakeWorkshop, *names: str) -> None:
    """Let others own fields of it, too."""
    entries = [{"manager": name, "operation": "Apply", "apiVersion": "v1"} for name in names]
    shop.change_service(lambda held: held["metadata"].setdefault("managedFields", []).extend(entries))


def test_a_restored_service_belongs_to_its_owner_again(fixed: FakeWorkshop) -> None:
    own(fixed, "kubectl", "team-checkout")
    before = managers(fixed)

    rollback(fixed)

    assert before == ["kubectl-grpclb", "kubectl", "team-checkout"]
    assert managers(fixed) == ["kubectl", "team-checkout"]
    assert fixed.service["spec"] == BEFORE


def test_a_service_that_stays_ours_on_paper_is_restored_all_the_same(
    fixed: FakeWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out = fixed.api.carry_out

    def refuse(write: Write) -> Outcome:
        if isinstance(write, PatchObject) and "managedFields" in str(write.body):
            return Denied(403, GapReason.FORBIDDEN, "metadata.managedFields: Forbidden")
        return carry_out(write)

    monkeypatch.setattr(fixed.api, "carry_out", refuse)
    talk = Listener()

    rollback(fixed, talk)

    assert "kubectl-grpclb is still recorded as the field manager" in talk.text
    assert "--force-conflicts" in talk.text
    assert fixed.ours == []


def test_a_rollback_says_what_it_will_do_and_asks(fixed: FakeWorkshop) -> None:
    talk = Listener(agrees=False)

    with pytest.raises(DeclinedError):
        rollback(fixed, talk)

    assert talk.lines[0].startswith("Rollback will put Service/greeter back as it was; then wait")
    assert talk.questions == ["Roll back the fix of Service greeter in namespace shop?"]
    assert fixed.writes == []


def test_a_receipt_that_changes_while_the_user_is_asked_is_not_acted_upon(fixed: FakeWorkshop) -> None:
    def fix_otherwise() -> None:
        other = msgspec.structs.replace(receipt_of(fixed), options={"replicas": 5})
        fixed.api.change(RECEIPT, lambda held: held.update(data={"receipt.json": encode_receipt(other).decode()}))

    with pytest.raises(RefusedError, match=r"in the meantime.*run this again"):
        rollback(fixed, Hesitant(fix_otherwise))

    assert [type(each) for each in fixed.changes] == [Insert, Delete]  # of the Lease
    assert fixed.leads_to_envoy


def test_a_fix_that_another_rollback_took_back_while_the_user_was_asked_is_not_taken_back_twice(
    fixed: FakeWorkshop,
) -> None:
    def lose() -> None:
        fixed.api.held.pop(RECEIPT)

    with pytest.raises(RefusedError, match=r"in the meantime.*run this again"):
        rollback(fixed, Hesitant(lose))

    assert fixed.leads_to_envoy


def test_a_service_that_leads_elsewhere_when_the_user_says_yes_is_not_changed(fixed: FakeWorkshop) -> None:
    def reapply() -> None:
        fixed.change_service(lambda held: held.update(spec=BEFORE))

    with pytest.raises(RefusedError, match="no longer leads to Envoy"):
        rollback(fixed, Hesitant(reapply))

    assert ("deployments", "greeter-grpclb-envoy") in fixed.ours


def test_a_service_that_leads_to_envoy_again_when_the_user_says_yes_is_not_changed(fixed: FakeWorkshop) -> None:
    spec = fixed.service["spec"]
    fixed.change_service(lambda held: held.update(spec=BEFORE))

    with pytest.raises(RefusedError, match="leads to Envoy again"):
        rollback(fixed, Hesitant(lambda: fixed.change_service(lambda held: held.update(spec=spec))))

    assert fixed.service["spec"] == spec


def test_envoy_is_drained_and_then_deleted_first_and_the_receipt_last(fixed: FakeWorkshop) -> None:
    rollback(fixed)

    assert len(fixed.drained) == 2
    assert deleted(fixed) == [
        "deployments/greeter-grpclb-envoy",
        "configmaps/greeter-grpclb-envoy",
        "poddisruptionbudgets/greeter-grpclb-envoy",
        "services/greeter-grpclb-pods",
        "configmaps/greeter-grpclb",
        "leases/greeter-grpclb",
    ]


def test_a_service_without_a_fix_has_nothing_to_roll_back(shop: FakeWorkshop) -> None:
    undone = rollback(shop)

    assert undone.receipt is None
    assert shop.writes == []


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("sessionAffinity", "ClientIP", r'spec\.sessionAffinity: "None" is now "ClientIP"'),
        ("selector", {"app": "greeter-v2"}, r'spec\.selector\.app: "greeter-grpclb-envoy" is now "greeter-v2"'),
        ("trafficDistribution", "PreferClose", r'spec\.trafficDistribution: absent is now "PreferClose"'),
    ],
)
def test_a_service_that_somebody_changed_since_is_left_alone_and_the_change_is_named(
    fixed: FakeWorkshop, field: str, value: object, says: str
) -> None:
    fixed.change_service(lambda held: held["spec"].update({field: value}))
    spec = fixed.service["spec"]

    with pytest.raises(RefusedError, match=says):
        rollback(fixed)

    assert fixed.writes == []
    assert fixed.service["spec"] == spec


def test_a_change_that_names_itself_with_terminal_escapes_is_shown_without_them(fixed: FakeWorkshop) -> None:
    fixed.change_service(lambda held: held["spec"].update(externalName="\x1b[2Jevil"))

    with pytest.raises(RefusedError) as caught:
        rollback(fixed)

    assert "\x1b" not in str(caught.value)


def test_an_original_manifest_that_was_applied_again_leaves_only_the_bundle_to_remove(fixed: FakeWorkshop) -> None:
    fixed.change_service(lambda held: held.update(spec=BEFORE))

    undone = rollback(fixed)

    assert not undone.restored
    assert [each for each in fixed.changes if isinstance(each, PatchObject)] == []
    assert fixed.service["spec"] == BEFORE
    assert fixed.ours == []


def test_an_original_that_is_no_longer_there_leaves_only_the_bundle_to_remove(fixed: FakeWorkshop) -> None:
    fixed.api.held.pop(("services", "shop", "greeter"))

    rollback(fixed)

    assert fixed.ours == []


def test_a_service_that_was_made_anew_with_envoys_selector_is_left_alone(fixed: FakeWorkshop) -> None:
    spec = fixed.service["spec"]
    fixed.api.held.pop(("services", "shop", "greeter"))
    fixed.api.put("services", {"metadata": {"name": "greeter", "namespace": "shop"}, "spec": spec})

    with pytest.raises(RefusedError, match="recreated after the fix"):
        rollback(fixed)

    assert fixed.writes == []


def test_a_service_that_changes_while_it_is_rolled_back_is_not_overwritten(fixed: FakeWorkshop) -> None:
    fixed.before[3] = lambda: fixed.change_service(lambda held: held["spec"].update(sessionAffinity="ClientIP"))

    with pytest.raises(RefusedError, match=r"spec\.sessionAffinity"):
        rollback(fixed)

    assert fixed.service["spec"]["sessionAffinity"] == "ClientIP"
    assert ("deployments", "greeter-grpclb-envoy") in fixed.ours


def test_envoy_is_left_running_while_clients_are_connected_to_it(fixed: FakeWorkshop) -> None:
    fixed.reconnect, fixed.stay_connected = False, True

    with pytest.raises(RefusedError, match="2 client connections through Envoy did not close within 60 s"):
        rollback(fixed)

    assert fixed.service["spec"] == BEFORE
    assert ("deployments", "greeter-grpclb-envoy") in fixed.ours
    assert ("leases", "greeter-grpclb") not in fixed.ours


def test_a_rollback_that_left_envoy_running_is_finished_when_the_clients_are_gone(fixed: FakeWorkshop) -> None:
    fixed.reconnect, fixed.stay_connected = False, True
    with pytest.raises(RefusedError, match="through Envoy did not close"):
        rollback(fixed)
    fixed.stay_connected = False

    rollback(fixed)

    assert fixed.ours == []


def test_recycling_moves_clients_that_do_not_leave_by_themselves(fixed: FakeWorkshop) -> None:
    fixed.reconnect, fixed.stay_connected = False, True

    rollback(fixed, recycle="clients")

    assert fixed.ours == []


def test_a_rollback_that_is_interrupted_says_how_it_is_continued(fixed: FakeWorkshop) -> None:
    fixed.reconnect, fixed.stay_connected = False, True
    talk = Listener()

    with pytest.raises(TimeoutError):
        run(asyncio.wait_for(rolling_back(fixed, talk), timeout=30))

    assert talk.lines[-1] == (
        "interrupted: the rollback is not finished; `kubectl grpclb rollback greeter -n shop` continues it"
    )
    fixed.follow()
    rollback(fixed)
    assert fixed.ours == []


def test_a_rollback_that_is_interrupted_is_continued_with_its_own_flags(fixed: FakeWorkshop, state: Path) -> None:
    fixed.reconnect, fixed.stay_connected = False, True
    fixed.passed_through = 1
    (file,) = state.rglob("*.json")
    talk = Listener()

    with pytest.raises(TimeoutError):
        run(asyncio.wait_for(rolling_back(fixed, talk, "clients", file), timeout=30))

    assert f"rollback greeter -n shop --recycle clients --receipt {file}` continues it" in talk.lines[-1]


def test_an_object_of_the_bundle_whose_label_is_gone_is_not_deleted(fixed: FakeWorkshop) -> None:
    budget = ("poddisruptionbudgets", "shop", "greeter-grpclb-envoy")
    fixed.api.change(budget, lambda held: held["metadata"].update(labels={}))

    with pytest.raises(RefusedError, match="is not the object that the fix created"):
        rollback(fixed)

    assert budget in fixed.api.held
    assert RECEIPT in fixed.api.held


def test_a_receipt_of_a_newer_version_is_not_acted_upon(fixed: FakeWorkshop) -> None:
    fixed.api.change(RECEIPT, lambda held: held.update(data={"receipt.json": '{"schema": 99}'}))

    with pytest.raises(BadReceiptError, match="newer kubectl-grpclb"):
        rollback(fixed)

    assert fixed.writes == []


def test_a_config_map_that_holds_no_receipt_is_not_acted_upon(fixed: FakeWorkshop) -> None:
    fixed.api.change(RECEIPT, lambda held: held.update(data={}))

    with pytest.raises(BadReceiptError, match="not the receipt of a fix"):
        rollback(fixed)


@pytest.mark.parametrize("data", [{}, {"receipt.json": '{"schema": 2, "namesp'}], ids=["empty", "cut off"])
def test_a_receipt_that_is_damaged_in_the_cluster_may_come_from_a_file(
    fixed: FakeWorkshop, state: Path, data: dict[str, str]
) -> None:
    (file,) = state.rglob("*.json")
    fixed.api.change(RECEIPT, lambda held: held.update(data=data))
    with pytest.raises(BadReceiptError, match="for --receipt"):
        rollback(fixed)

    undone = rollback(fixed, file=file)

    assert undone.restored
    assert fixed.ours == []


def test_a_receipt_of_a_newer_version_is_not_replaced_by_a_file(fixed: FakeWorkshop, state: Path) -> None:
    (file,) = state.rglob("*.json")
    fixed.api.change(RECEIPT, lambda held: held.update(data={"receipt.json": '{"schema": 99}'}))

    with pytest.raises(BadReceiptError, match="newer kubectl-grpclb"):
        rollback(fixed, file=file)


def test_a_receipt_that_the_cluster_lost_may_come_from_a_file(fixed: FakeWorkshop, state: Path) -> None:
    fixed.api.held.pop(RECEIPT)
    file = next(state.rglob("*.json"))

    rollback(fixed, file=file)

    assert fixed.service["spec"] == BEFORE
    assert fixed.ours == []


def test_another_machine_without_a_receipt_of_its_own_rolls_back_as_well(
    fixed: FakeWorkshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))

    rollback(fixed)

    assert fixed.ours == []
    assert not (tmp_path / "another").exists()


def test_a_service_that_is_not_there_is_not_taken_for_one_without_a_fix(shop: FakeWorkshop) -> None:
    shop.api.held.pop(("services", "shop", "greeter"))

    with pytest.raises(ClusterError, match='Service "greeter" does not exist in namespace "shop"') as caught:
        rollback(shop)

    assert caught.value.exit_code == 4
    assert shop.writes == []


def test_the_lease_of_a_killed_fix_is_removed_though_its_service_is_gone(shop: FakeWorkshop) -> None:
    killed(fix, shop, after=1)
    shop.api.held.pop(("services", "shop", "greeter"))

    undone = rollback(shop)

    assert undone.receipt is None
    assert shop.ours == []
