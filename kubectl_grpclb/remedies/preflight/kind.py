"""What kind of Service it is."""

from collections.abc import Iterable

from kubectl_grpclb.model.bundle import ADMIN_PORT
from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.remedies.preflight.intent import Intent

__all__ = ["check"]

_NAME = "type"
_LOWEST = 1024
"""Ports below are not for programs without privileges."""


def check(facts: Facts, around: Surroundings, _: Intent) -> Iterable[Check]:
    """Refuse where there is no selector to re-point, or where Envoy could not listen where clients dial."""
    service, spec = facts.service, around.service.get("spec", {})
    if service.external_name is not None:
        yield _refuse(
            f"The Service is only another name for {service.external_name}; it has no pods that Envoy "
            "could balance over.",
            "Fix the Service that this name leads to, in its own cluster.",
        )
        return
    if not service.selector:
        yield _refuse(
            "The Service has no selector: somebody else writes its endpoints. There is nothing to re-point to Envoy, "
            "and nothing to make a headless Service of.",
            "Give the Service a selector, or let the clients balance (--strategy client).",
        )
    if spec.get("publishNotReadyAddresses"):
        yield Check(
            level="warn",
            name=_NAME,
            message="The Service publishes pods that are not ready, too (publishNotReadyAddresses). The headless one "
            "beside it does not, so through Envoy only ready pods get calls.",
            do="If clients have to reach pods that are not ready yet, do not put Envoy before this Service.",
        )
    if service.headless:
        yield from _dialled_directly(facts)


def _dialled_directly(facts: Facts) -> Iterable[Check]:
    """Refuse a port that Envoy cannot take over: a headless Service maps none, so clients dial the servers' number."""
    port = facts.target.target_port
    if isinstance(port, int) and (port < _LOWEST or port == ADMIN_PORT):
        why = "needs privileges that Envoy has not" if port < _LOWEST else "is that of Envoy's own admin interface"
        yield _refuse(
            f"The Service is headless, so clients dial the servers' port {port} itself; listening there {why}.",
            f"Let the servers listen on another port from {_LOWEST} on, or let the clients balance (--strategy "
            "client).",
        )


def _refuse(message: str, do: str) -> Check:
    return Check(level="refuse", name=_NAME, message=message, do=do)
