"""How many servers there are: DNS has to give all their addresses in one answer."""

from collections.abc import Iterable

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.remedies.preflight.intent import Intent

__all__ = ["check"]

_MOST = 250
"""Ready endpoints; an A record has 16 bytes, so that one answer of these is 4 kB, asked for every second."""


def check(facts: Facts, _: Surroundings, intent: Intent) -> Iterable[Check]:
    """Refuse where DNS is not up to it, and where there is no server to send a call to."""
    ready = sum(pod.ready for pod in facts.pods)
    if ready > _MOST:
        yield Check(
            level="refuse",
            name="endpoints",
            message=f"{ready} endpoints are ready. DNS would have to give all their addresses to each of "
            f"{intent.replicas} Envoys every second, in answers that get too big; up to {_MOST} that works.",
            do="So many need endpoint discovery (EDS) instead of DNS: a mesh or a Gateway API implementation such as "
            "Envoy Gateway brings it. Or split the Service.",
        )
    if not ready:
        yield Check(
            level="refuse",
            name="endpoints",
            message="No endpoint is ready, so Envoy would have no server to send a call to, and whether the new path "
            "works could not be tried before clients are moved to it.",
            do=f"Get the servers ready first; {facts.aim.grpclb('diagnose')} says what is wrong with them.",
        )
