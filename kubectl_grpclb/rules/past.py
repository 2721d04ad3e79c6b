"""Who goes past the Envoys of a fix: connections of a server that are not theirs."""

from kubectl_grpclb.model.facts import Connection, Facts, Pod
from kubectl_grpclb.model.gap import Gap

__all__ = ["lasting_past_envoy", "past_envoy"]


def past_envoy(facts: Facts, pod: Pod) -> tuple[Connection, ...]:
    """Give the connections seen in a pod from anybody but a tier; without a tier that is all of them.

    A pod that could not be looked into has none to show, which says nothing.
    """
    if isinstance(pod.sockets, Gap):
        return ()
    proxies = {address for tier in facts.tiers for proxy in tier.pods for address in proxy.addresses}
    return tuple(each for each in pod.sockets.connections if each.peer not in proxies)


def lasting_past_envoy(facts: Facts, pod: Pod) -> tuple[Connection, ...]:
    """Give those of them that last."""
    return tuple(each for each in past_envoy(facts, pod) if each.lasting)
