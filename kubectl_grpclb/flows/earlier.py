"""What an earlier fix of the same Service means for a new one: where it stands, and what of it is kept."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

import msgspec

from kubectl_grpclb import __version__
from kubectl_grpclb.flows.wishes import Wishes
from kubectl_grpclb.model.bundle import bundle_of, leads_to_envoy
from kubectl_grpclb.model.command import Aim
from kubectl_grpclb.model.errors import UsageError
from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.plan import Check, Manifest, Plan
from kubectl_grpclb.model.receipt import Receipt, is_carried
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.remedies.envoy.plan import Installation

__all__ = ["State", "before_of", "installation_for", "on_top_of", "state_of", "strategy_for"]

State = Literal["fresh", "staged", "in use"]
"""Of the bundle: there is none, the Service leads past it, or the Service leads to it."""


def state_of(receipt: Receipt | None, service: Manifest) -> State:
    """Tell from where the Service leads, not from how far the receipt says that the fix came.

    A fix without Envoy leaves nothing that a later one could go on with: that begins afresh.
    """
    if receipt is None or receipt.ports is None:
        return "fresh"
    return "in use" if leads_to_envoy(bundle_of(receipt.service), service["spec"]) else "staged"


def installation_for(receipt: Receipt | None) -> Installation:
    """Take what was drawn for an earlier fix; Envoys that it told to drain are of no use, and others replace them."""
    tool = f"kubectl-grpclb {__version__}"
    if receipt is None or not receipt.drain_path:
        return Installation(drain_path=f"/drain-{secrets.token_urlsafe(24)}", tool=tool)
    drained = receipt.step == "rolling back"
    renewed = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if drained else receipt.renewed
    return Installation(drain_path=receipt.drain_path, tool=tool, marked=_marked(receipt), renewed=renewed)


def _marked(receipt: Receipt) -> str:
    """Give the key of the selector whose value the cut-over changes; empty where it is not known."""
    fields = receipt.change.fields if receipt.change else ()
    for field in fields:
        if field.path == "/spec/selector" and isinstance(field.before, dict) and isinstance(field.after, dict):
            return next((key for key, value in field.after.items() if field.before.get(key) != value), "")
    return ""


def strategy_for(wishes: Wishes, receipt: Receipt | None, state: State, aim: Aim) -> str:
    """Take what the user asks for, else what an earlier fix did. Raises UsageError where both do not go together."""
    if receipt is None or (receipt.ports is None and not receipt.made):
        return wishes.strategy
    if state == "in use" and wishes.strategy not in {"auto", receipt.strategy}:
        raise UsageError(
            f"Service {printable(receipt.service)} is already fixed with strategy {receipt.strategy}: to try another, "
            f"roll that back first (`{aim.grpclb('rollback')}`)"
        )
    return receipt.strategy if wishes.strategy == "auto" else wishes.strategy


def before_of(service: Manifest, receipt: Receipt | None, state: State) -> Manifest:
    """Give the Service as it would be without the fix: that is what is planned for."""
    return {**service, "spec": receipt.original} if receipt and state == "in use" else service


def on_top_of(receipt: Receipt | None, plan: Plan, facts: Facts, service: Manifest) -> Plan:
    """Add what an earlier fix, or the loss of its receipt, means for this one."""
    if plan.changes_nothing:
        return plan
    checks = (*_without_receipt(receipt, facts), *_of_another_kind(receipt, plan, facts, service))
    return msgspec.structs.replace(plan, checks=(*checks, *plan.checks))


def _without_receipt(receipt: Receipt | None, facts: Facts) -> Iterator[Check]:
    bundle = bundle_of(facts.target.service)
    if receipt is None and facts.bundle == "in use":
        yield Check(
            level="refuse",
            name="receipt",
            message=f"The Service already leads to {bundle.envoy}, but no receipt (ConfigMap {bundle.receipt}) says "
            "how it was before, so a fix on top of that could not be undone.",
            do="If it was put there with kubectl, change it the same way. If the receipt was lost, "
            f"`{facts.aim.grpclb('rollback')}` says what to do; then run fix again.",
        )


def _of_another_kind(receipt: Receipt | None, plan: Plan, facts: Facts, service: Manifest) -> Iterator[Check]:
    if receipt is None or receipt.strategy == plan.strategy:
        return
    if receipt.made:
        names = ", ".join(f"{each.resource}/{each.name}" for each in receipt.made)
        yield Check(
            level="refuse",
            name="earlier-fix",
            message=f"An earlier fix (strategy {receipt.strategy}) created {names}, which clients may be using by now "
            "and which this one would take over.",
            do=f"If nobody uses it any more, `{facts.aim.grpclb('rollback')}` removes it; run fix again then.",
        )
    elif receipt.change is not None and is_carried(receipt, service["spec"]):
        changed = ", ".join(field.path for field in receipt.change.fields)
        yield Check(
            level="warn",
            name="earlier-fix",
            message=f"An earlier fix (strategy {receipt.strategy}) changed {changed}; that stays, and a rollback "
            "undoes only this fix.",
            do="To restore the old value as well, roll back before you continue.",
        )
