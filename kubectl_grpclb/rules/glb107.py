"""GLB107: connections are uneven and calls are not, which harms nobody."""

from collections.abc import Sequence

from kubectl_grpclb.balance import is_uneven
from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.words import names
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.rule import Claim, Rule
from kubectl_grpclb.rules.servers import Server
from kubectl_grpclb.rules.words import connections, lasting_connections, pods


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where calls are counted and even, over lasting connections that are not."""
    held = [float(server.lasting) for server in load.servers]
    if facts.tiers or load.verdict != "balanced" or not load.by_calls:
        return ()
    if len(held) < load.balance.pods or not is_uneven(held):
        return ()
    return (
        Claim(
            message=_message(load),
            evidence=[_held(server, load) for server in sorted(load.servers, key=lambda each: -each.lasting)],
            confidence=load.confidence,
            explains=0.0,
        ),
    )


def _message(load: Assessment) -> str:
    most = max(server.lasting for server in load.servers)
    there = [server.pod.name for server in load.servers if server.lasting == most]
    hold, each = ("holds", "") if len(there) == 1 else ("hold", " each")
    what = _carried(load)
    idle = [_idle(server) for server in load.servers]
    unused = sum(count for count in idle if count is not None)
    quiet = f" {connections(unused)} carried no call." if unused and None not in idle else ""
    begin = "idle connections begin to carry calls" if quiet else "that changes"
    return (
        f"{names(there, 3)} {hold} {most}{each} of the {lasting_connections(load)}, but {what} are what loads a pod, "
        f"and they are spread over {pods(len(load.servers))}.{quiet} Nothing needs to be done, unless {begin}."
    )


def _idle(server: Server) -> int | None:
    """Count lasting connections on which no call began or is open; None where these are not counted by connection."""
    lasting = [each for each in server.sockets.connections if each.lasting]
    if any(each.streams is None for each in lasting):
        return None
    return sum(not each.streams and not each.open_streams for each in lasting)


def _carried(load: Assessment) -> str:
    return "messages" if load.balance.signal == "streams" else "calls"


def _held(server: Server, load: Assessment) -> str:
    idle = _idle(server)
    without = f", {idle} of them without a call" if idle else ""
    by = names(load.balance.sources)
    return f"{server.pod.name}: {connections(server.lasting)}{without}; {server.load:,.0f} {_carried(load)} ({by})"


RULE = Rule(code="GLB107", title="Connections are uneven, calls are not", severity="info", check=check)
