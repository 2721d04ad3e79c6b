"""GLB102: there are fewer connections than pods, so some pods get nothing whatever the placement."""

from collections.abc import Sequence

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.words import names
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.clients import holders
from kubectl_grpclb.rules.rule import Claim, NothingToGoBy, Rule
from kubectl_grpclb.rules.words import at_most, lasting_connections, pods


def check(facts: Facts, load: Assessment) -> Sequence[Claim] | NothingToGoBy:
    """Hold where fewer connections last than there are ready pods, and load is uneven for it."""
    if facts.tiers:
        return ()
    if load.unseen:
        return NothingToGoBy(f"{pods(len(load.unseen))} could not be read, so connections cannot be counted")
    ready = len(load.servers)
    if not load.unbalanced or not 0 < load.lasting < ready:
        return ()
    if load.by_calls and sum(bool(weight) for weight in load.loads.values()) > load.lasting:
        return ()  # calls came over connections that are gone
    who = names([client.name for client in holders(facts, load)])
    return (
        Claim(
            message=(
                f"{lasting_connections(load)} for {ready} ready pods: at least {pods(ready - load.lasting)} must get "
                "none, however they are placed. More pods do not help until there are more connections, or "
                "until requests are balanced instead of connections."
            ),
            evidence=[f"{lasting_connections(load)} in total, from {who}", f"{ready} pods are ready"],
            confidence=at_most("medium", load.confidence),
            explains=0.5,
            remedies=("envoy", "round-robin"),
        ),
    )


RULE = Rule(code="GLB102", title="Fewer connections than pods", severity="warning", check=check)
