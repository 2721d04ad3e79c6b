"""fix as a user runs it, against a cluster in memory: what is said, where, and the exit code."""

import errno
import io
import json
import re

import pytest
import yaml

from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import AskChannelz
from kubectl_grpclb.model.write import Denied
from tests.commands.line import Run
from tests.fake_workshop import FakeWorkshop

WEBHOOK = 'admission webhook "images.example.com" denied the request'


def fix(grpclb: Run, *flags: str) -> tuple[int, str, str]:
    return grpclb("fix", "greeter", "--strategy", "envoy", "--window", "0", *flags)


def test_a_fix_says_its_steps_on_standard_error_and_its_outcome_on_standard_output(
    shop: FakeWorkshop, grpclb: Run
) -> None:
    code, out, err = fix(grpclb, "--yes")

    assert code == 0, err
    assert out.startswith("PENDING")
    assert "cut over" in err
    assert "cut over" not in out
    assert shop.leads_to_envoy


def test_asked_to_be_verbose_a_fix_tells_every_request_on_standard_error(shop: FakeWorkshop, grpclb: Run) -> None:
    _, out, err = fix(grpclb, "--yes", "-v")

    assert "\napply deployments.apps greeter-grpclb-envoy in namespace shop  ok\n" in err
    assert "\npatch services greeter in namespace shop  ok\n" in err
    assert "patch services" not in out


@pytest.mark.parametrize("twice", [["-vv"], ["-v", "-v"], ["-v=6"], ["--v=6"], ["-v", "6"]], ids=" ".join)
def test_asked_for_twice_it_also_tells_when_and_how_long(shop: FakeWorkshop, grpclb: Run, twice: list[str]) -> None:
    _, _, err = fix(grpclb, "--yes", *twice)

    assert re.search(r"\n20\d\d-\S+Z +\d+ ms  patch services greeter in namespace shop  ok\n", err)


def test_otherwise_it_tells_the_steps_only(shop: FakeWorkshop, grpclb: Run) -> None:
    _, _, err = fix(grpclb, "--yes")

    assert "patch services" not in err


