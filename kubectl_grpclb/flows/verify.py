"""Diagnose again and compare: whether the fix worked."""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from kubectl_grpclb.change.receipts import load
from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.flows.deeper import DeepCluster
from kubectl_grpclb.flows.diagnose import recorded
from kubectl_grpclb.model.command import Aim
from kubectl_grpclb.model.errors import RefusedError
from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.finding import Balance, Report
from kubectl_grpclb.model.receipt import Before, Receipt
from kubectl_grpclb.model.snapshot import Snapshot
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Denied
from kubectl_grpclb.probes.ask import Ask, Observer, quiet
from kubectl_grpclb.probes.endpoints import age_of
from kubectl_grpclb.probes.required import no_such_service

__all__ = ["EXIT_CODES", "Outcome", "Verification", "compared", "judged", "may_be_older", "verify"]

Outcome = Literal["fixed", "pending", "unchanged", "worse", "unknown"]

EXIT_CODES: dict[Outcome, int] = {"fixed": 0, "pending": 0, "unchanged": 5, "worse": 5, "unknown": 3}
"""The contract's: 5 where the check shows no cure, 3 where too little could be read to say."""

_OLD_CONNECTIONS = "GLB105"
_BYPASSED = "GLB301"
_AFFINITY = "GLB201"
_SEVERAL = 2
_NOTABLE = 0.05
"""A difference in the share of effective pods that is more than the measurement's own wobble."""


class Verification(Struct, frozen=True):
    """What a fix came to; `reason` says it in a sentence."""

    outcome: Outcome
    reason: str
    before: Balance
    report: Report


async def verify(cluster: Workshop, ask: Ask, observe: Observer = quiet) -> Verification:
    """Diagnose and compare with the diagnosis before the fix.

    Raises RefusedError where no fix is recorded, ClusterError where there is no such Service either.
    """
    receipt = await load(cluster, ask.namespace, ask.service)
    if receipt is None:
        found = await cluster.fetch("services", ask.namespace, ask.service)
        if isinstance(found, Denied) and found.is_missing:
            raise await no_such_service(cluster, ask)
        raise RefusedError(
            f"no fix of Service {printable(ask.service)} is recorded in namespace {printable(ask.namespace)}, so there "
            f"is nothing to compare with; `{ask.aim.grpclb('diagnose')}` shows the current state"
        )
    async with DeepCluster(cluster, flags=ask.flags) as deep:
        return judged(receipt, await recorded(deep, _of_the_fixed_port(ask, receipt), observe))


def _of_the_fixed_port(ask: Ask, receipt: Receipt) -> Ask:
    """Ask about the port that was fixed, where the Service has several and the user names none."""
    if ask.port is not None or receipt.port is None or len(receipt.original.get("ports") or ()) < 2:
        return ask
    return replace(ask, port=str(receipt.port))


def judged(receipt: Receipt, snapshot: Snapshot) -> Verification:
    """Say what a fix came to by what was read after it. Pure."""
    from kubectl_grpclb.probes.derive import derive
    from kubectl_grpclb.rules import analyse

    known = derive(snapshot)
    return compared(receipt.before, analyse(known), known.aim, older=may_be_older(receipt, known))


def compared(before: Before, report: Report, aim: Aim, *, older: bool = False) -> Verification:
    """Say what the fix came to; `older` says that connections may be from before the Service was changed. Pure."""
    outcome, reason = _outcome(before, report, aim, older=older)
    return Verification(outcome, reason, before.balance, report)


def may_be_older(receipt: Receipt, facts: Facts) -> bool:
    """Tell whether a change of the Service itself is younger than a client, whose connections may then be older.

    Where Envoy is the cure its own addresses tell which connections are (GLB105).
    """
    if receipt.strategy != "service":
        return False
    since = age_of(receipt.at, facts.taken_at)
    return any(
        client.lasting and (client.age is None or since is None or client.age >= since) for client in facts.clients
    )


def _outcome(before: Before, report: Report, aim: Aim, *, older: bool) -> tuple[Outcome, str]:
    codes = {finding.code for finding in report.findings}
    if _BYPASSED in codes:
        return _by_effect(before, report, "the Service bypasses Envoy, so the fix is not in use")
    if _OLD_CONNECTIONS in codes:
        return "pending", (
            "connections from before the fix are still open and stay where they are until they close; "
            f"`{aim.grpclb('fix', '--recycle', 'clients')}`, or a rolling restart of the clients, moves them"
        )
    if report.verdict == "inconclusive":
        return "unknown", report.reason
    if report.verdict == "idle":
        return "unknown", "no client is connected now, so nothing shows whether load is spread"
    if report.verdict == "balanced":
        if report.balance.pods < _SEVERAL:
            return "unknown", "one pod is ready now, so nothing shows whether load is spread"
        return "fixed", report.reason
    if older and _AFFINITY not in codes:
        return "pending", (
            "connections from before the change may still be open, and stay where they are until they close; a rolling "
            "restart of the clients makes them connect again"
        )
    return _by_effect(before, report, report.reason)


def _by_effect(before: Before, report: Report, reason: str) -> tuple[Outcome, str]:
    """Compare the shares of effective pods, which of different signals say nothing of each other."""
    was, is_now = _share(before.balance), _share(report.balance)
    if before.verdict == "idle" or was is None or is_now is None:
        return "unknown", reason
    if before.balance.signal != report.balance.signal:
        return ("unchanged" if before.verdict == report.verdict else "unknown"), reason
    return ("worse" if is_now < was - _NOTABLE else "unchanged"), reason


def _share(balance: Balance) -> float | None:
    """Give the effective pods as a share of those that were read."""
    read = balance.pods - balance.unread
    return None if balance.effective_pods is None or read <= 0 else balance.effective_pods / read
