"""Diagnose again and compare: whether the fix cured."""

from typing import Literal

from msgspec import Struct

from kubectl_grpclb.change.receipts import load
from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.flows.deeper import DeepCluster
from kubectl_grpclb.flows.diagnose import diagnosed, recorded
from kubectl_grpclb.model.errors import RefusedError
from kubectl_grpclb.model.finding import Balance, Report
from kubectl_grpclb.model.receipt import Before
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.probes.ask import Ask, Observer, quiet

__all__ = ["EXIT_CODES", "Outcome", "Verification", "compared", "verify"]

Outcome = Literal["fixed", "pending", "unchanged", "worse", "unknown"]

EXIT_CODES: dict[Outcome, int] = {"fixed": 0, "pending": 0, "unchanged": 5, "worse": 5, "unknown": 3}
"""The contract's: 5 where the check shows no cure, 3 where too little could be read to say."""

_OLD_CONNECTIONS = "GLB105"
_BYPASSED = "GLB301"
_NOTABLE = 0.05
"""A difference in the share of effective pods that is more than the measurement's own wobble."""


class Verification(Struct, frozen=True):
    """What a fix came to; `reason` says it in a sentence."""

    outcome: Outcome
    reason: str
    before: Balance
    report: Report


async def verify(cluster: Workshop, ask: Ask, observe: Observer = quiet) -> Verification:
    """Diagnose and compare with the diagnosis before the fix. Raises RefusedError where no fix is recorded."""
    receipt = await load(cluster, ask.namespace, ask.service)
    if receipt is None:
        raise RefusedError(
            f"no fix of Service {printable(ask.service)} is recorded in namespace {printable(ask.namespace)}, so there "
            "is nothing to compare with; `kubectl grpclb diagnose` tells how it is now"
        )
    async with DeepCluster(cluster) as deep:
        report = diagnosed(await recorded(deep, ask, observe))
    return compared(receipt.before, report)


def compared(before: Before, report: Report) -> Verification:
    """Say what the fix came to. Pure."""
    outcome, reason = _outcome(before, report)
    return Verification(outcome, reason, before.balance, report)


def _outcome(before: Before, report: Report) -> tuple[Outcome, str]:
    codes = {finding.code for finding in report.findings}
    if _BYPASSED in codes:
        return _by_effect(before, report, "the Service leads past Envoy, so the fix is not in use")
    if _OLD_CONNECTIONS in codes:
        return "pending", (
            "connections from before the fix are still open and stay where they are until they close; "
            "`--recycle clients`, or a rolling restart of the clients, moves them"
        )
    if report.verdict == "inconclusive":
        return "unknown", report.reason
    if report.verdict == "idle":
        return "unknown", "no client is connected now, so nothing shows whether load is spread"
    if report.verdict == "balanced":
        return "fixed", report.reason
    return _by_effect(before, report, report.reason)


def _by_effect(before: Before, report: Report, reason: str) -> tuple[Outcome, str]:
    was, is_now = _share(before.balance), _share(report.balance)
    if was is None or is_now is None:
        return "unknown", reason
    return ("worse" if is_now < was - _NOTABLE else "unchanged"), reason


def _share(balance: Balance) -> float | None:
    """Give the effective pods as a share of those that were read."""
    read = balance.pods - balance.unread
    return None if balance.effective_pods is None or read <= 0 else balance.effective_pods / read
