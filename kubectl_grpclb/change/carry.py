"""Send one change, and learn what becomes of it also where whoever sent it is interrupted."""

import asyncio

from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.model.receipt import Made
from kubectl_grpclb.model.resources import resource_of
from kubectl_grpclb.model.write import Delete, Done, Outcome, PatchObject, Write

__all__ = ["carried_out"]

_ANSWER_SECONDS = 10.0
"""How long the answer to a change is waited for after an interruption."""


async def carried_out(cluster: Workshop, write: Write, in_doubt: set[Made]) -> Outcome:
    """Carry a change out; where nobody knows whether it was, or will be, add its object to those in doubt.

    An interruption (CancelledError) goes on its way only when the answer is there, or does not come for a while.
    """
    sending = asyncio.ensure_future(cluster.write(write))
    try:
        return await asyncio.shield(sending)
    except asyncio.CancelledError:
        await asyncio.wait([sending], timeout=_ANSWER_SECONDS)
        raise
    finally:
        if not _is_known(sending):
            in_doubt.add(_object_of(write))
        sending.cancel()


def _is_known(sending: "asyncio.Future[Outcome]") -> bool:
    if not sending.done() or sending.cancelled() or sending.exception() is not None:
        return False
    outcome = sending.result()
    return isinstance(outcome, Done) or not outcome.is_failure


def _object_of(write: Write) -> Made:
    if isinstance(write, PatchObject | Delete):
        return Made(resource=write.resource, name=write.name)
    return Made(resource=resource_of(write.manifest).resource, name=write.manifest["metadata"]["name"])
