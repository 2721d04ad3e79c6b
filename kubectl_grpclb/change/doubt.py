"""What is done about changes of which nobody knows whether they were made, before anything goes by what is seen.

An API server may carry a change out after it said that it failed, after the connection broke, and after whoever asked
went away. What is read before that shows nothing.
"""

import asyncio
import secrets
import time

from kubectl_grpclb.change.apply import Site
from kubectl_grpclb.model.bundle import bundle_of
from kubectl_grpclb.model.errors import ClusterError, GrpclbError, RefusedError
from kubectl_grpclb.model.receipt import Made
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Denied, PatchObject

__all__ = ["FENCE", "fence_off", "wait_for_the_late"]

FENCE = "grpclb/fence"
"""An annotation that is set and taken away again, only so that the Service gets another version."""

_LATE_SECONDS = 10.0
"""How long what may still be made is waited for; an API server gives up what nobody waits for in less."""
_LOOK_EVERY = 1.0


async def fence_off(site: Site) -> bool:
    """See to it that a change of the Service that is in doubt is made by now or never; tell whether there was one.

    The change tests the Service's version, so that it fails from the moment that there is a newer one. A write that
    changes nothing makes none, hence the annotation. Raises GrpclbError where that cannot be done.
    """
    receipt = site.journal.receipt
    service = Made(resource="services", name=receipt.service)
    if service not in site.journal.in_doubt:
        return False
    outcome = await site.write(_annotation(site, secrets.token_hex(4)))
    if isinstance(outcome, Denied) and not outcome.is_missing:
        kind = ClusterError if outcome.is_failure else RefusedError
        raise kind(
            f"cannot tell whether Service/{receipt.service} was changed, and could not rule out a late change: "
            f"{printable(outcome.message)}"
        )
    await _take_away(site)
    site.journal.in_doubt.discard(service)
    return True


async def _take_away(site: Site) -> None:
    """Remove the annotation; one that stays harms nobody and must hide no error."""
    try:
        outcome = await site.write(_annotation(site, None))
        why = outcome.message if isinstance(outcome, Denied) and not outcome.is_missing else ""
    except GrpclbError as error:
        why = str(error)
    if why:
        site.say(
            f"could not remove the annotation {FENCE} from Service/{site.journal.receipt.service}; it has no effect: "
            f"{printable(why)}"
        )


def _annotation(site: Site, value: str | None) -> PatchObject:
    body = {"metadata": {"annotations": {FENCE: value}}}
    return PatchObject("services", site.namespace, site.journal.receipt.service, body, "strategic")


async def wait_for_the_late(site: Site) -> None:
    """Wait for objects of ours that are in doubt, so that they are removed too; for a while, then they never come."""
    receipt, in_doubt = site.journal.receipt, site.journal.in_doubt
    ours = {*receipt.made, Made(resource="configmaps", name=bundle_of(receipt.service).receipt)} & in_doubt
    until = time.monotonic() + _LATE_SECONDS
    while True:
        if await _are_there(site, ours) or time.monotonic() > until:
            in_doubt.difference_update(ours)
            return
        await asyncio.sleep(_LOOK_EVERY)


async def _are_there(site: Site, every: set[Made]) -> bool:
    outcomes = await asyncio.gather(*(site.cluster.fetch(each.resource, site.namespace, each.name) for each in every))
    return not any(isinstance(each, Denied) and each.is_missing for each in outcomes)
