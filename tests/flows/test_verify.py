"""What a fix came to: the diagnosis after it beside the one before it."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from kubectl_grpclb.flows.verify import EXIT_CODES, Verification, compared, may_be_older, verify
from kubectl_grpclb.model.command import Aim, ClusterFlags
from kubectl_grpclb.model.errors import RefusedError
from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.model.receipt import Before, Receipt
from kubectl_grpclb.probes.ask import Ask
from tests.change.acts import ASK, fix
from tests.fake_workshop import FakeWorkshop
from tests.report.builders import balance, finding, nothing_measured, report, weighed
from tests.rules.builders import of_counts
from tests.virtual_time import run

BEFORE = Before(verdict="unbalanced", balance=weighed((2, 0, 0), 0.11), taken_at="2026-11-23T12:00:00Z")


def outcome_of(now: Report) -> str:
    return compared(BEFORE, now, ASK.aim).outcome


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep receipts in a folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_load_that_is_spread_now_is_fixed() -> None:
    assert outcome_of(report("balanced")) == "fixed"


def test_connections_from_before_make_it_pending() -> None:
    now = report("unbalanced", balance=weighed((2, 0, 0), 0.11), findings=(finding("GLB105"),))

    assert outcome_of(now) == "pending"


def test_connections_from_before_make_it_pending_even_where_load_looks_even() -> None:
    assert outcome_of(report("balanced", findings=(finding("GLB105", severity="info"),))) == "pending"


def test_connections_from_before_are_moved_by_a_command_that_can_be_copied() -> None:
    aim = Aim("shop", "greeter", port="80", flags=ClusterFlags(context="kind-shop"))
    now = report("unbalanced", balance=weighed((2, 0, 0), 0.11), findings=(finding("GLB105"),))

    reason = compared(BEFORE, now, aim).reason

    assert "`kubectl grpclb fix greeter -n shop --context kind-shop --port 80 --recycle clients`" in reason


def test_load_that_sticks_as_before_is_unchanged() -> None:
    assert outcome_of(report("unbalanced", balance=weighed((2, 0, 0), 0.11))) == "unchanged"


def test_load_that_is_spread_over_a_little_less_than_before_is_unchanged() -> None:
    before = Before(verdict="unbalanced", balance=weighed((60, 40, 0), None), taken_at="2026-11-23T12:00:00Z")

    now = report("unbalanced", balance=weighed((61, 39, 0), None))

    assert compared(before, now, ASK.aim).outcome == "unchanged"


def test_load_that_sticks_to_fewer_pods_than_before_is_worse() -> None:
    before = Before(verdict="unbalanced", balance=weighed((1, 1, 0), 0.66), taken_at="2026-11-23T12:00:00Z")

    assert compared(before, report("unbalanced", balance=weighed((2, 0, 0), 0.11)), ASK.aim).outcome == "worse"


def test_more_pods_that_do_as_large_a_share_as_before_are_no_change() -> None:
    now = report("unbalanced", balance=weighed((2, 0, 0, 2, 0, 0), None))

    assert outcome_of(now) == "unchanged"


def test_a_service_that_leads_past_envoy_again_is_not_fixed() -> None:
    now = report("unbalanced", balance=weighed((2, 0, 0), 0.11), findings=(finding("GLB301"),))

    verification = compared(BEFORE, now, ASK.aim)

    assert verification.outcome == "unchanged"
    assert verification.reason == "the Service bypasses Envoy, so the fix is not in use"


def test_a_service_that_leads_past_envoy_is_not_taken_for_fixed_though_load_is_even_by_chance() -> None:
    assert outcome_of(report("balanced", findings=(finding("GLB301"),))) != "fixed"


def test_one_pod_that_has_everything_shows_nothing() -> None:
    assert outcome_of(report("balanced", balance=weighed((9,), None))) == "unknown"


def test_load_that_nobody_made_before_cannot_have_become_worse_nor_stayed_as_it_was() -> None:
    before = Before(verdict="idle", balance=balance(effective_pods=0.0), taken_at="2026-11-23T12:00:00Z")

    assert compared(before, report("unbalanced", balance=weighed((2, 0, 0), 0.11)), ASK.aim).outcome == "unknown"


def test_figures_of_another_signal_are_not_called_worse() -> None:
    before = Before(verdict="unbalanced", balance=weighed((3, 2, 0), 0.4), taken_at="2026-11-23T12:00:00Z")
    requests = replace(weighed((400, 50, 50), None), signal="requests")

    assert compared(before, report("unbalanced", balance=requests), ASK.aim).outcome == "unchanged"


def of_affinity(at: str) -> Receipt:
    """A fix that removed affinity."""
    return Receipt(
        schema=1,
        tool="kubectl-grpclb 0.1.0",
        context="kind-shop",
        namespace="shop",
        service="greeter",
        uid="5b1d",
        strategy="service",
        step="done",
        at=at,
        original={},
        change=None,
        made=(),
        before=BEFORE,
    )


def test_clients_that_are_older_than_the_change_may_hold_connections_from_before() -> None:
    now = of_counts(2, 0, 0)  # clients an hour old

    assert may_be_older(of_affinity("2026-11-23T11:30:00Z"), now)
    assert not may_be_older(of_affinity("2026-11-23T10:30:00Z"), now)


def test_only_a_change_of_the_service_itself_asks_for_the_clients_ages() -> None:
    assert not may_be_older(replace(of_affinity("2026-11-23T11:30:00Z"), strategy="headless"), of_counts(2, 0, 0))


def test_load_that_sticks_over_connections_from_before_affinity_was_removed_is_pending() -> None:
    now = report("unbalanced", balance=weighed((2, 0, 0), 0.11))

    assert compared(BEFORE, now, ASK.aim, older=True).outcome == "pending"


def test_affinity_that_is_back_is_no_matter_of_old_connections() -> None:
    now = report("unbalanced", balance=weighed((2, 0, 0), 0.11), findings=(finding("GLB201"),))

    assert compared(BEFORE, now, ASK.aim, older=True).outcome == "unchanged"


def test_no_client_at_all_shows_nothing() -> None:
    assert outcome_of(report("idle")) == "unknown"


def test_too_little_that_could_be_read_shows_nothing_and_says_why() -> None:
    now = report("inconclusive", reason="none of 3 pods could be looked into", balance=nothing_measured(3))

    assert compared(BEFORE, now, ASK.aim).reason == "none of 3 pods could be looked into"
    assert outcome_of(now) == "unknown"


def test_what_was_not_measured_before_cannot_be_compared() -> None:
    before = Before(verdict="inconclusive", balance=nothing_measured(3), taken_at="2026-11-23T12:00:00Z")

    assert compared(before, report("unbalanced", balance=balance(effective_pods=1.0)), ASK.aim).outcome == "unknown"


@pytest.mark.parametrize(
    ("outcome", "code"), [("fixed", 0), ("pending", 0), ("unchanged", 5), ("worse", 5), ("unknown", 3)]
)
def test_the_exit_code_is_the_contracts(outcome: str, code: int) -> None:
    assert dict(EXIT_CODES)[outcome] == code  # type: ignore[index] # an Outcome


def verified(shop: FakeWorkshop, ask: Ask = ASK) -> Verification:
    return run(verify(shop, ask))


def test_verify_compares_with_the_diagnosis_in_the_receipt() -> None:
    shop = FakeWorkshop()
    shop.reconnect = True
    fix(shop)

    verification = verified(shop)

    assert verification.outcome == "fixed"
    assert verification.before.effective_pods == 1.0
    assert verification.report.balance.effective_pods == 3.0


def test_verify_changes_nothing() -> None:
    shop = FakeWorkshop()
    fix(shop)
    shop.revive()

    verified(shop)

    assert shop.writes == []


def test_verify_without_a_fix_is_refused_and_names_diagnose() -> None:
    with pytest.raises(RefusedError, match=r"no fix of Service greeter is recorded.*kubectl grpclb diagnose"):
        verified(FakeWorkshop())


def test_verify_after_the_original_manifest_was_applied_again_shows_no_cure() -> None:
    shop = FakeWorkshop()
    before = shop.service["spec"]
    fix(shop)
    shop.change_service(lambda held: held.update(spec=before))

    assert verified(shop).outcome == "unchanged"
