"""Take a fix back: from its receipt alone, on any machine, wherever it stopped."""

from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from kubectl_grpclb.change import apply, undo
from kubectl_grpclb.change.apply import Site
from kubectl_grpclb.change.lease import holding
from kubectl_grpclb.change.receipts import Journal, load, receipt_file
from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.flows.wishes import Recycle, Talk
from kubectl_grpclb.model.bundle import bundle_of
from kubectl_grpclb.model.errors import RefusedError
from kubectl_grpclb.model.receipt import Receipt
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Denied

__all__ = ["Undoing", "rollback"]

_NOT_THERE = 404


class Undoing(Struct, frozen=True):
    """What a rollback did."""

    receipt: Receipt | None
    """None: there was nothing to take back."""
    restored: bool = False
    """Whether the Service led to Envoy; else only the bundle was left to remove."""
    unrestarted: tuple[str, ...] = ()


async def rollback(
    cluster: Workshop,
    namespace: str,
    service: str,
    *,
    recycle: Recycle,
    seconds: float,
    file: Path | None,
    talk: Talk,
) -> Undoing:
    """Take the fix of a Service back. Raises RefusedError that says why not, and what is left."""
    receipt = await load(cluster, namespace, service, file)
    bundle = bundle_of(service)
    if receipt is None:
        return await _only_a_lease(cluster, namespace, service, talk)
    restore = await _leads_to_envoy(cluster, receipt)
    talk.say(_intention(receipt, restore=restore, recycle=recycle))
    talk.confirm(f"Roll back the fix of Service {service} in namespace {namespace}?")
    async with holding(cluster, namespace, bundle, talk.say) as hold:
        own_file = receipt_file(cluster.context, namespace, service)
        journal = Journal(cluster, receipt, own_file if own_file.is_file() else None)
        site = Site(cluster, hold, journal, talk.say, seconds)
        left: list[str] = []
        if await _leads_to_envoy(cluster, receipt):
            await journal.note("rolling back")
            await undo.restore(site)
        if recycle == "clients" and restore:
            left = await apply.recycle(site, receipt.restart, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        if receipt.ports is not None:
            await undo.empty(site, seconds)
        await undo.remove(site, receipt.made)
    return Undoing(receipt, restored=restore, unrestarted=tuple(left))


async def _leads_to_envoy(cluster: Workshop, receipt: Receipt) -> bool:
    found = await cluster.fetch("services", receipt.namespace, receipt.service)
    if isinstance(found, Denied):
        if found.status == _NOT_THERE:
            return False
        raise RefusedError(f"could not read Service {receipt.service}: {printable(found.message)}")
    return undo.carries_the_fix(receipt, found.object)


async def _only_a_lease(cluster: Workshop, namespace: str, service: str, talk: Talk) -> Undoing:
    """Remove the Lease of a fix that was killed before it wrote anything else."""
    bundle = bundle_of(service)
    found = await cluster.fetch("leases", namespace, bundle.receipt)
    if not isinstance(found, Denied):
        async with holding(cluster, namespace, bundle, talk.say):
            pass  # holding it to its end deletes it
        talk.say(f"deleted leases/{bundle.receipt}")
    return Undoing(None)


def _intention(receipt: Receipt, *, restore: bool, recycle: Recycle) -> str:
    parts = []
    if restore:
        parts.append(f"put Service/{receipt.service} back as it was")
    if restore and recycle == "clients":
        parts += [f"restart {each.kind}/{each.name} in {each.namespace}" for each in receipt.restart]
    if receipt.ports is not None:
        parts.append("wait until no client is connected to Envoy")
    if receipt.made:
        parts.append("delete " + ", ".join(f"{each.resource}/{each.name}" for each in receipt.made))
    return "Rollback will " + "; then ".join(parts) + "."
