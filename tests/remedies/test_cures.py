"""What a plan says that it cures: the finding that it is made for, and no other than it takes away."""

import pytest
from msgspec.structs import replace

from kubectl_grpclb.model.plan import Plan
from kubectl_grpclb.remedies import plan_for
from kubectl_grpclb.remedies.cures import CURES
from kubectl_grpclb.remedies.envoy.options import EnvoyOptions
from kubectl_grpclb.rules import RULES
from tests.remedies.builders import around, live
from tests.remedies.envoy.builders import INSTALLATION
from tests.report.builders import finding, report
from tests.rules.builders import CLUSTER_IP, of_counts


def planned(*codes: str, strategy: str = "auto") -> Plan:
    """Plan for a Service of which these findings were told; affinity pins a client to one pod."""
    found = report("unbalanced", findings=tuple(map(finding, codes)))
    facts = of_counts(6, 0, 0, service=replace(CLUSTER_IP, session_affinity=True))
    affine = around(service=live(sessionAffinity="ClientIP"))
    return plan_for(facts, found, affine, EnvoyOptions(), INSTALLATION, strategy)


@pytest.mark.parametrize(
    ("code", "strategy"),
    [
        ("GLB101", "envoy"),
        ("GLB102", "envoy"),
        ("GLB103", "client"),
        ("GLB104", "envoy"),
        ("GLB106", "envoy"),
        ("GLB109", "client"),
        ("GLB201", "service"),
        ("GLB301", "envoy"),
    ],
)
def test_a_plan_cures_the_finding_that_it_is_made_for(code: str, strategy: str) -> None:
    plan = planned(code)

    assert (plan.strategy, plan.findings) == (strategy, (code,))


@pytest.mark.parametrize("code", ["GLB105", "GLB205", "GLB206", "GLB302", "GLB303", "GLB401"])
def test_what_is_left_to_a_person_is_cured_by_no_plan(code: str) -> None:
    plan = planned(code)

    assert (plan.strategy, plan.findings) == ("none", ())


def test_envoy_moves_no_open_connection_and_changes_no_clients_policy() -> None:
    plan = planned("GLB101", "GLB105", "GLB109", "GLB201", "GLB401", "GLB404", strategy="envoy")

    assert plan.findings == ("GLB101", "GLB404")


@pytest.mark.parametrize("strategy", ["client", "headless", "gateway"])
def test_whatever_balances_every_call_cures_uneven_calls(strategy: str) -> None:
    assert planned("GLB106", strategy=strategy).findings == ("GLB106",)


@pytest.mark.parametrize("strategy", ["client", "headless", "gateway"])
def test_only_the_cut_over_leads_a_service_to_its_envoys_again(strategy: str) -> None:
    assert planned("GLB301", strategy=strategy).findings == ()


def test_what_is_cured_is_a_finding() -> None:
    assert CURES.keys() <= {rule.code for rule in RULES}
