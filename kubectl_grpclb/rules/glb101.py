"""GLB101: connections stick behind a Service with a cluster address, and load with them."""

from collections.abc import Sequence

from kubectl_grpclb.model.facts import Client, Facts
from kubectl_grpclb.model.finding import Confidence
from kubectl_grpclb.model.words import names
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.clients import holders, reach
from kubectl_grpclb.rules.proxies import choosing
from kubectl_grpclb.rules.rule import Claim, Rule
from kubectl_grpclb.rules.servers import Server
from kubectl_grpclb.rules.steered import Steer, steers_of, why_steered
from kubectl_grpclb.rules.words import (
    among_read,
    connections,
    expose_headless,
    headless_target,
    lasting_connections,
    odds,
    plan_fix,
    pods,
    reconnect,
)

_RANDOM = 0.001
"""A placement that is rarer than this by chance has another cause besides."""
_LOW: Confidence = "low"
_CARRIED = {"bytes": "bytes", "requests": "calls", "streams": "messages"}
"""What connections carry, by the signal that counts it."""
_FROM = {"node": "from the node", "debug": "in its ephemeral container"}
_WHY = (
    "kube-proxy picks a pod at random once per connection, and a gRPC channel keeps its connection and sends every "
    "request over it."
)
_NOT_CHANCE = (
    "So chance is not all that decides which pods get connections, and a gRPC channel keeps its connection and sends "
    "every request over it."
)


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where lasting connections leave a Service's pods unevenly loaded and the Service has an address."""
    if facts.tiers or facts.service.headless or not load.unbalanced or not load.lasting:
        return ()
    if load.age_explains_all:
        return ()
    if load.connections_are_even or (load.by_calls and not load.busiest_is_seen):
        return ()
    if choosing(facts, load):
        return ()  # they choose the pods themselves, and no kube-proxy does
    chance, steers = load.balance.chance, steers_of(facts, load)
    random = not steers and (chance is None or chance >= _RANDOM)
    restarts = [] if steers else reconnect(facts, holders(facts, load))  # they would be led to the same pods again
    return (
        Claim(
            message=" ".join(filter(None, _message(facts, load, steers, random=random))),
            evidence=[*(each.evidence for each in steers), *_evidence(facts, load)],
            confidence=load.confidence if random else _LOW,
            explains=0.6 if random else 0.3,
            remedies=("envoy", "round-robin"),
            next=[plan_fix(facts), *expose_headless(facts), *restarts],
        ),
    )


def _message(facts: Facts, load: Assessment, steers: Sequence[Steer], *, random: bool) -> list[str]:
    said = [
        among_read(load, _landed(facts, load)),
        _starved(load, steered=bool(steers)),
        f"{why_steered(steers)} {_NOT_CHANCE}" if steers else _WHY,
    ]
    if not random and not steers and load.balance.chance is not None:
        said.append(
            f"But random placement alone would look like this {odds(load.balance.chance)}: something else is at work, "
            "too, such as a proxy in front or clients that stay on one address."
        )
    return [*said, _cure(facts)]


def _landed(facts: Facts, load: Assessment) -> str:
    holding = [server for server in load.servers if server.lasting]
    if len(holding) == 1:
        count, _, what = lasting_connections(load).partition(" ")
        subject = {"1": "The only", "2": "Both"}.get(count, f"All {count}") + f" {what}"
        return f"{subject} of {_who(facts, load)} landed on {holding[0].pod.name}."
    busiest = max(load.servers, key=lambda server: server.load)
    carried = _CARRIED.get(load.balance.signal or "")
    if carried is not None:
        share = busiest.load / sum(load.loads.values())
        return (
            f"{busiest.pod.name} receives {share:.0%} of the {carried} over {busiest.lasting} of the "
            f"{lasting_connections(load)} of {_who(facts, load)}."
        )
    where = f"{len(holding)} of {pods(len(load.servers))}"
    spread = f"The {lasting_connections(load)} of {_who(facts, load)} landed on {where}"
    if busiest.lasting == min(server.lasting for server in holding):
        return f"{spread}."
    return f"{spread}, and {busiest.lasting} of them on {busiest.pod.name}."


def _who(facts: Facts, load: Assessment) -> str:
    return names([client.name for client in holders(facts, load)], at_most=3)


def _starved(load: Assessment, *, steered: bool) -> str:
    without = [
        server.pod.name
        for server in load.servers
        if not server.lasting and not server.meanwhile and not (load.by_calls and server.load)
    ]
    if not without:
        return ""
    verb, pronoun = ("gets", "it") if len(without) == 1 else ("get", "they")
    of = f"the {len(load.servers)} that could be read" if load.unseen else f"{len(load.servers)} ready pods"
    until = "" if steered else f", and {pronoun} will not until a client reconnects"
    return f"{len(without)} of {of} {verb} nothing ({names(without)}){until}."


def _cure(facts: Facts) -> str:
    target = headless_target(facts, f"{facts.target.service}-headless")
    dial = f" dial {target}" if target else " dial it"
    return (
        "Requests can be balanced by a proxy such as Envoy in front of the pods, or by the clients themselves: "
        "create a "
        f"headless Service beside this one and have them{dial} with round_robin."
    )


def _evidence(facts: Facts, load: Assessment) -> list[str]:
    said = [_held(server, load) for server in sorted(load.servers, key=lambda each: (-each.load, each.pod.name))]
    said += [_reaches(client, load) for client in holders(facts, load)]
    if load.balance.chance is not None:
        said.append(
            f"placed at random, the same connections would be spread this unevenly or worse {odds(load.balance.chance)}"
        )
    return said


def _held(server: Server, load: Assessment) -> str:
    sockets = server.sockets
    how = f"{connections(server.lasting)}{' that lasted' if sockets.waited else ''}"
    where = "channelz" if sockets.by == "channelz" else f"{sockets.tool} {_FROM.get(sockets.by, 'in the pod')}"
    carried = f"; {server.load:,.0f} calls ({names(load.balance.sources)})" if _is_counted(server, load) else ""
    return f"{server.pod.name}: {how} ({where}){carried}"


def _is_counted(server: Server, load: Assessment) -> bool:
    return load.balance.signal == "requests" and server.pod.name in load.loads


def _reaches(client: Client, load: Assessment) -> str:
    reached = f"reaches {len(reach(client, load.servers))} of {pods(len(load.servers))}"
    return f"{client.name} ({client.ip}): {reached}{' that could be read' if load.unseen else ''}"


RULE = Rule(code="GLB101", title="Connections stick to a few pods behind a ClusterIP", severity="error", check=check)
