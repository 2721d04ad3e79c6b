"""Take a fix back: restore the Service, let Envoy run dry, remove what was made, and nothing else."""

import asyncio
import time
from collections.abc import Collection, Sequence

from kubectl_grpclb.change.apply import Site, switch
from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.model.bundle import SERVICE_LABEL, bundle_of
from kubectl_grpclb.model.errors import RefusedError
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.receipt import Made, Receipt, differences, expected_spec, is_in_place
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Delete, Denied

__all__ = ["carries_the_fix", "empty", "prune", "remove", "restore"]

_LOOK_EVERY = 1.0
_ANSWER_SECONDS = 15.0
_END_SECONDS = 120.0
"""Longer than an Envoy's drain and grace together."""


def carries_the_fix(receipt: Receipt, service: Manifest) -> bool:
    """Tell whether the Service is changed, and see that it is otherwise what the fix left.

    Raises RefusedError that names what somebody changed meanwhile, where restoring it would lose that.
    """
    spec = service["spec"]
    if not is_in_place(receipt, spec):
        return False
    if service["metadata"]["uid"] != receipt.uid:
        raise RefusedError(
            f"Service/{receipt.service} was deleted and made anew since the fix, and its selector is not the one from "
            "before: set it to what it should be, then run this again"
        )
    changed = differences(expected_spec(receipt), spec)
    if changed:
        raise RefusedError(
            f"somebody changed Service/{receipt.service} since the fix ({printable('; '.join(changed)[:800])}); "
            "restoring it would lose or mix that. Take that change back, or put the Service's old selector and ports "
            f"back yourself (they are in ConfigMap {bundle_of(receipt.service).receipt}), then run this again"
        )
    return True


async def restore(site: Site) -> None:
    """Put the Service's old values back, and see that calls come back on the old path."""
    receipt = site.journal.receipt
    if receipt.change is None:
        return
    await switch(site, receipt.change.inverted("the way it was before the fix"), expected_spec(receipt))
    site.say(f"restored Service/{receipt.service} as it was")
    if receipt.ports is None:
        return
    try:
        await site.envoys.until_answered(
            receipt.ports.proof, _ANSWER_SECONDS, through_envoy=False, what=f"a call through Service/{receipt.service}"
        )
    except RefusedError as error:
        site.say(f"the Service is as it was, but {error}")


async def empty(site: Site, seconds: float) -> None:
    """Wait until no client is connected to Envoy. Raises RefusedError after `seconds`, Envoy then still running."""
    await site.envoys.drain()
    until, told = time.monotonic() + seconds, -1
    while True:
        carried = await site.envoys.connections()
        if isinstance(carried, Gap):
            site.say(f"could not ask Envoy whom it still serves ({printable(carried.detail)}); it drains when it ends")
            return
        if not carried:
            return
        if carried != told:
            told = carried
            site.say(f"waiting for {carried} connections of clients through Envoy to close")
        if time.monotonic() > until:
            raise RefusedError(
                f"the Service is restored, but {carried} connections still go through Envoy after {seconds:.0f} s, so "
                "Envoy is left running. Run rollback again later, or with --recycle clients; nothing else is left to do"
            )
        await asyncio.sleep(_LOOK_EVERY)


async def remove(site: Site, made: Sequence[Made]) -> None:
    """Delete what the fix made, Envoy first, and wait until it has ended."""
    receipt = site.journal.receipt
    order = sorted(made, key=lambda each: each.resource not in {"horizontalpodautoscalers", "deployments"})
    for each in order:
        site.hold.check()
        if await _delete(site.cluster, receipt, each):
            site.say(f"deleted {each.resource}/{each.name}")
        if each.resource == "deployments":
            await site.envoys.until_gone(_END_SECONDS)
    await _delete(site.cluster, receipt, Made(resource="configmaps", name=bundle_of(receipt.service).receipt))
    site.journal.forget()


async def prune(site: Site, kept: Collection[Made]) -> None:
    """Delete what an earlier fix of this Service made and this one does not need."""
    for each in site.journal.receipt.made:
        if each not in kept:
            site.hold.check()
            if await _delete(site.cluster, site.journal.receipt, each):
                site.say(f"deleted {each.resource}/{each.name}, which is not needed any more")


async def _delete(cluster: Workshop, receipt: Receipt, made: Made) -> bool:
    """Delete one object if it is there and ours."""
    found = await cluster.fetch(made.resource, receipt.namespace, made.name)
    if isinstance(found, Denied):
        if found.status == 404:
            return False
        raise RefusedError(f"could not look at {made.resource}/{made.name} to delete it: {printable(found.message)}")
    metadata = found.object["metadata"]
    if (metadata.get("labels") or {}).get(SERVICE_LABEL) != receipt.service:
        raise RefusedError(
            f"{made.resource}/{made.name} is not what the fix made: its label {SERVICE_LABEL} is gone. It is left "
            "alone; delete it yourself if it is not needed, then run this again"
        )
    outcome = await cluster.write(Delete(made.resource, receipt.namespace, made.name, metadata["uid"]))
    if isinstance(outcome, Denied) and outcome.status != 404:
        raise RefusedError(f"could not delete {made.resource}/{made.name}: {printable(outcome.message)}")
    return True
