"""What the API server says of a plan, and what would be different, without a change."""

import copy
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.model.errors import RefusedError
from kubectl_grpclb.model.plan import Check, Manifest, Patch, Plan
from kubectl_grpclb.model.resources import BY_RESOURCE, ResourceKind, resource_of
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Apply, Denied, Outcome, PatchObject
from kubectl_grpclb.model.yaml_text import yaml_text

__all__ = [
    "Admissions",
    "Comparison",
    "NotCompared",
    "admissions",
    "comparisons",
    "reasons",
    "see_that_it_may_be_applied",
]


class Admissions(Struct, frozen=True):
    """A line for each object, and whether all of them were admitted."""

    lines: tuple[str, ...]
    all: bool


class Comparison(Struct, frozen=True):
    """One object as it is (None: not there) and as it would be, as YAML without what the server fills in."""

    name: str
    live: str | None
    merged: str


class NotCompared(Struct, frozen=True):
    """One object of which the cluster does not tell how it would be, or how it is: which, and why, in a line."""

    why: str


def reasons(checks: Iterable[Check]) -> str:
    """Give what speaks against a change in a line, with the names of the checks."""
    return "; ".join(f"{each.message} ({each.name})" for each in checks)


def see_that_it_may_be_applied(plan: Plan) -> None:
    """Look whether what was shown is right for whoever applies it. Raises RefusedError.

    A file of manifests is applied without its plan beside it, so that it was refused must not end as if it was not.
    """
    if plan.refused_for_everybody:
        raise RefusedError(f"do not apply what is shown: {reasons(plan.refused_for_everybody)}")


async def admissions(cluster: Workshop, plan: Plan) -> Admissions:
    """Have the API server admit every object and the cut-over, with all its checks, webhooks and quotas."""
    asked = [
        (resource_of(manifest), manifest["metadata"]["name"], "serverside-applied", outcome)
        for manifest, outcome in await _tried(cluster, plan)
    ]
    if plan.change is not None:
        kind = BY_RESOURCE[plan.change.resource]
        asked.append((kind, plan.change.name, "patched", await _patched(cluster, plan.change)))
    lines = [
        _refused(kind, name, outcome) if isinstance(outcome, Denied) else f"{kind.full}/{name} {done} (server dry run)"
        for kind, name, done, outcome in asked
    ]
    return Admissions(tuple(lines), not any(isinstance(outcome, Denied) for *_, outcome in asked))


async def comparisons(cluster: Workshop, plan: Plan) -> list[Comparison | NotCompared]:
    """Give every object of the plan as it is and as it would be."""
    compared = []
    for manifest, outcome in await _tried(cluster, plan):
        kind, name = resource_of(manifest), manifest["metadata"]["name"]
        live = await cluster.fetch(kind.resource, plan.target.namespace, name)
        compared.append(_compared(kind, name, live, outcome))
    if plan.change is not None:
        change = plan.change
        live = await cluster.fetch(change.resource, change.namespace, change.name)
        compared.append(_compared(BY_RESOURCE[change.resource], change.name, live, await _patched(cluster, change)))
    return compared


def _compared(kind: ResourceKind, name: str, live: Outcome, outcome: Outcome) -> Comparison | NotCompared:
    if isinstance(outcome, Denied):
        return NotCompared(_refused(kind, name, outcome))
    if isinstance(live, Denied):
        if not live.is_missing:
            return NotCompared(f"{kind.full}/{name} could not be read: {printable(live.message)}")
        return _comparison(kind.full, None, outcome.object)
    return _comparison(kind.full, live.object, outcome.object)


def _refused(kind: ResourceKind, name: str, denied: Denied) -> str:
    return f"{kind.full}/{name} refused: {printable(denied.message)}"


async def _tried(cluster: Workshop, plan: Plan) -> list[tuple[Manifest, Outcome]]:
    return [
        (each.manifest, await cluster.write(Apply(each.manifest, plan.target.namespace, dry_run=True)))
        for each in plan.create
    ]


async def _patched(cluster: Workshop, change: Patch) -> Outcome:
    return await cluster.write(
        PatchObject(change.resource, change.namespace, change.name, change.operations(), dry_run=True)
    )


def _comparison(resource: str, live: Manifest | None, merged: Manifest) -> Comparison:
    metadata = merged["metadata"]
    name = f"{resource}.{metadata.get('namespace', '')}.{metadata['name']}"
    return Comparison(name, None if live is None else _text(live), _text(merged))


def _text(manifest: Manifest) -> str:
    kept: dict[str, Any] = copy.deepcopy(manifest)
    kept.pop("status", None)
    for key in ("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation"):
        kept["metadata"].pop(key, None)
    return yaml_text(kept, by_key=True)
