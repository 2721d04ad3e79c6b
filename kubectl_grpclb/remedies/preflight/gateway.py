"""The Gateway API, where the cluster has it."""

from collections.abc import Iterable

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.remedies.preflight.intent import Intent

__all__ = ["check"]


def check(_: Facts, around: Surroundings, __: Intent) -> Iterable[Check]:
    """Warn that there may be a better cure: somebody runs a proxy here already."""
    if around.gateway_api:
        yield Check(
            level="warn",
            name="gateway",
            message="The cluster has the Gateway API, so a proxy that somebody looks after may be there already; a "
            "GRPCRoute through it balances requests as well.",
            do="--strategy gateway shows the GRPCRoute and what it needs.",
        )
