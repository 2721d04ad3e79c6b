"""GLB103: the Service is headless, but clients use one of its addresses only."""

from collections.abc import Sequence

from kubectl_grpclb.model.facts import Client, Facts
from kubectl_grpclb.model.words import names
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.clients import held_by, holders, lasting_by_peer, reach
from kubectl_grpclb.rules.rule import Claim, Rule
from kubectl_grpclb.rules.words import among_read, connections, headless_target, odds, pods


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where a headless Service is loaded unevenly and known clients stay on one pod each."""
    if facts.tiers or not facts.service.headless or not load.unbalanced or len(load.servers) < 2:
        return ()
    holding = holders(facts, load)
    staying = [client for client in holding if len(reach(client, load.servers)) == 1]
    if not staying or all(client.kind == "Node" for client in staying):
        return ()
    return (
        Claim(
            message=_message(facts, load, staying),
            evidence=_evidence(load, staying),
            confidence=load.confidence,
            explains=0.9 * len(staying) / len(holding),
            remedies=("round-robin",),
        ),
    )


def _message(facts: Facts, load: Assessment, staying: Sequence[Client]) -> str:
    who = names([client.name for client in staying], at_most=3)
    stays = "stays" if len(staying) == 1 else "stay"
    target = headless_target(facts, facts.target.service) or "the Service's name as dns:///"
    said = among_read(load, f"{who} {stays} on one pod each")
    return (
        f"{said}, although the name of this headless Service gives all {load.balance.pods} addresses. That is what "
        "pick_first, gRPC's default policy, does: it uses the first address that answers. "
        f'Have the client dial {target} with the service config {{"loadBalancingConfig":[{{"round_robin":{{}}}}]}}.'
    )


def _evidence(load: Assessment, staying: Sequence[Client]) -> list[str]:
    held = lasting_by_peer(server.pod for server in load.servers)
    every = f"{pods(len(load.servers))}{' that could be read' if load.unseen else ''}"
    said = [
        f"{client.name} ({client.ip}): {connections(held_by(client, held))}, only to {reach(client, load.servers)[0]} "
        f"of {every}"
        for client in staying
    ]
    if load.balance.chance is not None:
        said.append(f"placed at random, connections would be spread this unevenly or worse {odds(load.balance.chance)}")
    return said


RULE = Rule(
    code="GLB103",
    title="The Service is headless, but clients stay on one address",
    severity="error",
    check=check,
)
