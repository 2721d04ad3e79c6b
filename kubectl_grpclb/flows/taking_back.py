"""Take back what a fix did so far, where it cannot go on: the Service first, then what was staged."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from kubectl_grpclb.change import undo
from kubectl_grpclb.change.apply import Site
from kubectl_grpclb.change.doubt import fence_off, wait_for_the_late
from kubectl_grpclb.flows.prepare import Prepared
from kubectl_grpclb.model.errors import ClusterError, GrpclbError, RefusedError
from kubectl_grpclb.model.receipt import BEFORE_THE_CUT_OVER, Receipt, is_carried

__all__ = ["patiently", "take_away", "take_back"]

Result = TypeVar("Result")

_PATIENCE = 30.0
"""Seconds that a cluster is tried again for which does not answer, as while its API server restarts."""


async def take_back(site: Site, prepared: Prepared, error: BaseException) -> None:
    """Put the Service back, and remove what this fix added.

    Raises RefusedError that says what went wrong first, and where that leaves the Service. After Ctrl-C, or a fault of
    this program, it returns where all is taken back, which it says after Ctrl-C: then that error is to go on its way.
    """
    receipt = site.journal.receipt
    if site.hold.is_lost:
        _leave(site)
        return
    _tell(site, error, "putting the Service back and removing what was staged")
    try:
        led = await patiently(site, lambda: _put_back(site))
    except GrpclbError as second:
        left = "may lead to Envoy by now, so Envoy is left running with everything that it needs"
        raise RefusedError(
            f"{_why(error)}.\nWhile undoing it: {second}.\nService/{receipt.service} "
            f"{left if receipt.ports else 'may be changed by now'}. `{site.aim.grpclb('fix')}` continues, "
            f"and `{site.aim.grpclb('rollback')}` undoes it"
        ) from second
    try:
        if led:
            await patiently(site, lambda: undo.empty(site, site.seconds))
        removed = await _removed_again(site, prepared)
    except GrpclbError as second:
        raise RefusedError(f"{_why(error)}.\nThe Service is as it was before, but {second}") from second
    if isinstance(error, asyncio.CancelledError):
        site.say(f"the Service is as it was before, and {removed}")
    if isinstance(error, GrpclbError):
        raise RefusedError(f"{error}.\nThe Service is as it was before, and {removed}") from error


async def take_away(site: Site, prepared: Prepared, error: BaseException) -> None:
    """Remove what this fix staged, where it did not come to the Service; raises as `take_back` does."""
    if site.hold.is_lost:
        _leave(site)
        return
    _tell(site, error, "removing what was staged")
    try:
        removed = await _removed_again(site, prepared)
    except GrpclbError as second:
        raise RefusedError(f"{_why(error)}.\nThe Service was not touched; {second}") from second
    if isinstance(error, asyncio.CancelledError):
        site.say(f"the Service was not touched, and {removed}")
    if isinstance(error, GrpclbError):
        raise RefusedError(f"{error}.\nThe Service was not touched, and {removed}") from error


def _leave(site: Site) -> None:
    """Leave everything to the other run that has the Lease by now: it goes by the receipt, and so does the next one."""
    site.say("another `fix` or `rollback` has taken over what this run started, and continues it")


def _tell(site: Site, error: BaseException, what: str) -> None:
    """Say after Ctrl-C what is done before the end, and what to do for who does not wait for it."""
    if isinstance(error, asyncio.CancelledError):
        site.say(f"interrupted: {what}. If that is interrupted, too, `{site.aim.grpclb('rollback')}` does it")


def _why(error: BaseException) -> str:
    """Give an error's words; that the user pressed Ctrl-C comes without any, and a fault of ours with too few."""
    if isinstance(error, asyncio.CancelledError):
        return "interrupted"
    return str(error) if isinstance(error, GrpclbError) else f"{type(error).__name__}: {error}"


async def _put_back(site: Site) -> bool:
    """Put the Service back where it was changed, and tell whether clients may have been led to Envoy."""
    receipt = site.journal.receipt
    in_doubt = await fence_off(site)
    service = await undo.the_service(site.cluster, site.namespace, receipt.service)
    carried = service is not None and undo.carries_the_fix(receipt, service)
    if carried:
        await undo.restore(site)
    return (carried or in_doubt) and receipt.ports is not None


async def _removed_again(site: Site, prepared: Prepared) -> str:
    """Remove what this fix staged, and leave what stood before it, with its receipt; give it in words.

    Raises RefusedError that says what is left.
    """
    receipt = site.journal.receipt
    try:
        await patiently(site, lambda: _remove(site, prepared, receipt))
    except GrpclbError as error:
        raise RefusedError(
            f"could not remove what was staged: {error}. `{site.aim.grpclb('rollback')}` removes it"
        ) from error
    if receipt.found:
        return _WITH_WHAT_STOOD
    return "what had been staged for it has been removed" if receipt.made else "nothing of the fix is left"


_WITH_WHAT_STOOD = (
    "what this fix added has been removed; what existed before keeps the changes that this fix made: another `fix` "
    "changes it again, and `rollback` removes it"
)


async def _remove(site: Site, prepared: Prepared, receipt: Receipt) -> None:
    """Remove what this fix's receipt names; tried again, the journal may have the earlier fix's by now."""
    earlier = prepared.receipt
    await wait_for_the_late(site)
    await undo.remove(site, set(receipt.made) - set(receipt.found))
    if earlier is not None and (receipt.found or _is_worth_keeping(earlier, prepared)):
        drained = receipt.step == "rolling back"
        await site.journal.keep(msgspec.structs.replace(earlier, step="rolling back") if drained else earlier)
    elif not receipt.found:
        await undo.forget(site)


def _is_worth_keeping(earlier: Receipt, prepared: Prepared) -> bool:
    """Tell whether an earlier fix changed anything of the Service that its receipt is needed to undo."""
    return earlier.step not in BEFORE_THE_CUT_OVER or is_carried(earlier, prepared.service["spec"])


async def patiently(site: Site, act: Callable[[], Awaitable[Result]]) -> Result:
    """Do what can be done again, until the cluster answers and the Lease is renewed, or that takes too long."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return await act()
        except GrpclbError as error:
            may_pass = isinstance(error, ClusterError) or site.hold.is_late
            if site.hold.is_lost or not may_pass or not await site.hold.again(until):
                raise
