"""GLB402: a connection carries as many calls at a time as it may, so that more of them wait in the client."""

from collections.abc import Sequence

from msgspec import Struct

from kubectl_grpclb.model.facts import Connection, Facts
from kubectl_grpclb.model.finding import Confidence
from kubectl_grpclb.model.words import names
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.rule import Claim, Rule

_USUAL = 100
"""Where servers that set a limit as a rule set it (RFC 9113 section 6.5.2 recommends no less; grpc-go's clients begin
with it until the server says otherwise)."""
_LEAST = 10
"""A limit below this is nobody's."""
_SEVERAL = 3
"""So many connections at the highest number of all are hardly there by chance."""


class _Full(Struct, frozen=True):
    pod: str
    connection: Connection
    open: int
    waited: float


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where connections have as many open calls as a server's limit allows, or seems to."""
    if facts.tiers:
        return ()
    every = [
        _Full(server.pod.name, each, each.open_streams or 0, server.sockets.waited)
        for server in load.servers
        for each in server.sockets.connections
        if each.open_streams is not None and each.lasting
    ]
    if not every:
        return ()
    full = _full(every)
    if not full:
        return ()
    limit = full[0].open
    who = {address: client.name for client in facts.clients for address in client.addresses}
    usual = limit == _USUAL
    sure: Confidence = "medium" if usual and all(each.waited for each in full) else "low"
    return (
        Claim(
            message=_message(full, who),
            evidence=[
                f"{each.pod}: {each.open:,} open calls from {who.get(each.connection.peer, each.connection.peer)}"
                f"{', no fewer at the first look' if each.waited else ''} (channelz)"
                for each in full
            ],
            severity=None if usual else "info",
            confidence=sure,
            explains=0.5,
        ),
    )


def _full(every: Sequence[_Full]) -> list[_Full]:
    """Choose the connections that had no fewer calls open at the first look, and stand at 100 or at another limit.

    Another one is where several stand at the highest number of all, and calls come and go on each: streams that stay
    open, which clients begin in equal numbers, do not.
    """
    highest = max(each.open for each in every)
    steady = [each for each in every if each.open == each.connection.held_streams and each.open in {_USUAL, highest}]
    turning = [each for each in steady if each.open == highest >= _LEAST and each.waited and each.connection.streams]
    usual = [each for each in steady if each.open == _USUAL]
    return usual or (turning if len(turning) >= _SEVERAL else [])


def _message(full: Sequence[_Full], who: dict[str, str]) -> str:
    limit = full[0].open
    clients = list(dict.fromkeys(who.get(each.connection.peer, each.connection.peer) for each in full))
    where = names(list(dict.fromkeys(each.pod for each in full)), 3)
    stands = "A connection stands" if len(full) == 1 else f"{len(full)} connections stand"
    unless = ", unless its clients limit themselves to that many at a time" if limit != _USUAL else ""
    return (
        f"{stands} at {limit} open calls ({names(clients, 3)} to {where}), which looks like the server's limit for one "
        f"connection (MAX_CONCURRENT_STREAMS){unless}. At the limit further calls wait in the client until one of "
        "these ends, and latency grows while the server is not busy. More connections help, such as those of "
        "round_robin "
        "over several pods, or a higher limit."
    )


RULE = Rule(code="GLB402", title="A connection is at its stream limit", severity="warning", check=check)
