"""Plan, show, ask, then stage, check, cut over, prove, recycle and verify; or leave everything as it was."""

import asyncio
from datetime import UTC, datetime

from msgspec import Struct

from kubectl_grpclb.change import apply, undo
from kubectl_grpclb.change.apply import Site
from kubectl_grpclb.change.lease import holding
from kubectl_grpclb.change.receipts import Journal, load, receipt_file
from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.flows.diagnose import exit_code, recorded
from kubectl_grpclb.flows.dry_run import reasons
from kubectl_grpclb.flows.prepare import Prepared, prepare
from kubectl_grpclb.flows.staging import found, made_by, until_proved, until_staged, without_envoy
from kubectl_grpclb.flows.up_to_date import nothing_to_do
from kubectl_grpclb.flows.upgrading import upgrade
from kubectl_grpclb.flows.verify import Verification, judged
from kubectl_grpclb.flows.wishes import Talk, Wishes
from kubectl_grpclb.model.bundle import bundle_of
from kubectl_grpclb.model.errors import ClusterError, RefusedError, UsageError
from kubectl_grpclb.model.plan import Plan
from kubectl_grpclb.model.receipt import RECEIPT_SCHEMA, Before, Made, Receipt
from kubectl_grpclb.model.write import Denied
from kubectl_grpclb.probes.ask import Ask

__all__ = ["Fixed", "fix"]

_LOOKS = 4
_UNTIL_THE_NEXT_LOOK = 3.0
"""Seconds."""


class Fixed(Struct, frozen=True):
    """What `fix` came to: the plan, and the check after it where something was changed and cut over."""

    plan: Plan
    changed: bool
    code: int = 0
    """The exit code where there was no check."""
    verification: Verification | None = None
    unrestarted: tuple[str, ...] = ()
    """Clients that could not be restarted, and why."""


async def fix(cluster: Workshop, ask: Ask, wishes: Wishes, talk: Talk) -> Fixed:
    """Fix a Service. Raises RefusedError where it was not begun or was taken back, DeclinedError, ClusterError."""
    prepared = await prepare(cluster, ask, wishes, talk.observe)
    plan = prepared.plan
    if needless := await nothing_to_do(cluster, prepared, wishes):
        return Fixed(needless, changed=False)
    talk.show(plan)
    if plan.refused:
        raise RefusedError(f"this fix was not started: {reasons(plan.refused)}")
    if plan.changes_nothing:
        return Fixed(plan, changed=False, code=exit_code([prepared.report], "warning"))
    if wishes.stage_only and plan.ports is None:
        raise UsageError("--stage-only is for Envoy: this fix has no stages, it is a single change. Leave the flag out")
    talk.confirm(f"Apply this to Service {ask.service} in namespace {ask.namespace}?")
    return await _carry_out(cluster, ask, wishes, talk, prepared)


async def _carry_out(cluster: Workshop, ask: Ask, wishes: Wishes, talk: Talk, prepared: Prepared) -> Fixed:
    file = receipt_file(cluster.context, ask.namespace, ask.service)
    async with holding(cluster, ask.namespace, bundle_of(ask.service), talk.say) as hold:
        await _still_the_same(cluster, ask, prepared)
        journal = Journal(cluster, _receipt(cluster, prepared, await found(cluster, prepared)), file, hold.check)
        site = Site(cluster, hold, journal, talk.say, wishes.seconds, ask.aim)
        try:
            return await _steps(site, ask, wishes, talk, prepared)
        except ClusterError as error:
            raise ClusterError(
                f"{error}\nThe fix stopped after the step `{journal.receipt.step}`. When the cluster answers again, "
                f"`{ask.aim.grpclb('fix')}` continues, and `{ask.aim.grpclb('rollback')}` undoes it"
            ) from error


async def _steps(site: Site, ask: Ask, wishes: Wishes, talk: Talk, prepared: Prepared) -> Fixed:
    plan = prepared.plan
    if plan.ports is None:
        await without_envoy(site, prepared)
        return Fixed(plan, changed=True, unrestarted=tuple(await _recycle(site, plan, wishes)))
    if prepared.state == "in use":
        await upgrade(site, plan.create)
        await undo.prune(site, made_by(plan))
    else:
        await until_staged(site, prepared)
        if wishes.stage_only:
            return Fixed(plan, changed=True)
        await until_proved(site, prepared)
    try:
        left = await _recycle(site, plan, wishes)
        verification = await _verify(site.cluster, ask, site.journal.receipt, talk, looks=_LOOKS if plan.recycle else 1)
    except asyncio.CancelledError:
        talk.say(f"interrupted: the fix is in place; `{ask.aim.grpclb('rollback')}` undoes it")
        raise
    await site.journal.note("done")
    return Fixed(plan, changed=True, verification=verification, unrestarted=tuple(left))


async def _recycle(site: Site, plan: Plan, wishes: Wishes) -> list[str]:
    if wishes.recycle != "clients":
        return []
    return await apply.recycle(site, plan.restart, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


async def _verify(cluster: Workshop, ask: Ask, receipt: Receipt, talk: Talk, looks: int) -> Verification:
    """Diagnose again; clients that were restarted a moment ago and are not connected yet are given another look."""
    talk.say("diagnosing again")
    verification = judged(receipt, await recorded(cluster, ask, talk.observe))
    if verification.report.verdict == "idle" and looks > 1:
        talk.say("no client is connected yet")
        await asyncio.sleep(_UNTIL_THE_NEXT_LOOK)
        return await _verify(cluster, ask, receipt, talk, looks - 1)
    return verification


async def _still_the_same(cluster: Workshop, ask: Ask, prepared: Prepared) -> None:
    """See that no other fix came between the plan and the Lease."""
    now = await load(cluster, ask.namespace, ask.service)
    if now != prepared.receipt:
        raise RefusedError(
            "another `fix` or `rollback` ran on this Service in the meantime: run this again for a new plan"
        )
    service = await cluster.fetch("services", ask.namespace, ask.service)
    if isinstance(service, Denied):
        raise ClusterError(f"the Service can no longer be read: {service.message}")


def _receipt(cluster: Workshop, prepared: Prepared, found: tuple[Made, ...]) -> Receipt:
    plan, earlier, target = prepared.plan, prepared.receipt, prepared.plan.target
    in_use = earlier is not None and prepared.state == "in use"
    before = Before(verdict=prepared.report.verdict, balance=prepared.report.balance, taken_at=prepared.report.taken_at)
    made = made_by(plan)
    return Receipt(
        schema=RECEIPT_SCHEMA,
        tool=prepared.installation.tool,
        context=cluster.context,
        namespace=target.namespace,
        service=target.service,
        uid=prepared.service["metadata"]["uid"],
        strategy=plan.strategy,
        step="planned",
        at="",
        original=earlier.original if earlier and in_use else prepared.service["spec"],
        change=earlier.change if earlier and in_use else plan.change,
        made=tuple(sorted(made | set(earlier.made if earlier else ()), key=lambda each: (each.resource, each.name))),
        restart=plan.restart or (earlier.restart if earlier else ()),
        found=found,
        drain_path=prepared.installation.drain_path if plan.ports else "",
        renewed=prepared.installation.renewed,
        ports=plan.ports,
        port=target.port,
        options=prepared.choices,
        before=earlier.before if earlier and in_use else before,
    )
