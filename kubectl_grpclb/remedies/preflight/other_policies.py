"""Network policies of a kind that is not read here."""

from collections.abc import Iterable

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.model.words import names
from kubectl_grpclb.remedies.preflight.intent import Intent

__all__ = ["check"]


def check(_: Facts, around: Surroundings, __: Intent) -> Iterable[Check]:
    """Warn that clients may be cut off all the same: the proof is made from Envoy's pods, not from theirs."""
    if around.other_policies:
        yield Check(
            level="warn",
            name="other-policies",
            message=f"The cluster may have {names(around.other_policies)}, which are not read here: one that lets "
            "clients reach only the servers would cut them off from Envoy.",
            do="Look whether any holds in this namespace or in the clients', and let it allow Envoy's pods (label "
            "grpclb/part=envoy) from clients, and the servers from Envoy.",
        )
