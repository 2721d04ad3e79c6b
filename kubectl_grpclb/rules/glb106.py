"""GLB106: calls are uneven over connections that are even, as where one client calls far more than the others."""

from collections.abc import Mapping, Sequence
from statistics import median

from kubectl_grpclb.balance import is_uneven
from kubectl_grpclb.model.facts import Client, Facts, Proxy
from kubectl_grpclb.model.words import names
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.clients import holders, reach
from kubectl_grpclb.rules.proxies import choosing
from kubectl_grpclb.rules.rule import Claim, Rule
from kubectl_grpclb.rules.servers import Server
from kubectl_grpclb.rules.words import at_most, connections, headless_target, per_second, plan_fix, pods

_HEAVY = 5.0
"""So many times the calls of another client, in the median, make one heavy."""
_PART = 0.2
"""The least part of all calls that makes a heavy client worth a word."""
_BEHIND = "Many clients may be behind an address that is not a pod's."
_WHY = "A channel sends all of its calls over its one connection, so they stay on one pod."


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where calls are uneven, and connections do not explain it: even, or not seen, or a few clients do.

    Bytes, where nothing counts calls, are not explained by connections that are even, either.
    """
    if facts.tiers or not load.unbalanced or not (load.balance.signal == "requests" or _by_bytes(load)):
        return ()
    heavy = _heavy(facts, load)
    if not heavy and not load.connections_are_even and _seen(load) and not _reach_several(facts, load):
        return ()
    if load.age_explains_all and not heavy:
        return ()
    proxies = choosing(facts, load)
    return (
        Claim(
            message=" ".join(filter(None, _message(facts, load, heavy, proxies))),
            evidence=_evidence(facts, load, heavy),
            confidence=load.confidence if _seen(load) else at_most("medium", load.confidence),
            explains=0.9 if load.connections_are_even else 0.5,
            remedies=("proxy",) if proxies else ("envoy", "round-robin"),
            next=[] if proxies else [plan_fix(facts)],
        ),
    )


def _by_bytes(load: Assessment) -> bool:
    return load.balance.signal == "bytes" and load.connections_are_even


def _seen(load: Assessment) -> bool:
    """Tell whether connections last, and those of the busiest pod are known."""
    return load.lasting > 0 and load.busiest_is_seen


def _reach_several(facts: Facts, load: Assessment) -> bool:
    """Tell whether every client of a headless Service is connected to several pods, and none stays on one."""
    held = holders(facts, load)
    return facts.service.headless and bool(held) and all(len(reach(client, load.servers)) > 1 for client in held)


def _passing(load: Assessment) -> bool:
    """Tell whether connections were looked for, and none of them lasts."""
    return bool(load.servers) and not load.lasting


def _heavy(facts: Facts, load: Assessment) -> list[Client]:
    """Name clients that send many times what another does, and do not spread it over the pods themselves."""
    sent = _sent(facts, load)
    if sent is None or len(sent) < 2:
        return []
    total = _total(sent, load)
    heavy = [
        client
        for client in facts.clients
        if sent[client.ip] >= _HEAVY * median(count for ip, count in sent.items() if ip != client.ip)
        and sent[client.ip] >= _PART * total
        and is_uneven(_placed(client, load))
    ]
    return heavy if len(heavy) * 2 <= len(sent) else []


def _sent(facts: Facts, load: Assessment) -> dict[str, float] | None:
    """Give the calls of each client by its address, or the bytes where these are the load; None where not all tell."""
    if load.balance.signal == "bytes":
        return {client.ip: sum(_placed(client, load)) for client in facts.clients}
    known = {client.ip: float(client.requests) for client in facts.clients if client.requests is not None}
    return known if len(known) == len(facts.clients) else None


def _total(sent: Mapping[str, float], load: Assessment) -> float:
    """Count all, what came over connections that are gone as well."""
    return max(sum(sent.values()), sum(load.loads.values()))


def _placed(client: Client, load: Assessment) -> list[float]:
    """Give how many of the client's calls, or bytes, each ready pod got."""
    by_bytes = load.balance.signal == "bytes"
    return [
        float(
            sum(
                (each.received if by_bytes else each.streams) or 0
                for each in server.sockets.connections
                if each.peer in client.addresses
            )
        )
        for server in load.servers
    ]


def _message(facts: Facts, load: Assessment, heavy: Sequence[Client], proxies: Sequence[Proxy]) -> list[str]:
    said = [
        _among_counted(load) + (_spread(load) if _seen(load) else _unseen(load)),
        _who(facts, load, heavy),
    ]
    if proxies:
        return [*said, _chosen(proxies)]
    service = facts.target.service if facts.service.headless else f"{facts.target.service}-headless"
    target = headless_target(facts, service)
    dial = f" dial {target}" if target else " dial a headless Service"
    return [
        *said,
        "" if _passing(load) or _all_reach_several(facts, load, heavy) else _WHY,
        f"Balance requests: with a proxy such as Envoy in front of the pods, or clients that{dial} with round_robin.",
    ]


