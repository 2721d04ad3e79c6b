"""Where nothing is changed: why, and what somebody else can do."""

from collections.abc import Iterator, Sequence

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.model.plan import Advice, Plan
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.remedies.meshes import hints, mesh_of
from kubectl_grpclb.remedies.service import placement_advice

__all__ = ["mesh_advice", "plan_nothing"]

_INSTRUCTED = frozenset({"GLB105", "GLB205", "GLB206"})
"""Findings that are cured by hand, with the commands that they bring along."""


def plan_nothing(facts: Facts, report: Report, around: Surroundings, why: Sequence[str]) -> Plan:
    """Plan no change, with the commands of the findings that a person has to act on."""
    return Plan(
        target=facts.target,
        strategy="none",
        title=f"Nothing is changed on {facts.target.service}",
        findings=(),
        why=tuple(why),
        advice=tuple(_advice(facts, report, around)),
    )


def mesh_advice(facts: Facts, around: Surroundings) -> Advice | None:
    """Say how the mesh that the servers are in gets to balance requests; None where they are in none."""
    mesh = mesh_of(around)
    return None if mesh is None else Advice(title=f"Let {mesh.name} balance", lines=hints(facts, around, mesh))


def _advice(facts: Facts, report: Report, around: Surroundings) -> Iterator[Advice]:
    for finding in report.findings:
        if finding.code in _INSTRUCTED and finding.next:
            yield Advice(title=f"{finding.title} ({finding.code})", lines=(finding.message, *finding.next))
    if report.verdict == "unbalanced":
        mesh = mesh_advice(facts, around)
        if mesh is not None:
            yield mesh
        yield from placement_advice(facts)
