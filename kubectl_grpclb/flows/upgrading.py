"""Bring the Envoys of a Service that leads to them already up to date."""

import asyncio
from collections.abc import Sequence

from kubectl_grpclb.change import apply
from kubectl_grpclb.change.apply import Site
from kubectl_grpclb.flows.taking_back import patiently
from kubectl_grpclb.model.bundle import bundle_of
from kubectl_grpclb.model.errors import ClusterError, GrpclbError, RefusedError
from kubectl_grpclb.model.plan import Create, Manifest
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Apply, Denied

__all__ = ["upgrade"]


async def upgrade(site: Site, creations: Sequence[Create]) -> None:
    """Bring the bundle that carries the Service up to date; the old Envoys stay until new ones are ready.

    All the while the receipt says that the Service is cut over: a later fix goes by that. Raises RefusedError that
    says which Envoys serve now.
    """
    before = await _configuration(site, creations)
    await apply.begin(site, "cut over")
    try:
        await apply.stage(site, creations)
        await apply.until_started(site)
    except (Exception, asyncio.CancelledError) as error:
        so = await _given_back(site, before)
        if not isinstance(error, GrpclbError):
            raise
        if await _are_ending(site):
            raise RefusedError(f"{error}.\n{_leads_nowhere(site)}") from error
        raise RefusedError(f"{error}.\nThe existing Envoys keep serving, {so}. {_next(site)}") from error
    try:
        await apply.check(site)
        await apply.prove(site)
    except RefusedError as error:
        raise RefusedError(f"{error}.\nThe new Envoys have already replaced the old ones. {_next(site)}") from error


async def _are_ending(site: Site) -> bool:
    """Tell whether somebody deletes the Envoys; where that cannot be seen, they are taken to serve."""
    try:
        found = await site.cluster.fetch("deployments", site.namespace, bundle_of(site.journal.receipt.service).envoy)
    except ClusterError:
        return False
    return found.is_missing if isinstance(found, Denied) else found.is_ending


def _leads_nowhere(site: Site) -> str:
    service = site.journal.receipt.service
    return (
        f"The Envoys that Service/{service} leads to are being deleted. `{site.aim.grpclb('rollback')}` puts the "
        "Service back at once; then run `fix` again"
    )


def _next(site: Site) -> str:
    return f"Run fix again with other flags, or `{site.aim.grpclb('rollback')}` to undo the fix"


async def _configuration(site: Site, creations: Sequence[Create]) -> Manifest | None:
    """Give Envoy's ConfigMap as it is, to be applied again; None where it stays as it is, or there is none."""
    name = bundle_of(site.journal.receipt.service).envoy
    new = next((each.manifest for each in creations if each.manifest["kind"] == "ConfigMap"), None)
    found = await site.cluster.fetch("configmaps", site.namespace, name)
    if isinstance(found, Denied):
        if found.is_missing:
            return None
        raise RefusedError(f"could not read ConfigMap/{name}: {printable(found.message)}. Nothing was changed")
    if new is None or new["data"] == found.object.get("data"):
        return None
    return {**new, "data": found.object.get("data")}


async def _given_back(site: Site, before: Manifest | None) -> str:
    """Put Envoy's configuration back: an Envoy that starts anew reads it; say how that went."""
    try:
        if before is not None:
            await patiently(site, lambda: _apply(site, before))
    except GrpclbError as error:
        return f"but will have the new configuration when they restart ({error})"
    return "with their previous configuration"


async def _apply(site: Site, manifest: Manifest) -> None:
    outcome = await site.write(Apply(manifest, site.namespace))
    if isinstance(outcome, Denied):
        kind = ClusterError if outcome.is_failure else RefusedError
        raise kind(printable(outcome.message))
