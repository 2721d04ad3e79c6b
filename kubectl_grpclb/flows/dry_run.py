"""What the API server says of a plan, and what would be different, without a change."""

import copy
from collections.abc import Iterable
from typing import Any

import yaml
from msgspec import Struct

from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.model.errors import RefusedError
from kubectl_grpclb.model.plan import Check, Manifest, Patch, Plan
from kubectl_grpclb.model.resources import BY_RESOURCE, resource_of
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Apply, Denied, Outcome, PatchObject

__all__ = ["Admissions", "Comparison", "admissions", "comparisons", "reasons", "see_that_it_may_be_applied"]


class Admissions(Struct, frozen=True):
    """A line for each object, and whether all of them were admitted."""

    lines: tuple[str, ...]
    all: bool


class Comparison(Struct, frozen=True):
    """One object as it is (None: not there) and as it would be, as YAML without what the server fills in."""

    name: str
    live: str | None
    merged: str


def reasons(checks: Iterable[Check]) -> str:
    """Give what speaks against a change in a line, with the names of the checks."""
    return "; ".join(f"{each.message} ({each.name})" for each in checks)


def see_that_it_may_be_applied(plan: Plan) -> None:
    """Look whether what was shown is right for whoever applies it. Raises RefusedError.

    A file of manifests is applied without its plan beside it, so that it was refused must not end as if it was not.
    """
    if plan.refused_for_everybody:
        raise RefusedError(f"what is shown is not to be applied: {reasons(plan.refused_for_everybody)}")


async def admissions(cluster: Workshop, plan: Plan) -> Admissions:
    """Have the API server admit every object and the cut-over, with all its checks, webhooks and quotas."""
    lines, admitted = [], True
    for manifest, outcome in await _tried(cluster, plan):
        name = f"{resource_of(manifest).full}/{manifest['metadata']['name']}"
        if isinstance(outcome, Denied):
            admitted = False
            lines.append(f"{name} refused: {printable(outcome.message)}")
        else:
            lines.append(f"{name} serverside-applied (server dry run)")
    if plan.change is not None:
        outcome = await _patched(cluster, plan.change)
        name = f"{BY_RESOURCE[plan.change.resource].full}/{plan.change.name}"
        if isinstance(outcome, Denied):
            admitted = False
            lines.append(f"{name} refused: {printable(outcome.message)}")
        else:
            lines.append(f"{name} patched (server dry run)")
    return Admissions(tuple(lines), admitted)


async def comparisons(cluster: Workshop, plan: Plan) -> list[Comparison]:
    """Give every object of the plan as it is and as it would be."""
    compared = []
    for manifest, outcome in await _tried(cluster, plan):
        kind = resource_of(manifest)
        name = manifest["metadata"]["name"]
        live = await cluster.fetch(kind.resource, plan.target.namespace, name)
        merged = manifest if isinstance(outcome, Denied) else outcome.object
        compared.append(_comparison(kind.full, None if isinstance(live, Denied) else live.object, merged))
    if plan.change is not None:
        change = plan.change
        live = await cluster.fetch(change.resource, change.namespace, change.name)
        patched = await _patched(cluster, change)
        if not isinstance(live, Denied) and not isinstance(patched, Denied):
            compared.append(_comparison(BY_RESOURCE[change.resource].full, live.object, patched.object))
    return compared


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
    return yaml.safe_dump(kept, sort_keys=True, width=120)
