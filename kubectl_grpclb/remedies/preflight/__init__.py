"""What speaks against putting Envoy before a Service, looked at before anything is changed.

To add a check, write a small module with a pure function and put the function into the tuple below.
"""

from collections.abc import Callable, Iterable

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.remedies.preflight import (
    disruption,
    endpoints,
    gateway,
    kind,
    mesh,
    network_policy,
    other_policies,
    other_service,
    ownership,
    peer_address,
    placement,
    pod_names,
    ports,
    quota,
    server,
    taken,
    tls,
)
from kubectl_grpclb.remedies.preflight.intent import Intent

__all__ = ["CHECKS", "Intent", "preflight"]

CHECKS: tuple[Callable[[Facts, Surroundings, Intent], Iterable[Check]], ...] = (
    kind.check,
    server.check,
    pod_names.check,
    ownership.check,
    mesh.check,
    tls.check,
    endpoints.check,
    ports.check_named,
    ports.check_all,
    placement.check,
    taken.check,
    other_service.check,
    network_policy.check,
    other_policies.check,
    disruption.check,
    quota.check,
    gateway.check,
    peer_address.check,
)


def preflight(facts: Facts, around: Surroundings, intent: Intent) -> tuple[Check, ...]:
    """Give everything that speaks against the change, what stops it first."""
    found = [each for check in CHECKS for each in check(facts, around, intent)]
    return tuple(sorted(found, key=lambda each: each.level != "refuse"))
