"""Who is noted as the manager of a Service's fields, once it is as it was before the fix."""

from typing import Any

from kubectl_grpclb.change.apply import Site
from kubectl_grpclb.model.bundle import FIELD_MANAGER
from kubectl_grpclb.model.errors import GrpclbError
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Denied, PatchObject

__all__ = ["give_up"]

_TRIES = 3
"""How often it is tried where the Service changes meanwhile."""
_CHANGED = frozenset({409, 422})


async def give_up(site: Site) -> None:
    """Take our name off the Service's fields: its owner's next server-side apply would conflict with it.

    It has to be a change of its own: what changes a field notes its manager anew. Where it fails, that is said, and is
    no reason to stop.
    """
    try:
        why = await _given_up(site)
    except GrpclbError as error:
        why = str(error)
    if why:
        site.say(
            f"{FIELD_MANAGER} is still recorded as the field manager of what it restored in Service/"
            f"{site.journal.receipt.service}: the next server-side apply of those fields needs --force-conflicts "
            f"({printable(why)})"
        )


async def _given_up(site: Site) -> str:
    """Remove our entries; give why that could not be done."""
    why = ""
    for _ in range(_TRIES):
        found = await site.cluster.fetch("services", site.namespace, site.journal.receipt.service)
        if isinstance(found, Denied):
            return found.message
        operations = _without_ours(found.object["metadata"])
        if not operations:
            return ""
        outcome = await site.write(PatchObject("services", site.namespace, site.journal.receipt.service, operations))
        if not isinstance(outcome, Denied):
            return ""
        why = outcome.message
        if outcome.status not in _CHANGED:
            break
    return why


def _without_ours(metadata: Manifest) -> list[dict[str, Any]]:
    """Give the JSON patch: each entry is tested to be ours, and the last is removed first, so that places stay."""
    managers = metadata.get("managedFields") or ()
    ours = [place for place, each in enumerate(managers) if _is_ours(each)]
    if not ours:
        return []
    tests = [
        {"op": "test", "path": "/metadata/uid", "value": metadata["uid"]},
        {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
        *({"op": "test", "path": f"/metadata/managedFields/{place}/manager", "value": FIELD_MANAGER} for place in ours),
    ]
    return [*tests, *({"op": "remove", "path": f"/metadata/managedFields/{place}"} for place in reversed(ours))]


def _is_ours(entry: dict[str, Any]) -> bool:
    """Tell whether it is of a patch of ours; the status is nobody's but the cluster's."""
    return entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Update" and not entry.get("subresource")
