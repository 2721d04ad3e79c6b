"""The steps of a fix that are taken back where they fail: stage and check, cut over and prove."""

import asyncio

from kubectl_grpclb.change import apply
from kubectl_grpclb.change.apply import Site
from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.flows.prepare import Prepared
from kubectl_grpclb.flows.taking_back import take_away, take_back
from kubectl_grpclb.model.errors import RefusedError
from kubectl_grpclb.model.plan import Plan
from kubectl_grpclb.model.receipt import BEFORE_THE_CUT_OVER, Made
from kubectl_grpclb.model.resources import resource_of
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Denied, Done

__all__ = ["found", "made_by", "until_proved", "until_staged", "without_envoy"]


async def without_envoy(site: Site, prepared: Prepared) -> None:
    """Carry out a plan that has no proxy to wait for; whatever goes wrong, take it back."""
    plan = prepared.plan
    try:
        await apply.begin(site, "planned")
        await apply.stage(site, plan.create)
        await site.journal.note("staged")
        if plan.change is not None:
            await apply.switch(site, plan.change, site.journal.receipt.original)
            site.say(f"changed {plan.change.kind}/{plan.change.name}")
        await site.journal.note("done")
    except (Exception, asyncio.CancelledError) as error:
        await take_back(site, prepared, error)
        raise


async def until_staged(site: Site, prepared: Prepared) -> None:
    """Stage and check; whatever goes wrong in that, remove what was staged."""
    try:
        await apply.begin(site, "planned")
        await apply.stage(site, prepared.plan.create)
        await site.journal.note("staged")
        await apply.until_started(site)
        await apply.check(site)
        await site.journal.note("checked")
    except (Exception, asyncio.CancelledError) as error:
        await take_away(site, prepared, error)
        raise


async def until_proved(site: Site, prepared: Prepared) -> None:
    """Cut over and prove; whatever goes wrong in that, put the Service back at once."""
    if prepared.plan.change is None:
        raise ValueError("a plan for Envoy has a cut-over")
    try:
        await apply.cut_over(site, prepared.plan.change)
        await apply.prove(site)
    except (Exception, asyncio.CancelledError) as error:
        await take_back(site, prepared, error)
        raise


async def found(cluster: Workshop, prepared: Prepared) -> tuple[Made, ...]:
    """Give the objects that stand already and that no killed fix left behind in its stage.

    Raises RefusedError where it cannot be seen whether one does.
    """
    earlier, namespace = prepared.receipt, prepared.plan.target.namespace
    if earlier is not None and earlier.step in BEFORE_THE_CUT_OVER:
        return earlier.found
    every = made_by(prepared.plan) | set(earlier.made if earlier else ())
    wanted = sorted(every, key=lambda each: (each.resource, each.name))
    outcomes = await asyncio.gather(*(cluster.fetch(each.resource, namespace, each.name) for each in wanted))
    for each, outcome in zip(wanted, outcomes, strict=True):
        if isinstance(outcome, Denied) and not outcome.is_missing:
            raise RefusedError(
                f"could not see whether {each.resource}/{each.name} already exists: {printable(outcome.message)}. "
                "Nothing was changed; run this again"
            )
    standing = (isinstance(outcome, Done) and not outcome.is_ending for outcome in outcomes)
    return tuple(each for each, stands in zip(wanted, standing, strict=True) if stands)


def made_by(plan: Plan) -> set[Made]:
    """Give the objects that a plan brings about."""
    return {
        Made(resource=resource_of(each.manifest).resource, name=each.manifest["metadata"]["name"])
        for each in plan.create
    }