class _Closed(io.StringIO):
    """A stream whose reader went away."""

    def write(self, _: str) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def test_a_reader_of_the_steps_that_goes_away_stops_no_fix_half_way(
    shop: FakeWorkshop, grpclb: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr", _Closed())

    code, out, _ = fix(grpclb, "--yes")

    assert code == 0
    assert out.startswith("PENDING")
    assert shop.leads_to_envoy


def test_a_fix_gives_its_outcome_as_json(shop: FakeWorkshop, grpclb: Run) -> None:
    _, out, _ = fix(grpclb, "--yes", "-o", "json")

    data = json.loads(out)
    assert (data["kind"], data["outcome"]) == ("Report", "pending")
    assert data["outcomeReason"].startswith("connections from before the fix are still open")
    assert data["before"]["effectivePods"] == 1.0


def test_without_a_terminal_and_without_yes_nothing_is_changed(shop: FakeWorkshop, grpclb: Run) -> None:
    code, out, err = fix(grpclb)

    assert code == 2
    assert "--yes" in err
    assert out == ""
    assert shop.writes == []


def test_a_bare_dry_run_prints_the_manifests_and_asks_nothing_of_the_cluster(shop: FakeWorkshop, grpclb: Run) -> None:
    code, out, err = fix(grpclb, "--dry-run")

    assert code == 0, err
    assert [each["kind"] for each in yaml.safe_load_all(out) if each][-1] == "Deployment"
    assert shop.writes == []


def test_a_dry_run_of_the_server_has_everything_admitted_and_changes_nothing(shop: FakeWorkshop, grpclb: Run) -> None:
    code, out, err = fix(grpclb, "--dry-run=server")

    assert code == 0, err
    assert "deployments.apps/greeter-grpclb-envoy serverside-applied (server dry run)\n" in out
    assert "services/greeter patched (server dry run)\n" in out
    assert shop.changes == []
    assert shop.ours == []


def test_a_dry_run_of_the_server_that_refuses_something_says_so_and_fails(shop: FakeWorkshop, grpclb: Run) -> None:
    shop.denies["Deployment"] = Denied(403, GapReason.FORBIDDEN, WEBHOOK)

    code, out, _ = fix(grpclb, "--dry-run=server")

    assert code == 4
    assert f"deployments.apps/greeter-grpclb-envoy refused: {WEBHOOK}\n" in out


REFUSED = "error: do not apply what is shown: The Service has internalTrafficPolicy Local"


def refuse(shop: FakeWorkshop) -> None:
    """Let the Service be one before which Envoy would drop traffic."""
    shop.change_service(lambda held: held["spec"].update(internalTrafficPolicy="Local"))


def test_a_dry_run_of_what_is_refused_prints_the_manifests_and_fails(shop: FakeWorkshop, grpclb: Run) -> None:
    refuse(shop)

    code, out, err = fix(grpclb, "--dry-run")

    assert code == 4
    assert [each["kind"] for each in yaml.safe_load_all(out) if each][-1] == "Deployment"
    assert REFUSED in err


@pytest.mark.parametrize("flag", ["--dry-run=server", "--diff"])
def test_what_is_refused_fails_also_where_the_server_would_admit_it(shop: FakeWorkshop, grpclb: Run, flag: str) -> None:
    refuse(shop)

    code, out, err = fix(grpclb, flag)

    assert code == 4
    assert "greeter-grpclb-envoy" in out
    assert REFUSED in err


def test_manifests_for_a_repository_are_no_failure(shop: FakeWorkshop, grpclb: Run) -> None:
    tracked = {"argocd.argoproj.io/tracking-id": "shop:/Service:shop/greeter"}
    shop.change_service(lambda held: held["metadata"].update(annotations=tracked))

    code, out, err = fix(grpclb, "--dry-run")

    assert code == 0, err
    assert "refused (gitops)" in err
    assert "kind: Deployment" in out


def test_manifests_for_somebody_who_may_apply_them_are_no_failure(shop: FakeWorkshop, grpclb: Run) -> None:
    shop.forbidden = {("create", "deployments")}

    code, out, err = fix(grpclb, "--dry-run")

    assert code == 0, err
    assert "refused (permissions)" in err
    assert "kind: Deployment" in out


def test_a_cure_that_is_refused_ends_with_4_also_where_it_would_change_nothing(shop: FakeWorkshop, grpclb: Run) -> None:
    code, out, err = grpclb("fix", "greeter", "--strategy", "gateway", "--window", "0", "--yes")

    assert (code, out) == (4, "")
    assert "this fix was not started: The cluster does not serve GRPCRoute" in err
    assert "kind: GRPCRoute" in err


def test_a_difference_is_shown_as_diff_shows_it(shop: FakeWorkshop, grpclb: Run) -> None:
    code, out, err = fix(grpclb, "--diff")

    assert code == 1, err
    assert "-    app: greeter\n+    app: greeter-grpclb-envoy\n" in out
    assert shop.changes == []


def test_a_difference_of_envoys_configuration_is_shown_line_by_line(shop: FakeWorkshop, grpclb: Run) -> None:
    _, new, _ = fix(grpclb, "--diff")
    fix(grpclb, "--yes")
    _, changed, _ = fix(grpclb, "--diff", "--lb-policy", "least-request")

    assert "+  envoy.yaml: |\n+    admin:\n" in new
    assert re.search(r"\n- +name: \S+\.round_robin\n\+ +name: \S+\.least_request\n", changed)


def test_a_difference_is_none_where_the_fix_is_in_place(shop: FakeWorkshop, grpclb: Run) -> None:
    fix(grpclb, "--yes")

    code, out, err = fix(grpclb, "--diff")

    assert (code, out) == (0, ""), err


def test_a_difference_is_shown_by_the_program_that_the_user_names(
    shop: FakeWorkshop, grpclb: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECTL_EXTERNAL_DIFF", "ls -1")

    code, out, _ = fix(grpclb, "--diff")

    assert code == 0
    assert "deployments.apps.shop.greeter-grpclb-envoy" in out


def test_a_program_for_differences_that_is_not_there_is_named(
    shop: FakeWorkshop, grpclb: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECTL_EXTERNAL_DIFF", "/nonexistent/differ -u")

    code, _, err = fix(grpclb, "--diff")

    assert code == 4
    assert "could not run /nonexistent/differ" in err


def test_a_program_for_differences_with_a_quote_too_many_is_said_so(
    shop: FakeWorkshop, grpclb: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECTL_EXTERNAL_DIFF", "diff -u '")

    code, _, err = fix(grpclb, "--diff")

    assert code == 4
    assert "error: KUBECTL_EXTERNAL_DIFF is not a command: No closing quotation\n" in err


def test_what_the_cluster_refuses_is_named_beside_the_difference_of_the_rest(shop: FakeWorkshop, grpclb: Run) -> None:
    shop.denies["Deployment"] = Denied(403, GapReason.FORBIDDEN, WEBHOOK)
    shop.unchangeable["greeter"] = Denied(403, GapReason.FORBIDDEN, 'services "greeter" is forbidden')

    code, out, err = fix(grpclb, "--diff")

    assert code == 4
    assert f"error: deployments.apps/greeter-grpclb-envoy refused: {WEBHOOK}\n" in err
    assert 'error: services/greeter refused: services "greeter" is forbidden\n' in err
    assert "+kind: ConfigMap\n" in out
    assert "kind: Deployment" not in out


def test_what_may_not_be_read_is_not_shown_as_if_it_were_new(shop: FakeWorkshop, grpclb: Run) -> None:
    fix(grpclb, "--yes")
    shop.failing["poddisruptionbudgets"] = 9

    code, out, err = fix(grpclb, "--diff")

    assert code == 4
    assert "error: poddisruptionbudgets.policy/greeter-grpclb-envoy could not be read: " in err
    assert "kind: PodDisruptionBudget" not in out


def test_a_stage_that_is_refused_ends_with_4_and_says_what_is_left(shop: FakeWorkshop, grpclb: Run) -> None:
    shop.denies["Deployment"] = Denied(403, GapReason.FORBIDDEN, WEBHOOK)

    code, out, err = fix(grpclb, "--yes")

    assert (code, out) == (4, "")
    assert WEBHOOK in err
    assert "The Service was not touched" in err


def test_staging_only_says_what_is_next(shop: FakeWorkshop, grpclb: Run) -> None:
    code, out, _ = fix(grpclb, "--yes", "--stage-only")

    assert code == 0
    assert out.startswith("Staged: Service greeter is untouched.")


def test_a_fix_that_has_nothing_to_do_says_so(shop: FakeWorkshop, grpclb: Run) -> None:
    fix(grpclb, "--yes")

    code, out, _ = fix(grpclb, "--yes")

    assert code == 0
    assert out.startswith("Nothing to do: greeter is already fixed")


NOTHING = "Nothing to do: greeter is already fixed, and its Envoys are up to date.\n"


def test_a_difference_says_that_there_is_nothing_to_do_where_fix_would(shop: FakeWorkshop, grpclb: Run) -> None:
    fix(grpclb, "--yes")
    shop.revive()

    code, out, err = fix(grpclb, "--diff")

    assert (code, out, err) == (0, "", NOTHING)
    assert shop.changes == []


def test_a_dry_run_says_so_too_and_prints_what_is_there_for_a_repository(shop: FakeWorkshop, grpclb: Run) -> None:
    fix(grpclb, "--yes")
    shop.revive()

    code, out, err = fix(grpclb, "--dry-run")

    assert (code, err) == (0, NOTHING)
    assert [each["kind"] for each in yaml.safe_load_all(out) if each][-1] == "Deployment"
    assert shop.changes == []


def test_a_dry_run_of_the_server_says_so_too(shop: FakeWorkshop, grpclb: Run) -> None:
    fix(grpclb, "--yes")

    code, out, err = fix(grpclb, "--dry-run=server")

    assert (code, err) == (0, NOTHING)
    assert "deployments.apps/greeter-grpclb-envoy serverside-applied (server dry run)\n" in out


@pytest.mark.parametrize("flag", ["--dry-run", "--diff"])
def test_a_plan_is_shown_where_the_envoys_would_change(shop: FakeWorkshop, grpclb: Run, flag: str) -> None:
    fix(grpclb, "--yes")

    _, out, err = fix(grpclb, flag, "--access-log", "all")

    assert err.startswith("Bring the Envoys of greeter up to date")
    assert "greeter-grpclb-envoy" in out


def test_a_plan_is_shown_where_clients_would_be_restarted(shop: FakeWorkshop, grpclb: Run) -> None:
    fix(grpclb, "--yes")

    code, out, err = fix(grpclb, "--diff", "--recycle", "clients")

    assert (code, out) == (0, "")
    assert "restart Deployment/caller in shop" in err


def channelz_asked(shop: FakeWorkshop) -> list[AskChannelz]:
    """What the servers' channelz was asked."""
    return [each for each in shop.requests if isinstance(each, AskChannelz) and each.role == "server"]


def test_a_fix_diagnoses_from_the_sources_that_it_is_told(shop: FakeWorkshop, grpclb: Run) -> None:
    code, _, err = fix(grpclb, "--dry-run", "--channelz-port", "9090", "--tls")

    assert code == 0, err
    assert {(each.port, each.tls) for each in channelz_asked(shop)} == {(9090, True)}


def test_a_fix_is_verified_from_the_sources_that_it_is_told(shop: FakeWorkshop, grpclb: Run) -> None:
    fix(grpclb, "--dry-run", "--channelz-port", "9090")
    before = len(channelz_asked(shop))
    shop.requests.clear()

    code, _, err = fix(grpclb, "--yes", "--channelz-port", "9090")

    assert code == 0, err
    assert {each.port for each in channelz_asked(shop)} == {9090}
    assert len(channelz_asked(shop)) == 2 * before
