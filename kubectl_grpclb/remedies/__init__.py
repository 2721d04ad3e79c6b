"""Cures: one file each, from facts and findings to a Plan. Pure: nothing here touches a cluster.

To add one, write a module with a function that gives a Plan, and put it into the table below.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec import Struct

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.model.plan import Plan
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.remedies.choose import choose
from kubectl_grpclb.remedies.client import plan_client
from kubectl_grpclb.remedies.envoy.options import EnvoyOptions
from kubectl_grpclb.remedies.envoy.plan import Installation, plan_envoy
from kubectl_grpclb.remedies.gateway import plan_gateway
from kubectl_grpclb.remedies.headless import plan_headless
from kubectl_grpclb.remedies.nothing import plan_nothing
from kubectl_grpclb.remedies.service import plan_service

__all__ = ["REMEDIES", "plan_for"]

_ASKED = "It is the strategy that you asked for."
_EARLIER = "It is the strategy of the earlier fix."


class _Case(Struct, frozen=True):
    """Everything that a remedy may go by."""

    facts: Facts
    report: Report
    around: Surroundings
    options: EnvoyOptions
    installation: Installation
    why: tuple[str, ...]


def _envoy(case: _Case) -> Plan:
    return plan_envoy(case.facts, case.report, case.around, case.options, case.installation, case.why)


def _headless(case: _Case) -> Plan:
    return plan_headless(case.facts, case.report, case.around, case.installation.tool, case.why)


def _client(case: _Case) -> Plan:
    return plan_client(case.facts, case.report, case.why)


def _gateway(case: _Case) -> Plan:
    around = case.around
    return plan_gateway(case.facts, case.report, case.why, gateway_api=around.gateway_api, service=around.service)


def _service(case: _Case) -> Plan:
    around = case.around
    return plan_service(case.facts, case.report, around.service, case.why, ownership=around.ownership)


def _nothing(case: _Case) -> Plan:
    return plan_nothing(case.facts, case.report, case.around, case.why)


REMEDIES: Mapping[str, Callable[[_Case], Plan]] = MappingProxyType(
    {
        "envoy": _envoy,
        "headless": _headless,
        "client": _client,
        "gateway": _gateway,
        "service": _service,
        "none": _nothing,
    }
)
"""Every strategy of a Plan."""


def plan_for(
    facts: Facts,
    report: Report,
    around: Surroundings,
    options: EnvoyOptions,
    installation: Installation,
    strategy: str,
    *,
    asked: bool = True,
) -> Plan:
    """Plan the cure of a strategy; `auto` takes the one that fits the leading finding.

    Any other the user `asked` for, or an earlier fix had it.
    """
    choice = choose(facts, report) if strategy == "auto" else None
    remedy = REMEDIES[choice.strategy if choice else strategy]
    why = choice.why if choice else (_ASKED if asked else _EARLIER,)
    return remedy(_Case(facts, report, around, options, installation, why))
