"""A mesh balances requests by itself once it knows the protocol; a second proxy would be in its way."""

from collections.abc import Iterable

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.remedies.meshes import hints, mesh_of
from kubectl_grpclb.remedies.preflight.intent import Intent

__all__ = ["check"]


def check(facts: Facts, around: Surroundings, _: Intent) -> Iterable[Check]:
    """Refuse where the servers are in a mesh, or new pods of the namespace would be."""
    mesh = mesh_of(around)
    if mesh is None:
        return
    yield Check(
        level="refuse",
        name="mesh",
        message=f"{mesh.name} is at work here: {mesh.seen}. It balances requests itself where it knows that the port "
        "speaks gRPC; an Envoy of ours would only stand between the two proxies, without the mesh's identities.",
        do=" ".join(hints(facts, around, mesh)),
    )
