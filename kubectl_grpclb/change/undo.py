"""Take a fix back: restore the Service, let Envoy run dry, remove what was made, and nothing else."""

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from kubectl_grpclb.change.apply import Site, switch
from kubectl_grpclb.change.ownership import give_up
from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.model.bundle import FIELD_MANAGER, SERVICE_LABEL, bundle_of, is_labelled, leads_to_envoy
from kubectl_grpclb.model.errors import GrpclbError, RefusedError
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.receipt import (
    BEFORE_THE_CUT_OVER,
    Made,
    Receipt,
    differences,
    expected_spec,
    is_in_place,
    is_touched,
)
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Delete, Denied

__all__ = [
    "carries_the_fix",
    "empty",
    "forget",
    "prune",
    "remove",
    "restore",
    "the_service",
]

_LOOK_EVERY = 1.0
_READ_SECONDS = 15.0
"""How long a Service is asked for that the API server fails to give, as while its own leader changes."""
_ANSWER_SECONDS = 15.0
_LEAST_END_SECONDS = 60.0
"""However little time the user gives; an Envoy takes a quarter of a minute to end."""
_RUNS = ("horizontalpodautoscalers", "deployments")
"""In this order, so that nothing scales what is to end."""


async def the_service(cluster: Workshop, namespace: str, name: str) -> Manifest | None:
    """Read the Service; None where there is none. Raises RefusedError where the API server goes on failing."""
    until = time.monotonic() + _READ_SECONDS
    while True:
        found = await cluster.fetch("services", namespace, name)
        if not isinstance(found, Denied):
            return found.object
        if found.is_missing:
            return None
        if found.status < 500 or time.monotonic() > until:
            raise RefusedError(f"could not read Service {printable(name)}: {printable(found.message)}")
        await asyncio.sleep(_LOOK_EVERY)


def carries_the_fix(receipt: Receipt, service: Manifest) -> bool:
    """Tell whether the Service is changed, and see that it is otherwise what the fix left.

    Raises RefusedError that names what somebody changed meanwhile, where restoring it would lose that.
    """
    spec = service["spec"]
    if not is_in_place(receipt, spec):
        return False
    if receipt.step in BEFORE_THE_CUT_OVER and not is_touched(receipt, spec):
        return False  # somebody changed it before the fix did
    if service["metadata"]["uid"] != receipt.uid:
        raise RefusedError(
            f"Service/{receipt.service} was deleted and recreated after the fix, and its selector is not the original "
            "one: set the selector that it should have, then run this again"
        )
    changed = differences(expected_spec(receipt), spec)
    if changed:
        raise RefusedError(
            f"somebody changed Service/{receipt.service} after the fix ({printable('; '.join(changed)[:800])}); "
            "restoring it would overwrite that change or mix with it. Undo the change, or set the Service's old "
            f"selector and ports yourself (they are in ConfigMap {bundle_of(receipt.service).receipt}), then run this "
            "again"
        )
    return True


async def restore(site: Site) -> None:
    """Put the Service's old values back, as its owner's, and see that calls come back on the old path."""
    receipt = site.journal.receipt
    if receipt.change is None:
        return
    await switch(site, receipt.change.inverted("the way it was before the fix"), expected_spec(receipt))
    site.say(f"restored Service/{receipt.service} to what it was before the fix")
    await give_up(site)
    if receipt.ports is None:
        return
    try:
        await site.envoys.until_answered(
            receipt.ports.proof, _ANSWER_SECONDS, through_envoy=False, way=f"Service/{receipt.service}"
        )
    except GrpclbError as error:
        site.say(f"the Service is restored, but {error}")


async def empty(site: Site, seconds: float) -> None:
    """Wait until no client is connected to Envoy. Raises RefusedError after `seconds`, Envoy then still running.

    An Envoy that does not say whom it serves is asked again. Only who may not ask it goes on without an answer.
    """
    await see_that_nobody_is_led_there(site)
    await site.journal.note("rolling back")  # before the drain: drained Envoys are of no use to a later fix
    await site.envoys.drain()
    until, told = time.monotonic() + seconds, ""
    while True:
        carried = await site.envoys.connections()
        if carried == 0:
            return
        if isinstance(carried, Gap) and carried.reason is GapReason.FORBIDDEN:
            site.say(
                f"not permitted to ask Envoy which clients it still serves ({printable(carried.detail)}); it drains "
                "when it is deleted"
            )
            return
        if (waiting := _waiting_for(carried)) != told:
            told = waiting
            site.say(waiting)
        if time.monotonic() > until:
            raise RefusedError(_still_serving(carried, seconds))
        await asyncio.sleep(_LOOK_EVERY)


def _waiting_for(carried: int | Gap) -> str:
    if isinstance(carried, Gap):
        return f"cannot tell which clients Envoy still serves; asking again ({printable(carried.detail)})"
    return f"waiting for {_connections(carried)} through Envoy to close"


def _connections(count: int) -> str:
    return f"{count} client connection{'s' if count != 1 else ''}"


def _still_serving(carried: int | Gap, seconds: float) -> str:
    seen = (
        f"after {seconds:.0f} s it is still unknown which clients Envoy serves ({printable(carried.detail)})"
        if isinstance(carried, Gap)
        else f"{_connections(carried)} through Envoy did not close within {seconds:.0f} s"
    )
    return (
        f"the Service is restored, but {seen}, so Envoy is left running. Run rollback again later, or with "
        "--recycle clients; nothing else is left to do"
    )


