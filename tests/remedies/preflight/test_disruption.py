"""PodDisruptionBudgets of others that would hold for Envoy's pods."""

import pytest

from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.kube import LabelRequirement, LabelSelector
from kubectl_grpclb.model.surroundings import Budget
from kubectl_grpclb.remedies.preflight.disruption import check
from tests.remedies.builders import INTENT, around, known
from tests.remedies.envoy.builders import planned

EVERY_POD = Budget("shop-wide", LabelSelector())
THE_SERVERS = Budget("greeter", LabelSelector(match_labels={"app": "greeter"}))
OURS = Budget("greeter-grpclb-envoy", LabelSelector(match_labels=INTENT.bundle.envoy_pods))


def test_a_budget_of_the_whole_namespace_holds_for_envoy_too() -> None:
    (said,) = check(known(), around(budgets=(THE_SERVERS, EVERY_POD)), INTENT)

    assert said.level == "warn"
    assert said.message.startswith("PodDisruptionBudget shop-wide would hold for Envoy's pods, too.")


@pytest.mark.parametrize(
    "budget",
    [
        THE_SERVERS,
        OURS,
        Budget("of-nobody", None),
        Budget("tiers", LabelSelector(match_expressions=(LabelRequirement("tier", "Exists"),))),
    ],
    ids=lambda each: each.name,
)
def test_a_budget_of_other_pods_is_nothing_to_speak_of(budget: Budget) -> None:
    assert list(check(known(), around(budgets=(budget,)), INTENT)) == []


def test_budgets_that_could_not_be_read_are_warned_of() -> None:
    refused = around(budgets=Gap(GapReason.FORBIDDEN, "poddisruptionbudgets is forbidden"))

    (said,) = check(known(), refused, INTENT)

    assert (said.level, "poddisruptionbudgets is forbidden" in said.message) == ("warn", True)


@pytest.mark.parametrize(("budgets", "made"), [((THE_SERVERS,), True), ((THE_SERVERS, EVERY_POD), False)])
def test_envoy_gets_a_budget_of_its_own_where_no_other_one_holds_for_it(
    budgets: tuple[Budget, ...], made: bool
) -> None:
    kinds = [each.manifest["kind"] for each in planned(budgets=budgets).create]

    assert ("PodDisruptionBudget" in kinds) is made
