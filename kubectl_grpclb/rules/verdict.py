"""The verdict and the sentence that says it."""

from kubectl_grpclb.balance import effective_pods
from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.finding import Verdict
from kubectl_grpclb.rules.measure import Measured

__all__ = ["decide"]

Decision = tuple[Verdict, str]


def decide(facts: Facts, measured: Measured, unread: int, *, starved: bool) -> Decision:
    """Say what the load of the ready pods amounts to; `unread` of them could not be looked into.

    `starved` says that pods that were added later get next to nothing, and that this is not chance.
    """
    ready = len(measured.loads) + unread
    if not measured.loads or all(pod.target_port is None for pod in facts.pods if pod.ready):
        return "inconclusive", _nothing_read(facts, ready)
    if measured.signal == "requests" and not measured.enough:
        return "inconclusive", _too_few(measured, unread, facts.window)
    if not any(measured.loads):
        return _quiet(measured, ready, unread)
    if measured.unclear and not measured.churning:
        return "inconclusive", _outnumbered(measured)
    if measured.stays_uneven(unread) or starved:
        return "unbalanced", _unbalanced(measured, unread, starved=starved)
    if unread:
        return "inconclusive", _not_known(measured, ready, unread)
    return _churning(measured, ready) if measured.churning else ("balanced", _balanced(measured, ready))


def _nothing_read(facts: Facts, ready: int) -> str:
    if facts.service.external_name is not None:
        return f"the Service is a name for {facts.service.external_name}, which is outside the cluster"
    if not ready:
        return "the Service has no ready endpoint"
    if all(pod.target_port is None for pod in facts.pods if pod.ready):
        return "the Service's endpoints carry no port, so no connection can reach them"
    return "the ready pod could not be read" if ready == 1 else f"none of the {_pods(ready)} could be read"


def _too_few(measured: Measured, unread: int, window: float) -> str:
    total, known = sum(measured.loads), _pods(len(measured.loads))
    who = f"the {known} whose calls are known" if unread else known
    said = f"only {total:,.0f} {'request' if total == 1 else 'requests'}" if total else "no request"
    meanwhile = "meanwhile" if window else "since they began to count"
    longer = " (look longer: --window)" if window else ""
    return f"{said} came to {who} {meanwhile}: too few to say how they are spread{longer}"


def _quiet(measured: Measured, ready: int, unread: int) -> Decision:
    if unread:
        return "inconclusive", (
            f"no client is connected to the pods that were read, but {unread} of {_pods(ready)} could not be"
        )
    if measured.unplaced:
        who, its = ("the pod", "its") if ready == 1 else ("the pods", "their")
        return "inconclusive", (
            f"no connection to the port was seen, but {who} accepted {measured.unplaced:,} connections on some of "
            f"{its} ports meanwhile; clients that dial anew for every call would look like this: look longer (--window)"
        )
    return "idle", f"no client is connected to {'the ready pod' if ready == 1 else f'any of the {ready} ready pods'}"


def _not_known(measured: Measured, ready: int, unread: int) -> str:
    if measured.of_calls:
        return f"the calls of {unread} of {_pods(ready)} are not known, and could change the verdict"
    return f"{unread} of {_pods(ready)} could not be looked into, and what they carry could change the verdict"


def _unbalanced(measured: Measured, unread: int, *, starved: bool) -> str:
    loads = measured.loads
    idle = measured.idle
    which = "whose calls are known" if measured.of_calls else "that could be read"
    known = f"{_pods(len(loads))} {which} do" if unread else f"{_pods(len(loads))} do"
    work = (
        f"the {known} the work of {effective_pods(loads):.1f}; the busiest has {max(loads) / sum(loads):.0%} of "
        f"{_what(measured)}"
    )
    if idle:
        return f"{work}, and {idle} {'gets' if idle == 1 else 'get'} nothing"
    return f"{work}, and pods added later get next to nothing" if starved else work


def _outnumbered(measured: Measured) -> str:
    lasting = "1 connection lasts" if measured.lasting == 1 else f"{measured.lasting:,} connections last"
    return f"{lasting} and {measured.beside:,} came and went meanwhile; which of them carry the load is not known"


def _churning(measured: Measured, ready: int) -> Decision:
    if not measured.enough:
        return "inconclusive", "connections come and go, and too few were seen to say where they land"
    if measured.uneven:
        return "inconclusive", "connections come and go, and some pods accept more of them than others"
    return "balanced", (
        f"connections come and go, and are spread over {_pods(ready)}, which do the work of "
        f"{effective_pods(measured.loads):.1f}"
    )


def _balanced(measured: Measured, ready: int) -> str:
    if ready == 1:
        return "there is only one ready pod, so it gets everything"
    return (
        f"{_what(measured)} are spread over {_pods(ready)}, which do the work of {effective_pods(measured.loads):.1f}"
    )


def _what(measured: Measured) -> str:
    return measured.what or ("the bytes received" if measured.signal == "bytes" else "the connections")


def _pods(count: int) -> str:
    return "1 ready pod" if count == 1 else f"{count} ready pods"