def _chosen(proxies: Sequence[Proxy]) -> str:
    who = names([proxy.name for proxy in proxies], at_most=3)
    one = len(proxies) == 1
    return (
        f"{who} {'chooses' if one else 'choose'} among the pods {'itself' if one else 'themselves'}, so that "
        f"{'its' if one else 'their'} own policy decides: see in {'its' if one else 'their'} configuration the load "
        "balancing policy, the weights and localities of the hosts, and the checks that may take a host out."
    )


def _all_reach_several(facts: Facts, load: Assessment, heavy: Sequence[Client]) -> bool:
    """Tell whether those who make the busiest pod busy are connected to several pods each."""
    busiest = _busiest(load)
    there = heavy or [client for client in holders(facts, load) if busiest in client.pods]
    return bool(there) and all(len(reach(client, load.servers)) > 1 for client in there)


def _among_counted(load: Assessment) -> str:
    return f"Among the {len(load.loads)} ready pods whose calls are known, " if load.unread else ""


def _what(load: Assessment) -> str:
    return "bytes" if load.balance.signal == "bytes" else "calls"


def _spread(load: Assessment) -> str:
    busiest, what = _busiest(load), _what(load)
    part = f"{busiest} gets {_share(load, busiest):.0%} of the {what}"
    if load.connections_are_even:
        return f"The connections are spread evenly, and the {what} over them are not: {part}."
    return f"{part}."


def _unseen(load: Assessment) -> str:
    busiest = _busiest(load)
    why = "no connection that was seen lasts" if _passing(load) else "over which connections could not be seen"
    return f"{busiest} gets {_share(load, busiest):.0%} of the calls; {why}."


def _who(facts: Facts, load: Assessment, heavy: Sequence[Client]) -> str:
    sent = _sent(facts, load)
    if not heavy or sent is None:
        return _candidates(facts, load)
    one, busy = len(heavy) == 1, {client.ip for client in heavy}
    made = sum(sent[ip] for ip in busy)
    usual = median(count for ip, count in sent.items() if ip not in busy)
    times = f"about {made / len(heavy) / usual:,.0f} times" if usual else "many times"
    verb = {"calls": "make", "bytes": "send"}[_what(load)]
    said = (
        f"{names([client.name for client in heavy], at_most=3)} {verb}{'s' if one else ''} "
        f"{made / _total(sent, load):.0%} of all {_what(load)}, {'' if one else 'each '}{times} as many as the "
        "median of the other clients."
    )
    return said if all(client.kind == "Pod" for client in heavy) else f"{said} {_BEHIND}"


def _candidates(facts: Facts, load: Assessment) -> str:
    """Without counts by connection, name those who may be: the clients of the busiest pod."""
    busiest = _busiest(load)
    there = [client.name for client in holders(facts, load) if busiest in client.pods]
    if not there or _sent(facts, load) or any(client.requests is not None for client in facts.clients):
        return ""
    return f"The servers' metrics do not say who makes them; connected to it {_be(there)} {names(there)}."


def _be(there: Sequence[str]) -> str:
    return "is" if len(there) == 1 else "are"


def _busiest(load: Assessment) -> str:
    return max(load.loads, key=lambda name: load.loads[name])


def _share(load: Assessment, name: str) -> float:
    return load.loads[name] / sum(load.loads.values())


def _evidence(facts: Facts, load: Assessment, heavy: Sequence[Client]) -> list[str]:
    by = names(load.balance.sources) or "a source"
    held = {server.pod.name: server for server in load.servers}
    said = [
        f"{name}: {load.loads[name]:,.0f} {_what(load)}{_connections(held.get(name))} ({by})"
        for name in sorted(load.loads, key=lambda each: (-load.loads[each], each))
    ]
    return said + [
        f"{client.name} ({client.ip}): {_how_much(client, load)} over {connections(client.connections)}, to "
        f"{pods(len(reach(client, load.servers)))}"
        for client in (*heavy, *(each for each in facts.clients if each not in heavy))
        if client.requests is not None or load.balance.signal == "bytes"
    ]


def _how_much(client: Client, load: Assessment) -> str:
    return f"{sum(_placed(client, load)):,.0f} bytes" if load.balance.signal == "bytes" else per_second(client)


def _connections(server: Server | None) -> str:
    if server is None:
        return ""
    return f" over {server.lasting} lasting {'connection' if server.lasting == 1 else 'connections'}"


RULE = Rule(code="GLB106", title="Calls are unevenly spread over the pods", severity="error", check=check)
