"""GLB401: calls that stay open carry the load, and cannot move to another pod."""

from collections.abc import Sequence

from kubectl_grpclb.balance import is_uneven
from kubectl_grpclb.model.facts import Counted, Facts, Pod
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.words import names
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.calls import Calls, calls_of
from kubectl_grpclb.rules.rule import Claim, Rule
from kubectl_grpclb.rules.words import at_most, pods

_FEW = 10
"""Fewer new calls than so many a pod do not carry the load beside calls that stay open."""


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where load is uneven, calls stay open on some pods, and few new ones come beside them."""
    calls = calls_of([pod for pod in facts.pods if pod.ready and pod.target_port is not None])
    held = {pod.name: _staying(pod, each) for pod, each in zip(calls.pods, calls.counted, strict=True)}
    if not load.unbalanced or not any(held.values()) or not (load.balance.signal == "streams" or _few(calls, held)):
        return ()
    if len(calls.pods) < load.balance.pods - len(load.unread):
        return ()
    return (
        Claim(
            message=_message(load, held),
            evidence=[*_pods(calls, held, load), *_clients(facts)],
            confidence=load.confidence if load.balance.signal == "streams" else at_most("medium", load.confidence),
            explains=0.8 if load.connections_are_even or not load.lasting else 0.4,
            remedies=("end-streams", "envoy"),
        ),
    )


def _staying(pod: Pod, counted: Counted) -> int:
    """Count calls that stay open: at both looks, where that is told by connection, else at the last one."""
    opened = counted.open_streams or 0
    lasting = [] if isinstance(pod.sockets, Gap) else [each for each in pod.sockets.connections if each.lasting]
    held = [each.held_streams for each in lasting if each.held_streams is not None]
    return min(opened, sum(held)) if lasting and len(held) == len(lasting) else opened


def _few(calls: Calls, held: dict[str, int]) -> bool:
    """Tell whether hardly any call came beside those that stay open, and these are uneven."""
    return sum(calls.requests) < _FEW * len(calls.pods) and is_uneven([float(count) for count in held.values()])


def _message(load: Assessment, held: dict[str, int]) -> str:
    there = [name for name, count in held.items() if count]
    total = sum(held.values())
    what = "1 stream stays" if total == 1 else f"{total:,} streams stay"
    carries = f" and {'carries' if total == 1 else 'carry'} the load"
    beside = carries if load.balance.signal == "streams" else "; there are few other calls"
    return (
        f"{what} open on {names(there, 3)} ({len(there)} of {pods(load.balance.pods)}){beside}. A stream stays where "
        "it began, whatever balances requests, so only new streams are spread. End each one after a while, in the "
        "client "
        "or the server, and start it again, and give servers a MAX_CONNECTION_AGE with a grace period; balancing "
        "requests then spreads the new ones."
    )


def _pods(calls: Calls, held: dict[str, int], load: Assessment) -> list[str]:
    said = []
    for name in sorted(held, key=lambda each: -held[each]):
        carried = f", {load.loads.get(name, 0.0):,.0f} messages" if load.balance.signal == "streams" else ""
        said.append(f"{name}: {held[name]:,} open{carried} ({names(calls.sources)})")
    return said


def _clients(facts: Facts) -> list[str]:
    return [
        f"{client.name} ({client.ip}): {client.open_streams:,} open, to {names(client.pods, 3)}"
        for client in facts.clients
        if client.open_streams
    ]


RULE = Rule(code="GLB401", title="Long streams pin the load", severity="warning", check=check)
