"""GLB105: a fix is in use, but connections that are older than it still lead straight to the servers."""

from collections.abc import Sequence

from kubectl_grpclb.model.facts import Client, Facts
from kubectl_grpclb.model.words import names
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.clients import held_by, holders, lasting_by_peer, reach
from kubectl_grpclb.rules.past import lasting_past_envoy
from kubectl_grpclb.rules.rule import Claim, Rule
from kubectl_grpclb.rules.words import connections, pods, reconnect


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where Envoys of ours stand before the servers, and ready servers have lasting connections of others."""
    if not facts.tiers:
        return ()
    held = {server.pod.name: len(lasting_past_envoy(facts, server.pod)) for server in load.servers}
    total = sum(held.values())
    if not total:
        return ()
    clients = holders(facts, load)
    restarts = reconnect(facts, clients)
    return (
        Claim(
            message=_message(total, held, clients, restartable=bool(restarts)),
            evidence=[*_clients(clients, load), *_servers(held)],
            confidence="high" if facts.window > 0 else "medium",
            explains=1.0 if load.unbalanced else 0.6,
            remedies=("restart",),
            next=restarts,
        ),
    )


def _message(total: int, held: dict[str, int], clients: Sequence[Client], *, restartable: bool) -> str:
    who = names([client.name for client in clients], at_most=3)
    verb = "leads" if total == 1 else "lead"
    reached = [name for name, count in held.items() if count]
    do = "restart the clients, or wait" if restartable else "have the clients reconnect, or wait"
    return (
        f"The Service leads to Envoy, but {connections(total)} of {who} still {verb} straight to {names(reached, 3)}. "
        "A connection stays on the pod that it was given, even if the Service now leads elsewhere, and every call over "
        f"it bypasses Envoy until it closes: {do}. Clients that dial the pods by a name "
        "other than this Service's always bypass Envoy."
    )


def _clients(clients: Sequence[Client], load: Assessment) -> list[str]:
    held = lasting_by_peer(server.pod for server in load.servers)
    return [
        f"{client.name} ({client.ip}): {connections(held_by(client, held))} bypassing Envoy, to "
        f"{pods(len(reach(client, load.servers)))}"
        for client in clients
    ]


def _servers(held: dict[str, int]) -> list[str]:
    return [f"{name}: {connections(count)} that no Envoy opened" for name, count in held.items() if count]


RULE = Rule(
    code="GLB105",
    title="Connections from before the fix still bypass Envoy",
    severity="warning",
    check=check,
)
