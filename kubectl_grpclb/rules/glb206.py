"""GLB206: pods that are not ready still hold clients' connections."""

from collections.abc import Sequence

from kubectl_grpclb.model.facts import Facts, Pod
from kubectl_grpclb.model.words import names
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.clients import held_by, lasting_by_peer
from kubectl_grpclb.rules.past import lasting_past_envoy
from kubectl_grpclb.rules.rule import Claim, Rule
from kubectl_grpclb.rules.words import connections, reconnect


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where an endpoint that gets no new connections keeps lasting ones; Envoys of ours close theirs."""
    holding = [pod for pod in facts.pods if not pod.ready and lasting_past_envoy(facts, pod)]
    if not holding:
        return ()
    held = {pod.name: len(lasting_past_envoy(facts, pod)) for pod in holding}
    draining = all(pod.terminating for pod in holding)
    peers = lasting_by_peer(holding)
    total = sum(held.values())
    return (
        Claim(
            message=(
                f"{names(list(held))} {'is' if len(held) == 1 else 'are'} {_together(draining)}, but "
                f"{connections(total)} of clients {'is' if total == 1 else 'are'} still open to "
                f"{'it' if len(held) == 1 else 'them'}, so calls may still go there. Readiness closes no "
                "connection: only the server or the client can."
            ),
            evidence=[
                f"{pod.name}: {_state(pod)}, {connections(held[pod.name])}" for pod in facts.pods if pod.name in held
            ],
            confidence="medium",
            explains=0.35 if load.unbalanced else 0.7,
            severity="info" if draining else "warning",
            remedies=("drain",),
            next=reconnect(facts, [client for client in facts.clients if held_by(client, peers)]),
        ),
    )


def _together(draining: bool) -> str:
    return "terminating" if draining else "not ready"


def _state(pod: Pod) -> str:
    return "terminating" if pod.terminating else f"not ready ({pod.waiting})" if pod.waiting else "not ready"


RULE = Rule(
    code="GLB206",
    title="Endpoints that are not ready still hold connections",
    severity="warning",
    check=check,
)
