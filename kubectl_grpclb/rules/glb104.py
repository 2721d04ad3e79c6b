"""GLB104: pods that were added later get nothing, because clients never look for new ones."""

from collections.abc import Sequence

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.words import names
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.clients import holders
from kubectl_grpclb.rules.order import AgeOrder
from kubectl_grpclb.rules.rule import Claim, Rule
from kubectl_grpclb.rules.steered import Steer, steers_of, why_steered
from kubectl_grpclb.rules.words import among_read, connections, lasting_connections, odds, plan_fix, reconnect, seconds


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where the youngest ready pods hold far fewer lasting connections than chance would give them."""
    order = load.age_order
    if facts.tiers or order is None or not load.unbalanced:
        return ()
    steers = steers_of(facts, load)
    sure = order.systematic and not steers
    restarts = [] if steers else reconnect(facts, holders(facts, load))  # they would be led to the same pods again
    return (
        Claim(
            message=_message(load, order, steers),
            evidence=[*(each.evidence for each in steers), *_evidence(load, order)],
            confidence=load.confidence if sure else "low",
            explains=1.0 if sure else 0.4,
            remedies=("envoy", "round-robin"),
            next=[plan_fix(facts), *restarts],
        ),
    )


def _message(load: Assessment, order: AgeOrder, steers: Sequence[Steer]) -> str:
    young, old = len(order.young), len(load.servers) - len(order.young)
    young_names = {pod.name for pod in order.young}
    taken = sum(server.lasting for server in load.servers if server.pod.name in young_names)
    holds = f"only {taken}" if taken else "none"
    which = "the youngest pod" if young == 1 else f"the {young} youngest pods"
    before = "the pod that was" if old == 1 else f"the {old} pods that were"
    who = names([pod.name for pod in order.young])
    said = among_read(
        load,
        f"{which.capitalize()} ({who}) {'has' if young == 1 else 'have'} {holds} of the "
        f"{lasting_connections(load)}; {before} there before {'has' if old == 1 else 'have'} the rest. "
        f"Chance would leave them this little {odds(order.chance)}. ",
    )
    if steers:
        return f"{said}{why_steered(steers)} It may be that, rather than their age, which keeps connections from them."
    why = (
        "A channel keeps the connections that it has and looks for new pods only when one closes, so added pods "
        "stay idle until clients reconnect."
    )
    return said + why


def _evidence(load: Assessment, order: AgeOrder) -> list[str]:
    young = {pod.name for pod in order.young}
    ages = sorted(load.servers, key=lambda server: -(server.pod.age or 0))
    return [
        f"{server.pod.name}, {seconds(server.pod.age)} old: {connections(server.lasting)}"
        f"{' (added later)' if server.pod.name in young else ''}"
        for server in ages
    ]


RULE = Rule(code="GLB104", title="Pods added later stay idle", severity="error", check=check)
