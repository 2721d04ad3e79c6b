"""Whether pods have DNS names of their own under the Service, as those of a StatefulSet have."""

from collections.abc import Iterable

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.model.words import names
from kubectl_grpclb.remedies.preflight.intent import Intent

__all__ = ["check"]


def check(facts: Facts, around: Surroundings, _: Intent) -> Iterable[Check]:
    """Refuse where pods are named after the Service: `greeter-0.greeter` ends with the selector that leads to it.

    A pod has that name while the Service that its `spec.subdomain` names selects it and is headless.
    """
    service = facts.target.service
    named = sorted(pod.metadata.name for pod in around.pods if pod.spec.subdomain == service)
    if facts.service.headless and named:
        yield Check(
            level="refuse",
            name="pod-names",
            message=f"The Service gives pods a name of their own each, as {named[0]}.{service} "
            f"({names(named, at_most=3)}): once it selects Envoy, these names are gone, and whoever dials a pod by its "
            "name finds nothing.",
            do="Make another Service for the same pods, let clients dial that, and fix that one; or let the clients "
            "balance (--strategy client).",
        )
