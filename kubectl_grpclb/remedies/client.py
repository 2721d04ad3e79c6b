"""Balancing in the clients: nothing in the cluster changes, the code does."""

from collections.abc import Iterator, Sequence

from kubectl_grpclb.model.bundle import bundle_of
from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.model.plan import Advice, Plan
from kubectl_grpclb.remedies.cures import cured_by
from kubectl_grpclb.remedies.languages import LANGUAGES, Language

__all__ = ["client_advice", "plan_client"]


def plan_client(facts: Facts, report: Report, why: Sequence[str]) -> Plan:
    """Plan what the owners of clients and servers have to change; nothing is carried out."""
    return Plan(
        target=facts.target,
        strategy="client",
        title=f"Let the clients of {facts.target.service} balance their own requests",
        findings=cured_by("client", report),
        why=tuple(why),
        wont=("It changes nothing in the cluster: the owners of clients and servers have to change their code.",),
        advice=client_advice(facts),
    )


def client_advice(facts: Facts, *, exists: bool = False) -> tuple[Advice, ...]:
    """Say what to dial and how, and what the servers have to do, in each language.

    With `exists` the headless Service is there, or is made in the same plan.
    """
    return (
        *(() if exists or facts.service.headless else (_headless_first(facts),)),
        _principle(facts),
        *(_advice(language, facts) for language in LANGUAGES),
    )


def _headless_first(facts: Facts) -> Advice:
    return Advice(
        title="First, a headless Service",
        lines=(
            f"The name {facts.target.service} has one address for all pods, so a client cannot choose among them.",
            "This makes a second Service whose name has the address of every ready pod:",
            facts.aim.grpclb("fix", "--strategy", "headless"),
        ),
    )


def _principle(facts: Facts) -> Advice:
    return Advice(
        title="What changes",
        lines=(
            f"Clients dial {_target(facts)} with the policy round_robin.",
            "The port is the pods' own: a headless Service maps none.",
            "Channels do not look for pods that are added later, until a connection closes. So let the",
            "servers end connections by age (MAX_CONNECTION_AGE, infinite by default), with grace for",
            "the calls in flight; 5 minutes are a good beginning.",
            "With TLS, give the channels their credentials, and the certificate this name too.",
        ),
    )


def _advice(language: Language, facts: Facts) -> Advice:
    return Advice(title=language.name, lines=tuple(_filled(line, facts) for line in _lines(language)))


def _lines(language: Language) -> Iterator[str]:
    yield "The client:"
    yield from (f"    {line}" for line in language.client)
    yield from language.client_notes
    yield "The server:"
    yield from (f"    {line}" for line in language.server)
    yield from language.server_notes


def _filled(line: str, facts: Facts) -> str:
    return line.replace("TARGET", _target(facts)).replace("HOST", _host(facts)).replace("PORT", _port(facts))


def _target(facts: Facts) -> str:
    return f"dns:///{_host(facts)}:{_port(facts)}"


def _host(facts: Facts) -> str:
    target = facts.target
    name = target.service if facts.service.headless else bundle_of(target.service).headless
    return f"{name}.{target.namespace}.svc.{facts.cluster_domain}"


def _port(facts: Facts) -> str:
    """Pods that disagree on a named port have no number in common."""
    port = facts.target.target_port
    return str(port) if isinstance(port, int) else "<the pods' port>"
