"""The commands that are printed to be copied: as they stand they reach the cluster and the port that were asked."""

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.commands.line import Run
from tests.fake_workshop import FakeWorkshop

TWO_PORTS = [{"name": "grpc", "port": 80, "targetPort": "grpc"}, {"name": "admin", "port": 81, "targetPort": 9090}]
STAGING = ("--context", "staging", "--kubeconfig", "my clusters/staging.yaml", "--as", "jane")
RECEIPT = ("configmaps", "shop", "greeter-grpclb")
SAID = "-n shop --context staging --kubeconfig 'my clusters/staging.yaml'"


@pytest.fixture(autouse=True)
def _wide(shop: FakeWorkshop, monkeypatch: pytest.MonkeyPatch) -> None:  # which sets it narrower
    """Leave commands on one line."""
    monkeypatch.setenv("COLUMNS", "200")


def to_copy(out: str) -> list[str]:
    """The commands below the findings; a page needs no cluster."""
    return [each for each in re.findall(r"^  \$ (.*)$", out, re.MULTILINE) if " explain " not in each]


def test_what_a_diagnosis_says_to_do_reaches_the_same_cluster(grpclb: Run) -> None:
    _, out, _ = grpclb("diagnose", "greeter", "--window", "0", *STAGING)

    copied = to_copy(out)
    assert copied[0] == f"kubectl grpclb fix greeter {SAID} --dry-run"
    assert f"kubectl rollout restart deployment/caller {SAID}" in copied
    assert [each for each in copied if SAID not in each] == []


def test_what_is_said_to_do_is_data_as_well(grpclb: Run) -> None:
    _, out, _ = grpclb("diagnose", "greeter", "--window", "0", "--cluster", "east", "-o", "json")

    report = json.loads(out)
    assert report["findings"][0]["next"][0] == "kubectl grpclb fix greeter -n shop --cluster east --dry-run"
    assert set(report["target"]) == {"context", "namespace", "service", "port", "targetPort"}


def test_a_recorded_file_says_what_the_diagnosis_said(grpclb: Run, tmp_path: Path) -> None:
    file = str(tmp_path / "greeter.json")

    _, live, _ = grpclb("diagnose", "greeter", "--window", "0", "--port", "grpc", "--record", file, *STAGING)
    _, replayed, _ = grpclb("diagnose", "--from", file)

    assert f"{SAID} --port grpc --dry-run" in live
    assert replayed == live


def test_a_file_keeps_whose_cluster_was_asked_only_as_it_was_said(grpclb: Run) -> None:
    _, out, _ = grpclb("record", "greeter", "--window", "0", *STAGING)
    _, plain, _ = grpclb("record", "greeter", "--window", "0")

    assert json.loads(out)["target"]["flags"] == {"context": "staging", "kubeconfig": "my clusters/staging.yaml"}
    assert "jane" not in out
    assert "flags" not in json.loads(plain)["target"]


def test_what_a_diagnosis_says_to_do_looks_where_it_looked(grpclb: Run, tmp_path: Path) -> None:
    file = str(tmp_path / "greeter.json")
    looking = ("--channelz-port", "9090", "--tls", "--metrics-path", "/stats", "--cluster-domain", "example.org")

    _, live, _ = grpclb("diagnose", "greeter", "--window", "0", "--record", file, *looking)
    _, replayed, _ = grpclb("diagnose", "--from", file)

    said = "--cluster-domain example.org --tls --metrics-path /stats --channelz-port 9090"
    assert to_copy(live)[0] == f"kubectl grpclb fix greeter -n shop {said} --dry-run"
    assert replayed == live


def test_a_password_of_prometheus_is_in_no_command_and_in_no_file(grpclb: Run, tmp_path: Path) -> None:
    file = tmp_path / "greeter.json"
    where = ("--prometheus", "http://jane:s3cret@127.0.0.1:9/prom", "--via", "exec")

    _, out, _ = grpclb("diagnose", "greeter", "--window", "0", "--record", str(file), *where)

    assert "--prometheus http://127.0.0.1:9/prom" in to_copy(out)[0]
    assert "s3cret" not in out + file.read_text()


