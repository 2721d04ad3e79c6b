"""verify and rollback as a user runs them, against a cluster in memory: what is said, where, and the exit code."""

import json
from pathlib import Path

from tests.commands.line import Run
from tests.fake_workshop import FakeWorkshop


def fix(grpclb: Run, *flags: str) -> tuple[int, str, str]:
    return grpclb("fix", "greeter", "--strategy", "envoy", "--window", "0", *flags)


def test_verify_compares_and_changes_nothing(shop: FakeWorkshop, grpclb: Run) -> None:
    fix(grpclb, "--yes")
    shop.revive()

    code, out, _ = grpclb("verify", "greeter", "--window", "0")

    assert code == 0
    assert out.startswith("PENDING")
    assert shop.writes == []


def test_verify_asks_about_the_port_that_was_fixed(shop: FakeWorkshop, grpclb: Run) -> None:
    ports = [{"name": "grpc", "port": 80, "targetPort": "grpc"}, {"name": "admin", "port": 81, "targetPort": 9090}]
    shop.change_service(lambda held: held["spec"].update(ports=ports))
    done = fix(grpclb, "--port", "grpc", "--yes")
    shop.revive()

    code, out, err = grpclb("verify", "greeter", "--window", "0", "-o", "json")

    assert (done[0], code) == (0, 0), done[2] + err
    assert json.loads(out)["target"]["port"] == 80


def test_verify_without_a_fix_ends_with_4(shop: FakeWorkshop, grpclb: Run) -> None:
    code, out, err = grpclb("verify", "greeter", "--window", "0")

    assert (code, out) == (4, "")
    assert "no fix of Service greeter is recorded" in err


def test_a_fix_that_somebody_took_back_is_verified_as_no_cure(shop: FakeWorkshop, grpclb: Run) -> None:
    spec = shop.service["spec"]
    fix(grpclb, "--yes")
    shop.change_service(lambda held: held.update(spec=spec))

    code, out, _ = grpclb("verify", "greeter", "--window", "0", "-o", "json")

    assert code == 5
    data = json.loads(out)
    assert (data["outcome"], data["outcomeReason"]) == (
        "unchanged",
        "the Service bypasses Envoy, so the fix is not in use",
    )


def test_a_rollback_says_that_nothing_is_left(shop: FakeWorkshop, grpclb: Run) -> None:
    fix(grpclb, "--yes")

    code, out, err = grpclb("rollback", "greeter", "--yes")

    assert code == 0, err
    assert out == "Rolled back: Service greeter is as it was before the fix, and nothing of the fix is left.\n"
    assert shop.ours == []


def test_a_rollback_asks_before_it_changes_anything(shop: FakeWorkshop, grpclb: Run) -> None:
    fix(grpclb, "--yes")
    shop.revive()

    code, out, err = grpclb("rollback", "greeter")

    assert (code, out) == (2, "")
    assert "Rollback will put Service/greeter back" in err
    assert err.endswith("Give --yes to go on without being asked\n")
    assert shop.writes == []


def test_a_rollback_of_nothing_is_no_error(shop: FakeWorkshop, grpclb: Run) -> None:
    code, out, _ = grpclb("rollback", "greeter", "--yes")

    assert (code, out) == (0, "Nothing to roll back: no fix of Service greeter is recorded here.\n")


def test_a_receipt_that_is_not_there_is_not_taken_for_nothing_to_do(shop: FakeWorkshop, grpclb: Run) -> None:
    code, out, err = grpclb("rollback", "greeter", "--yes", "--receipt", "/nonexistent/receipt.json")

    assert (code, out) == (4, "")
    assert "could not read the receipt /nonexistent/receipt.json: No such file or directory" in err


def test_a_receipt_of_another_service_is_refused(shop: FakeWorkshop, grpclb: Run, tmp_path: Path) -> None:
    fix(grpclb, "--yes")
    file = next(tmp_path.rglob("*.json"))

    code, _, err = grpclb("rollback", "checkout", "--yes", "--receipt", str(file))

    assert code == 4
    assert "is the receipt of Service greeter in namespace shop, not of checkout in shop" in err
    assert shop.leads_to_envoy


def test_a_rollback_of_a_service_that_does_not_exist_is_an_error(shop: FakeWorkshop, grpclb: Run) -> None:
    code, out, err = grpclb("rollback", "greter", "--yes")

    assert (code, out) == (4, "")
    assert 'error: Service "greter" does not exist in namespace "shop"' in err


def test_verify_of_a_service_that_does_not_exist_names_one_that_does(shop: FakeWorkshop, grpclb: Run) -> None:
    code, out, err = grpclb("verify", "greter", "--window", "0")

    assert (code, out) == (4, "")
    assert 'error: Service "greter" does not exist in namespace "shop"; did you mean greeter?' in err
    assert "diagnose" not in err
