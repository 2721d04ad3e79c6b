"""What the servers' port speaks: Envoy here speaks gRPC without TLS, and balances only what it can read."""

from collections.abc import Iterable, Sequence

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.surroundings import Spoken, Surroundings
from kubectl_grpclb.model.words import names
from kubectl_grpclb.remedies.preflight.intent import Intent

__all__ = ["check"]

_NAME = "tls"


def check(facts: Facts, around: Surroundings, _: Intent) -> Iterable[Check]:
    """Refuse what was seen to speak otherwise, warn of what could not be asked."""
    encrypted = [spoken for spoken in around.spoken if spoken.protocol == "tls"]
    other = [spoken for spoken in around.spoken if spoken.protocol == "other"]
    silent = [spoken for spoken in around.spoken if isinstance(spoken.protocol, Gap)]
    if encrypted:
        yield Check(
            level="refuse",
            name=_NAME,
            message=f"{_where(encrypted)} with TLS. Envoy here speaks to the servers without, and of what is encrypted "
            "between client and server it sees no requests that it could balance.",
            do="Let the clients balance instead (--strategy client): they can, whatever is encrypted.",
        )
    if other:
        yield Check(
            level="refuse",
            name=_NAME,
            message=f"{_where(other)}, but not as a gRPC server does without TLS, so Envoy could not speak to it.",
            do="Name the port that carries gRPC with --port, or look what the pod's port speaks.",
        )
    if silent:
        yield Check(
            level="warn",
            name=_NAME,
            message=f"Whether {names([spoken.pod for spoken in silent])} speaks gRPC without TLS could not be asked "
            f"({_reason(silent[0])}). Through Envoy, servers with TLS would not be reached.",
            do="Make sure of it before you go on; the right to create pods/portforward lets fix ask.",
        )
    if not around.spoken and any(pod.ready for pod in facts.pods):
        yield Check(
            level="warn",
            name=_NAME,
            message="No server was asked what its port speaks. Through Envoy, servers with TLS would not be reached.",
            do="Make sure that the port speaks gRPC without TLS before you go on.",
        )


def _where(spoken: Sequence[Spoken]) -> str:
    verb = "answers" if len(spoken) == 1 else "answer"
    return f"{names([each.pod for each in spoken])} {verb} on port {spoken[0].port}"


def _reason(spoken: Spoken) -> str:
    gap = spoken.protocol
    return (gap.detail or str(gap.reason)) if isinstance(gap, Gap) else ""