def test_the_fix_of_a_service_with_several_ports_can_be_copied(shop: FakeWorkshop, grpclb: Run) -> None:
    shop.api.held["services", "shop", "greeter"]["spec"]["ports"] = TWO_PORTS
    _, out, _ = grpclb("diagnose", "greeter", "--window", "0", "--port", "grpc")

    (copied, *_) = to_copy(out)
    code, _, err = grpclb(*shlex.split(copied)[2:])

    assert copied == "kubectl grpclb fix greeter -n shop --port grpc --dry-run"
    assert (code, "several ports" in err) == (0, False)


def test_the_cut_over_of_a_dry_run_reaches_the_same_cluster(grpclb: Run, tmp_path: Path) -> None:
    file = str(tmp_path / "greeter.json")
    grpclb("record", "greeter", "--window", "0", "-f", file, *STAGING)

    _, live, _ = grpclb("fix", "greeter", "--window", "0", "--strategy", "envoy", "--dry-run", *STAGING)
    _, recorded, _ = grpclb("fix", "--from", file, "--strategy", "envoy")

    patch = f"#   kubectl patch service greeter {SAID} --type=json -p "
    assert (live.count(patch), recorded.count(patch)) == (2, 2)


def test_a_fix_that_is_done_says_how_to_take_it_back_there(grpclb: Run) -> None:
    code, out, err = grpclb("fix", "greeter", "--window", "0", "--strategy", "headless", "--yes", *STAGING)

    assert code == 0, err
    assert out.endswith(f". `kubectl grpclb rollback greeter {SAID}` undoes it.\n")


def test_a_fix_that_is_staged_says_how_to_go_on_there(grpclb: Run) -> None:
    _, out, _ = grpclb("fix", "greeter", "--window", "0", "--strategy", "envoy", "--stage-only", "--yes", *STAGING)

    assert f"`kubectl grpclb fix greeter {SAID}` cuts over" in out
    assert f"`kubectl grpclb rollback greeter {SAID}` removes" in out


def test_a_fix_that_gets_no_answer_any_more_says_how_to_go_on_there(shop: FakeWorkshop, grpclb: Run) -> None:
    shop.silent_after = 12
    flags = ("--window", "0", "--port", "grpc", "--strategy", "envoy", "--recycle", "clients", "--yes")

    code, _, err = grpclb("fix", "greeter", *flags, *STAGING)

    assert code == 4
    assert f"`kubectl grpclb fix greeter {SAID} --port grpc` continues" in err
    assert f"`kubectl grpclb rollback greeter {SAID}` undoes it" in err


def test_a_receipt_knows_nothing_of_the_flags(shop: FakeWorkshop, grpclb: Run) -> None:
    grpclb("fix", "greeter", "--window", "0", "--strategy", "envoy", "--yes", *STAGING)

    assert "staging" not in json.dumps(shop.api.held[RECEIPT])


def test_without_a_fix_to_verify_the_diagnosis_to_run_is_the_same_clusters(grpclb: Run) -> None:
    _, _, err = grpclb("verify", "greeter", "--port", "grpc", *STAGING)

    assert f"`kubectl grpclb diagnose greeter {SAID} --port grpc` shows the current state" in err


def test_a_rollback_that_finds_a_receipt_here_says_so_for_that_cluster(shop: FakeWorkshop, grpclb: Run) -> None:
    grpclb("fix", "greeter", "--window", "0", "--strategy", "envoy", "--yes")
    shop.api.held.pop(RECEIPT)

    _, _, err = grpclb("rollback", "greeter", "--yes", *STAGING)

    assert f"`kubectl grpclb rollback greeter {SAID} --receipt " in err


def test_without_any_receipt_the_way_by_hand_is_for_that_cluster(
    shop: FakeWorkshop, grpclb: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grpclb("fix", "greeter", "--window", "0", "--strategy", "envoy", "--yes")
    shop.api.held.pop(RECEIPT)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))

    _, _, err = grpclb("rollback", "greeter", "--yes", *STAGING)

    assert f"`kubectl edit service greeter {SAID}`" in err