async def remove(site: Site, made: Iterable[Made]) -> None:
    """Delete what the fix made: Envoy first, and when it has ended, what it needed.

    Raises RefusedError that names what is left; before anything is deleted where the Service still leads to Envoy.
    """
    await see_that_nobody_is_led_there(site)
    every = sorted(made, key=lambda each: (each.resource, each.name))
    await _end_envoy(site, [each for each in every if each.resource in _RUNS])
    await _see_that_nobody_is_led_back(site)
    left = []
    for each in every:
        if each.resource not in _RUNS:
            left += await _left(site, each)
    if left:
        raise RefusedError("; ".join(left))


async def _end_envoy(site: Site, runs: Sequence[Made]) -> None:
    """Delete the autoscaler and the Deployment, and wait for its pods; while they run, they need all the rest."""
    for each in sorted(runs, key=lambda each: _RUNS.index(each.resource)):
        if left := await _left(site, each):
            raise RefusedError("; ".join(left))
    if any(each.resource == "deployments" for each in runs):
        await site.envoys.until_gone(max(site.seconds, _LEAST_END_SECONDS))


async def _left(site: Site, made: Made) -> list[str]:
    """Delete one object; say why where it is left."""
    site.hold.check()
    try:
        if await _delete(site.cluster, site.journal.receipt, made):
            site.say(f"deleted {made.resource}/{made.name}")
    except RefusedError as error:
        return [str(error)]
    return []


async def forget(site: Site) -> None:
    """Delete the receipt, in both places: nothing is left to undo."""
    await _see_that_nobody_is_led_back(site)
    site.hold.check()
    receipt = site.journal.receipt
    await _delete(site.cluster, receipt, Made(resource="configmaps", name=bundle_of(receipt.service).receipt))
    site.journal.forget()


async def see_that_nobody_is_led_there(site: Site) -> None:
    """Raise RefusedError where the Service leads to Envoy, or where that cannot be seen."""
    if await _is_led_there(site):
        receipt, bundle = site.journal.receipt, bundle_of(site.journal.receipt.service)
        raise RefusedError(
            f"Service/{receipt.service} leads to {bundle.envoy}, so Envoy is left running with everything that it needs"
        )


async def _see_that_nobody_is_led_back(site: Site) -> None:
    """See to the same when Envoy has ended: the receipt, at least, has to stay then."""
    if await _is_led_there(site):
        receipt, bundle = site.journal.receipt, bundle_of(site.journal.receipt.service)
        raise RefusedError(
            f"Service/{receipt.service} leads to {bundle.envoy} again, which is gone: "
            f"`{site.aim.grpclb('rollback')}` restores the Service at once. Find out what changed it"
        )


async def _is_led_there(site: Site) -> bool:
    """Tell whether the Service leads to Envoy. Raises RefusedError where that cannot be seen."""
    receipt = site.journal.receipt
    service = await the_service(site.cluster, site.namespace, receipt.service)
    return service is not None and leads_to_envoy(bundle_of(receipt.service), service["spec"])


async def prune(site: Site, kept: Collection[Made]) -> None:
    """Delete what an earlier fix of this Service made and this one does not need."""
    for each in site.journal.receipt.made:
        if each not in kept:
            site.hold.check()
            if await _delete(site.cluster, site.journal.receipt, each):
                site.say(f"deleted {each.resource}/{each.name}, which is no longer needed")


async def _delete(cluster: Workshop, receipt: Receipt, made: Made) -> bool:
    """Delete one object if it is there and ours."""
    found = await cluster.fetch(made.resource, receipt.namespace, made.name)
    if isinstance(found, Denied):
        if found.is_missing:
            return False
        raise RefusedError(f"could not read {made.resource}/{made.name} before deleting it: {printable(found.message)}")
    metadata = found.object["metadata"]
    if not is_labelled(found.object, receipt.service):
        raise RefusedError(
            f"{made.resource}/{made.name} is not the object that the fix created: its label {SERVICE_LABEL} is gone. "
            "It was not deleted; delete it yourself if it is not needed, then run this again"
        )
    if others := _only_managed_by_others(metadata):
        raise RefusedError(
            f"{made.resource}/{made.name} was not created by fix, but by {printable(', '.join(others))}. It is left "
            "alone; delete it yourself if it is not needed, then run this again"
        )
    pods_first = made.resource == "deployments"
    outcome = await cluster.write(
        Delete(made.resource, receipt.namespace, made.name, metadata["uid"], foreground=pods_first)
    )
    if isinstance(outcome, Denied) and not outcome.is_missing:
        raise RefusedError(f"could not delete {made.resource}/{made.name}: {printable(outcome.message)}")
    return True


def _only_managed_by_others(metadata: Mapping[str, Any]) -> list[str]:
    """Name who applied an object's fields where fix applied none; an API server that tells of nobody tells nothing."""
    managers = [str(each.get("manager", "")) for each in metadata.get("managedFields") or ()]
    return [] if FIELD_MANAGER in managers else list(dict.fromkeys(filter(None, managers)))
