"""Which cure fits: by the leading finding that has one."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec import Struct

from kubectl_grpclb.model.facts import Client, Facts
from kubectl_grpclb.model.finding import Finding, Report
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.plan import Strategy
from kubectl_grpclb.model.words import names
from kubectl_grpclb.remedies.cures import first_cure

__all__ = ["Choice", "choose"]

_PINNED = "GLB201"

_OVERRIDE = "--strategy envoy plans the proxy all the same."
_OR_CLIENTS = "--strategy client tells what to change in the clients' code instead, which needs no proxy."


class Choice(Struct, frozen=True):
    """A strategy, and the reasons for it, a sentence each."""

    strategy: Strategy
    why: tuple[str, ...]


def choose(facts: Facts, report: Report) -> Choice:
    """Choose by the finding that explains most and has a cure; without one, say why nothing is done.

    Notes (severity `info`) are no reason to change anything.
    """
    if facts.service.external_name is not None:
        return Choice("none", (f"The Service is only another name for {facts.service.external_name}.",))
    for finding in report.findings:
        if finding.severity == "info":
            continue
        if finding.code == _PINNED:
            return _unpin(facts, finding)
        if finding.code in _WHY:
            return Choice(first_cure(finding.code), _WHY[finding.code](finding))
    return _without_finding(report)


def _balance_requests(finding: Finding) -> tuple[str, ...]:
    return (
        f"{_named(finding)} A Service balances connections, and a gRPC channel sends all its calls over one.",
        "Envoy balances every call, without a change to clients or servers.",
        _OR_CLIENTS,
    )


def _balance_in_clients(finding: Finding) -> tuple[str, ...]:
    return (
        f"{_named(finding)} What keeps them there is pick_first, gRPC's default policy: DNS gives every address.",
        "One line in each client changes that, and no proxy is needed.",
        "Where the clients cannot be changed, --strategy envoy puts a proxy before the pods.",
    )


def _unpin(facts: Facts, finding: Finding) -> Choice:
    pinned = [client.name for client in facts.clients if _is_pinned(client, facts)]
    if not pinned:
        return Choice("envoy", _balance_requests(finding))
    has, its = ("has", "its") if len(pinned) == 1 else ("have", "their")
    return Choice(
        first_cure(finding.code),
        (
            f"{_named(finding)} {names(pinned, at_most=3)} {has} all {its} connections on one pod for it.",
            "Without affinity, connections that are opened from then on are placed at random.",
            "Load may still stick then, as it does wherever long connections are few; if it does, run fix again.",
        ),
    )


def _is_pinned(client: Client, facts: Facts) -> bool:
    """Several lasting connections, and all of them to one ready pod, as rule GLB201 has it."""
    reached = [pod for pod in facts.pods if pod.ready and pod.name in client.pods]
    if len(reached) != 1 or isinstance(reached[0].sockets, Gap):
        return False
    return sum(each.lasting and each.peer in client.addresses for each in reached[0].sockets.connections) > 1


def _lead_somewhere(finding: Finding) -> tuple[str, ...]:
    return (f"{_named(finding)} Whatever balances, calls have to arrive first.",)


def _let_go(finding: Finding) -> tuple[str, ...]:
    return (f"{_named(finding)} Connections move only when they close; nothing else needs a change.",)


def _lead_through_again(finding: Finding) -> tuple[str, ...]:
    return (f"{_named(finding)} Its Envoys are there already; the Service has to lead to them.",)


def _give_the_proxy_pods(finding: Finding) -> tuple[str, ...]:
    return (
        f"{_named(finding)} It can balance every call as soon as it has the pods to choose from.",
        "Change that in the proxy: a headless name with STRICT_DNS and ROUND_ROBIN, EDS, or endpoint mode.",
        "Where the proxy cannot be changed, --strategy envoy puts another one between it and the pods.",
    )


def _complete_the_proxys_list(finding: Finding) -> tuple[str, ...]:
    return (
        f"{_named(finding)} It sends to the pods themselves, past the Service and whatever stands behind that.",
        "Change that in the proxy, unless the subset is meant: let discovery give it its hosts.",
    )


def _let_streams_end(finding: Finding) -> tuple[str, ...]:
    return (
        f"{_named(finding)} Nothing moves a stream that is open; new ones are spread by a proxy or by round_robin.",
        "So have clients or servers end each after a while, or give servers a MAX_CONNECTION_AGE with a grace.",
        _OVERRIDE,
    )


_WHY: Mapping[str, Callable[[Finding], tuple[str, ...]]] = MappingProxyType(
    {
        "GLB101": _balance_requests,
        "GLB102": _balance_requests,
        "GLB103": _balance_in_clients,
        "GLB104": _balance_requests,
        "GLB105": _let_go,
        "GLB106": _balance_requests,
        "GLB109": _balance_in_clients,
        "GLB205": _lead_somewhere,
        "GLB206": _let_go,
        "GLB301": _lead_through_again,
        "GLB302": _give_the_proxy_pods,
        "GLB303": _complete_the_proxys_list,
        "GLB401": _let_streams_end,
    }
)
"""By finding that a cure is chosen for, why that one; where `first_cure` has none, what to do instead."""


def _without_finding(report: Report) -> Choice:
    said = {
        "balanced": f"There is nothing to fix: {report.reason}",
        "idle": f"There is nothing to fix now: {report.reason}",
        "unbalanced": f"Load is uneven, but no finding says why, so no cure is known: {report.reason}",
        "inconclusive": f"Too little could be read to say whether there is anything to fix: {report.reason}",
    }[report.verdict]
    return Choice("none", (said, _OVERRIDE))


def _named(finding: Finding) -> str:
    return f"{finding.title} ({finding.code})."
