"""How the Service chooses among endpoints, which are few once they are Envoys."""

from collections.abc import Iterable

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.remedies.preflight.intent import Intent
from kubectl_grpclb.remedies.words import flow

__all__ = ["check"]

_NAME = "traffic-policy"


def check(facts: Facts, _: Surroundings, intent: Intent) -> Iterable[Check]:
    """Refuse policies that drop traffic on nodes without an Envoy; warn of those that make Envoys unequal."""
    service = facts.service
    if service.headless:
        return
    if service.external_traffic_policy == "Local" and service.type in {"NodePort", "LoadBalancer"}:
        yield _local(facts, intent, "externalTrafficPolicy", "traffic from outside")
    if service.internal_traffic_policy == "Local":
        yield _local(facts, intent, "internalTrafficPolicy", "traffic of pods")
    if service.session_affinity:
        yield Check(
            level="warn",
            name="session-affinity",
            message="The Service has session affinity: each client address stays with one Envoy. Requests are balanced "
            "all the same, but the Envoys get unequal work, and servers no longer get all calls of one client.",
            do="If nothing depends on it, remove it: " + _patch(facts, flow({"spec": {"sessionAffinity": "None"}})),
        )
    if service.traffic_distribution is not None:
        yield Check(
            level="warn",
            name=_NAME,
            message=f"The Service has trafficDistribution {service.traffic_distribution}. It then holds for the way to "
            "Envoy only: Envoy sends calls to the servers of every zone.",
            do="Expect traffic between zones; where that costs too much, let the clients balance (--strategy client).",
        )


def _local(facts: Facts, intent: Intent, field: str, what: str) -> Check:
    return Check(
        level="refuse",
        name=_NAME,
        message=f"The Service has {field} Local: {what} is dropped on nodes without an endpoint, and with Envoy there "
        f"are {intent.replicas} endpoints.",
        do="If neither the client's address nor the node's nearness is needed: "
        + _patch(facts, flow({"spec": {field: "Cluster"}})),
    )


def _patch(facts: Facts, patch: str) -> str:
    return facts.aim.kubectl("patch", "service", facts.target.service, options=("-p", patch))
