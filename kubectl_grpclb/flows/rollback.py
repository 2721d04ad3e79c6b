"""Take a fix back: from its receipt alone, on any machine, wherever it stopped."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from kubectl_grpclb.change import apply, undo
from kubectl_grpclb.change.apply import Site
from kubectl_grpclb.change.lease import Hold, holding
from kubectl_grpclb.change.receipts import Journal, load, receipt_file
from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.flows.permissions import see_that_it_may_be_rolled_back
from kubectl_grpclb.flows.wishes import Recycle, Talk
from kubectl_grpclb.model.bundle import SERVICE_LABEL, bundle_of, is_labelled, leads_to_envoy
from kubectl_grpclb.model.command import NOT_GIVEN, Aim, ClusterFlags
from kubectl_grpclb.model.errors import ClusterError, RefusedError
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.receipt import Receipt
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Denied, Done

__all__ = ["Undoing", "rollback"]


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
    flags: ClusterFlags = NOT_GIVEN,
) -> Undoing:
    """Take the fix of a Service back. Raises RefusedError that says why not, and what is left.

    `flags` said which cluster; the commands that the user is told repeat them.
    """
    aim = Aim(namespace, service, flags=flags)
    receipt = await load(cluster, namespace, service, file)
    bundle = bundle_of(service)
    if receipt is None:
        return await _only_a_lease(cluster, aim, talk)
    losses = await see_that_it_may_be_rolled_back(cluster, receipt, recycle)
    restore = await _leads_to_envoy(cluster, receipt)
    for loss in losses:
        talk.say(loss)
    talk.say(_intention(receipt, restore=restore, recycle=recycle))
    talk.confirm(f"Roll back the fix of Service {service} in namespace {namespace}?")
    async with holding(cluster, namespace, bundle, talk.say) as hold:
        own_file = receipt_file(cluster.context, namespace, service)
        journal = Journal(cluster, receipt, own_file if own_file and own_file.is_file() else None, hold.check)
        site = Site(cluster, hold, journal, talk.say, seconds, aim)
        try:
            await _see_that_it_is_as_shown(cluster, receipt, file, restore=restore)
            left = await _undo(site, restore=restore, recycle=recycle)
        except asyncio.CancelledError:
            talk.say(_interrupted(hold, aim, recycle, file))
            raise
    return Undoing(receipt, restored=restore, unrestarted=tuple(left))


async def _undo(site: Site, *, restore: bool, recycle: Recycle) -> list[str]:
    """Take every step, each of which can be begun again; give the clients that could not be restarted, and why."""
    receipt, left = site.journal.receipt, list[str]()
    if restore:
        await site.journal.note("rolling back")
        await undo.restore(site)
    if recycle == "clients":
        left = await apply.recycle(site, receipt.restart, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    if receipt.ports is not None:
        await undo.empty(site, site.seconds)
    await undo.remove(site, receipt.made)
    await undo.forget(site)
    return left


def _interrupted(hold: Hold, aim: Aim, recycle: Recycle, file: Path | None) -> str:
    """Say after Ctrl-C where that leaves the rollback, and the command that goes on as this one would have."""
    if hold.is_lost:
        return "interrupted: another `fix` or `rollback` has taken over what this run started, and continues it"
    flags = [*(["--recycle", recycle] if recycle != "none" else []), *(["--receipt", str(file)] if file else [])]
    return f"interrupted: the rollback is not finished; `{aim.grpclb('rollback', *flags)}` continues it"


async def _see_that_it_is_as_shown(cluster: Workshop, receipt: Receipt, file: Path | None, *, restore: bool) -> None:
    """See under the Lease that what the user agreed to is still what there is to do. Raises RefusedError."""
    if await load(cluster, receipt.namespace, receipt.service, file) != receipt:
        raise RefusedError(
            "another `fix` or `rollback` ran on this Service in the meantime: run this again to see what there is to "
            "undo now. This run changed nothing"
        )
    if await _leads_to_envoy(cluster, receipt) is not restore:
        now = "no longer leads to Envoy" if restore else "leads to Envoy again"
        raise RefusedError(
            f"somebody changed Service/{receipt.service} in the meantime: it {now}. Run this again to see what there "
            "is to undo now. This run changed nothing"
        )


async def _leads_to_envoy(cluster: Workshop, receipt: Receipt) -> bool:
    service = await undo.the_service(cluster, receipt.namespace, receipt.service)
    return service is not None and undo.carries_the_fix(receipt, service)


async def _only_a_lease(cluster: Workshop, aim: Aim, talk: Talk) -> Undoing:
    """Remove the Lease of a fix that was killed before it wrote anything else.

    Raises RefusedError where the Service leads to Envoys all the same: then the receipt was lost; and ClusterError
    where there is neither a Lease nor a Service: then the name is wrong.
    """
    bundle = bundle_of(aim.service)
    service = await undo.the_service(cluster, aim.namespace, aim.service)
    if service is not None:
        _see_that_no_receipt_was_lost(cluster, aim, service)
    found = await cluster.fetch("leases", aim.namespace, bundle.receipt)
    if isinstance(found, Denied) and not found.is_missing:
        raise RefusedError(
            f"found no receipt of a fix, and could not see whether one left a Lease: {printable(found.message)}"
        )
    if isinstance(found, Denied) and service is None:
        raise ClusterError(
            f'Service "{printable(aim.service)}" does not exist in namespace "{printable(aim.namespace)}", and no fix '
            "of it is recorded there, so there is nothing to roll back"
        )
    await _see_that_nothing_stands(cluster, aim)
    if not isinstance(found, Denied):
        async with holding(cluster, aim.namespace, bundle, talk.say):
            pass  # holding it to its end deletes it
        talk.say(f"deleted leases/{bundle.receipt}")
    return Undoing(None)


def _see_that_no_receipt_was_lost(cluster: Workshop, aim: Aim, service: Manifest) -> None:
    bundle = bundle_of(aim.service)
    if not leads_to_envoy(bundle, service["spec"]):
        return
    file = receipt_file(cluster.context, aim.namespace, aim.service)
    kept = file is not None and file.is_file()
    known = f"This machine has one: `{aim.grpclb('rollback', '--receipt', str(file))}`" if kept else _by_hand(aim)
    raise RefusedError(
        f"Service {printable(aim.service)} leads to {bundle.envoy}, but the receipt that says how it was before "
        f"(ConfigMap {bundle.receipt}) does not exist. {known}"
    )


async def _see_that_nothing_stands(cluster: Workshop, aim: Aim) -> None:
    """See that no object of a fix is there: without a receipt it may be somebody else's, as of a repository."""
    bundle = bundle_of(aim.service)
    names = [("services", bundle.headless), *((resource, bundle.envoy) for resource in _OF_ENVOY)]
    outcomes = [await cluster.fetch(resource, aim.namespace, name) for resource, name in names]
    standing = [
        f"{resource}/{name}"
        for (resource, name), outcome in zip(names, outcomes, strict=True)
        if isinstance(outcome, Done) and is_labelled(outcome.object, aim.service)
    ]
    if standing:
        kinds = ",".join(("services", *_OF_ENVOY))
        delete = aim.kubectl("delete", kinds, options=("-l", f"{SERVICE_LABEL}={aim.service}"))
        raise RefusedError(
            f"no receipt of a fix is here, so what stands was not created by fix, or its receipt was lost: "
            f"{', '.join(standing)}. Nothing was changed. If nobody uses it any more, `{delete}` deletes it"
        )


_OF_ENVOY = ("deployments", "configmaps", "poddisruptionbudgets")


def _by_hand(aim: Aim) -> str:
    return (
        "The machine that ran fix may have one, for --receipt. Without one, put the Service's old selector and target "
        f"port back with `{aim.kubectl('edit', 'service', aim.service)}`, wait until no client is connected to Envoy, "
        f"and delete what has the label {SERVICE_LABEL}={aim.service}"
    )


def _intention(receipt: Receipt, *, restore: bool, recycle: Recycle) -> str:
    parts = []
    if restore:
        parts.append(f"put Service/{receipt.service} back as it was")
    if recycle == "clients":
        parts += [f"restart {each.kind}/{each.name} in {each.namespace}" for each in receipt.restart]
    if receipt.ports is not None:
        parts.append("wait until no client is connected to Envoy")
    if receipt.made:
        parts.append("delete " + ", ".join(f"{each.resource}/{each.name}" for each in receipt.made))
    return "Rollback will " + "; then ".join(parts) + "."
