"""Each verb runs under exactly the role that is printed for it, and says what it lacks where one permission is gone."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from kubectl_grpclb.flows.diagnose import diagnosed, recorded
from kubectl_grpclb.flows.fix import fix as carry_out
from kubectl_grpclb.flows.verify import verify
from kubectl_grpclb.flows.wishes import Wishes
from kubectl_grpclb.model.errors import GrpclbError, RefusedError
from kubectl_grpclb.model.need import Feature, Verb
from kubectl_grpclb.model.plan import Plan
from kubectl_grpclb.model.prometheus import ProxiedService
from kubectl_grpclb.model.roles import Wants, roles_for
from tests.change.acts import ASK, Listener, fix, rollback
from tests.guarded_workshop import GuardedWorkshop
from tests.removals import Removal, removals
from tests.virtual_time import run

READ = frozenset[Feature]({"metrics", "channelz", "exec"})
CURES = READ | frozenset[Feature]({"envoy", "recycle", "autoscale", "network-policy"})
AUTOSCALED = {"autoscaling": {"most": 4}, "network_policy": True}


def wants(features: frozenset[Feature], service: str | None) -> Wants:
    return Wants(namespace="shop", service=service, features=features)


LOOK, CHANGE = wants(READ, None), wants(CURES, "greeter")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep this machine's receipts to the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def shop() -> GuardedWorkshop:
    """The Service `greeter`, unfixed, and nobody who may do anything."""
    return GuardedWorkshop()


@pytest.fixture
def fixed(shop: GuardedWorkshop) -> GuardedWorkshop:
    """The same, fixed."""
    shop.roles = roles_for("fix", CHANGE)
    fix(shop, recycle="clients", envoy=AUTOSCALED)
    shop.writes.clear()
    return shop


def diagnosis(shop: GuardedWorkshop) -> str:
    """What a diagnosis says, or why there is none."""
    try:
        report = diagnosed(run(recorded(shop, ASK)))
    except GrpclbError as error:
        return str(error)
    return "\n".join(line for each in report.findings for line in (each.message, *each.evidence))


def planned(plan: Plan) -> str:
    return "\n".join(check.message for check in plan.checks)


def told(act: Callable[[Listener], object]) -> str:
    """What a user hears who does not agree in the end."""
    listener = Listener(agrees=False)
    try:
        act(listener)
    except GrpclbError as error:
        return "\n".join((*listener.lines, *map(planned, listener.shown), str(error)))
    raise AssertionError("nobody was asked")


def cases(verb: Verb, least: Wants, *besides: str) -> list[object]:
    """Every removal, without what nothing in the shop is made of."""
    absent = {"statefulsets", *besides}
    every = {each.id: each for each in removals(verb, least)}
    return [pytest.param(each, id=name) for name, each in every.items() if not absent & {each.resource, name}]


def test_a_diagnosis_needs_no_more_than_its_role(shop: GuardedWorkshop) -> None:
    shop.roles = roles_for("diagnose", LOOK)

    assert "not permitted" not in diagnosis(shop)


@pytest.mark.parametrize("removal", cases("diagnose", LOOK, "pods/proxy"))
def test_a_diagnosis_says_which_permission_it_lacks(shop: GuardedWorkshop, removal: Removal) -> None:
    shop.roles = removal.roles

    assert removal.is_told(diagnosis(shop))


def test_a_fix_a_verification_and_a_rollback_need_no_more_than_their_roles(shop: GuardedWorkshop) -> None:
    shop.roles = roles_for("fix", CHANGE)
    listener = Listener()
    done = fix(shop, listener, recycle="clients", envoy=AUTOSCALED)
    shop.roles = roles_for("verify", wants(READ, "greeter"))
    verified = run(verify(shop, ASK))
    shop.roles = roles_for("rollback", CHANGE)
    undone = rollback(shop, recycle="clients")

    assert "not permitted" not in planned(listener.shown[0])
    assert done.verification is not None
    assert (done.verification.outcome, verified.outcome) == ("fixed", "fixed")
    assert (undone.restored, undone.unrestarted, shop.ours) == (True, (), [])


@pytest.mark.parametrize("removal", cases("fix", CHANGE, "daemonsets"))
def test_a_fix_says_which_permission_it_lacks_before_it_begins(shop: GuardedWorkshop, removal: Removal) -> None:
    shop.roles = removal.roles

    said = told(lambda listener: fix(shop, listener, recycle="clients", envoy=AUTOSCALED))

    assert removal.is_told(said)
    assert shop.changes == []


@pytest.mark.parametrize("removal", cases("verify", wants(READ, "greeter"), "pods/proxy", "list pods of all"))
def test_a_verification_says_which_permission_it_lacks(fixed: GuardedWorkshop, removal: Removal) -> None:
    fixed.roles = removal.roles

    try:
        report = run(verify(fixed, ASK)).report
        said = "\n".join(line for each in report.findings for line in (each.message, *each.evidence))
    except GrpclbError as error:
        said = str(error)

    assert removal.is_told(said)


@pytest.mark.parametrize("removal", cases("rollback", CHANGE, "daemonsets"))
def test_a_rollback_says_which_permission_it_lacks_before_it_begins(fixed: GuardedWorkshop, removal: Removal) -> None:
    fixed.roles = removal.roles

    said = told(lambda listener: rollback(fixed, listener, recycle="clients"))

    assert removal.is_told(said)
    assert fixed.changes == []


@pytest.mark.parametrize("served", [True, False])
def test_what_the_cluster_does_not_have_is_missed_by_nobody(
    shop: GuardedWorkshop, monkeypatch: pytest.MonkeyPatch, served: bool
) -> None:
    async def serves(group_version: str, resource: str) -> bool:
        return served and group_version == "monitoring.coreos.com/v1"

    monkeypatch.setattr(shop, "serves", serves)
    shop.roles = roles_for("fix", CHANGE)

    said = told(lambda listener: fix(shop, listener, recycle="clients", envoy=AUTOSCALED))

    assert ("You are not permitted to list podmonitors.monitoring.coreos.com in namespace shop" in said) is served


def test_a_rollback_without_a_receipt_says_where_it_may_not_look_for_a_lease(shop: GuardedWorkshop) -> None:
    (removal,) = (each for each in removals("rollback", CHANGE) if (each.verb, each.resource) == ("get", "leases"))
    shop.roles = removal.roles

    with pytest.raises(RefusedError, match='cannot get resource "leases"'):
        rollback(shop)


def test_recycling_needs_permissions_of_its_own(shop: GuardedWorkshop) -> None:
    shop.roles = roles_for("fix", wants(CURES - {"recycle"}, "greeter"))

    said = told(lambda listener: fix(shop, listener, recycle="clients", envoy=AUTOSCALED))

    assert 'resources: ["deployments"], verbs: ["patch"]' in said


def test_the_role_that_a_refusal_says_how_to_print_is_that_of_what_was_asked_for(shop: GuardedWorkshop) -> None:
    shop.roles = roles_for("fix", wants(frozenset({"envoy"}), "greeter"))

    listener = Listener(agrees=False)
    with pytest.raises(GrpclbError):
        fix(shop, listener, recycle="clients", envoy=AUTOSCALED)

    said = "\n".join(check.do for check in listener.shown[-1].refused)
    assert "`kubectl grpclb rbac fix -n shop --autoscale 2 --network-policy --recycle clients`" in said


def test_the_role_that_a_refused_rollback_says_how_to_print_is_that_of_its_fix(fixed: GuardedWorkshop) -> None:
    fixed.roles = roles_for("rollback", wants(frozenset({"envoy"}), "greeter"))

    said = told(lambda listener: rollback(fixed, listener))

    assert "`kubectl grpclb rbac rollback -n shop --autoscale 2 --network-policy`" in said


def told_by_prometheus(shop: GuardedWorkshop) -> str:
    """What a fix that asks Prometheus says before it begins."""
    ask = replace(ASK, via=("auto", "prometheus"), prometheus="svc/monitoring/prometheus:9090")
    wishes = Wishes(strategy="envoy")
    return told(lambda listener: run(carry_out(shop, ask, wishes, listener)))


def test_a_fix_that_is_told_of_prometheus_needs_to_reach_it(shop: GuardedWorkshop) -> None:
    server = ProxiedService("monitoring", "prometheus:9090")
    shop.roles = roles_for("fix", CHANGE)
    lacking = told_by_prometheus(shop)
    shop.roles = roles_for("fix", replace(CHANGE, features=CURES | {"prometheus"}, prometheus=server))

    assert 'resources: ["services/proxy"], verbs: ["get"] in namespace monitoring' in lacking
    assert "services/proxy" not in told_by_prometheus(shop)
