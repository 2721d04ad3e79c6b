"""GLB201: session affinity sends everything from one address to one pod."""

from collections import Counter
from collections.abc import Sequence

from kubectl_grpclb.model.facts import Client, Facts
from kubectl_grpclb.model.words import names
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.clients import held_by, lasting_by_peer, reach
from kubectl_grpclb.rules.rule import Claim, Rule
from kubectl_grpclb.rules.words import at_most, connections

_HOURS = "for 3 hours by default"


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where the Service has affinity by client address: a note, or a warning where load is uneven.

    A headless Service has no address for kube-proxy to act on, so its affinity does nothing. Before a proxy of ours
    it pins clients to an Envoy, which spreads their requests all the same.
    """
    if not facts.service.session_affinity or facts.service.headless or facts.tiers:
        return ()
    held = lasting_by_peer(server.pod for server in load.servers)
    pinned = [client for client in facts.clients if held_by(client, held) > 1 and len(reach(client, load.servers)) == 1]
    return (
        Claim(
            message=_message(load, pinned),
            evidence=(
                "spec.sessionAffinity of the Service is ClientIP",
                *(_pin(client, held, load) for client in pinned),
            ),
            confidence=load.confidence if pinned else at_most("medium", load.confidence),
            explains=0.8 if load.unbalanced and pinned else 0.3 if load.unbalanced else 0.0,
            severity="warning" if load.unbalanced else "info",
            remedies=("no-affinity",),
            next=(_remove(facts),) if load.unbalanced else (),
        ),
    )


def _message(load: Assessment, pinned: Sequence[Client]) -> str:
    said = (
        "The Service has session affinity: every connection from one client address goes to the same pod, "
        f"{_HOURS}, so more channels in a client do not spread its load."
    )
    if pinned:
        who = names([client.name for client in pinned], at_most=3)
        seen = "all of its connections that could be seen" if load.unseen else "all of its connections"
        return f"{said} Each of these has {seen} on one pod: {who}."
    return said if load.unbalanced else f"{said} It does no visible harm now."


def _pin(client: Client, held: Counter[str], load: Assessment) -> str:
    return f"{client.name} ({client.ip}): {connections(held_by(client, held))}, all to {reach(client, load.servers)[0]}"


def _remove(facts: Facts) -> str:
    patch = '{"spec":{"sessionAffinity":"None"}}'
    return facts.aim.kubectl("patch", "service", facts.target.service, options=("-p", patch))


RULE = Rule(code="GLB201", title="Session affinity pins clients to pods", severity="warning", check=check)
