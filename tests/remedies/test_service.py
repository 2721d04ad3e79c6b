"""Changes to the Service itself."""

from msgspec import UNSET
from msgspec.structs import replace

from kubectl_grpclb.model.surroundings import Ownership
from kubectl_grpclb.remedies.service import plan_service
from kubectl_grpclb.rules import analyse
from tests.remedies.builders import known, live
from tests.rules.builders import CLUSTER_IP, of_counts

PINNED = known(6, 0, 0, service=replace(CLUSTER_IP, session_affinity=True))
CONFIG = {"clientIP": {"timeoutSeconds": 600}}
STICKY = live(sessionAffinity="ClientIP", sessionAffinityConfig=CONFIG, internalTrafficPolicy="Local")


def test_affinity_goes_with_its_time_out_and_comes_back_with_it() -> None:
    change = plan_service(PINNED, analyse(PINNED), STICKY, ()).change

    assert change is not None
    assert [(field.path, field.before, field.after) for field in change.fields] == [
        ("/spec/sessionAffinity", "ClientIP", "None"),
        ("/spec/sessionAffinityConfig", CONFIG, UNSET),
    ]
    assert change.inverted("rollback").operations()[-1] == {
        "op": "add",
        "path": "/spec/sessionAffinityConfig",
        "value": CONFIG,
    }


def test_the_finding_is_named_and_the_clients_can_be_restarted() -> None:
    plan = plan_service(PINNED, analyse(PINNED), STICKY, ("because",))

    assert (plan.strategy, plan.findings, plan.why) == ("service", ("GLB201",), ("because",))
    assert [restart.name for restart in plan.restart] == ["caller"]


def test_policies_are_advice_unless_they_are_asked_for() -> None:
    local = replace(PINNED, service=replace(PINNED.service, internal_traffic_policy="Local"))

    plan = plan_service(local, analyse(local), STICKY, ())

    assert [advice.title for advice in plan.advice] == ["internalTrafficPolicy is Local"]
    assert 'kubectl patch service greeter -n shop -p \'{"spec":{"internalTrafficPolicy":"Cluster"}}\'' in str(
        plan.advice[0].lines[-1]
    )


def test_policies_that_are_asked_for_change_too() -> None:
    change = plan_service(PINNED, analyse(PINNED), STICKY, (), policies=True).change

    assert change is not None
    assert [field.path for field in change.fields][-1] == "/spec/internalTrafficPolicy"


def test_a_preference_for_zones_is_advised_to_go() -> None:
    near = of_counts(2, 0, service=replace(CLUSTER_IP, traffic_distribution="PreferSameZone"))

    (advice,) = plan_service(near, analyse(near), live(), ()).advice

    assert '[{"op":"remove","path":"/spec/trafficDistribution"}]' in advice.lines[-1]


def test_who_else_writes_the_service_is_told() -> None:
    owners = (Ownership("Flux", "shop", reverts=True), Ownership("Terraform", "", reverts=False))

    checks = plan_service(PINNED, analyse(PINNED), STICKY, (), ownership=owners).checks

    assert [(check.level, check.name) for check in checks] == [("refuse", "gitops"), ("warn", "owner")]


def test_without_anything_to_change_there_is_no_change() -> None:
    plan = plan_service(known(), analyse(known()), live(), ())

    assert plan.changes_nothing
