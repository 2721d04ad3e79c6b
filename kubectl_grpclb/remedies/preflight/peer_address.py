"""With a proxy in between, servers no longer see who calls."""

from collections.abc import Iterable

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.remedies.preflight.intent import Intent

__all__ = ["check"]


def check(_: Facts, __: Surroundings, ___: Intent) -> Iterable[Check]:
    """Warn always: whether a server goes by its peer's address cannot be seen from outside."""
    yield Check(
        level="warn",
        name="peer-address",
        message="Servers see Envoy's address as their peer from now on; the client's is in x-forwarded-for.",
        do="If they allow, limit or log by address, let them read x-forwarded-for.",
    )
