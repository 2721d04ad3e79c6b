"""What the Service itself says of where connections go, so that chance is not all that places them."""

from collections.abc import Sequence

from msgspec import Struct

from kubectl_grpclb.model.facts import Client, Facts
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.clients import holders

__all__ = ["Steer", "steers_of", "why_steered"]

_FROM_OUTSIDE = frozenset({"NodePort", "LoadBalancer"})
_NEAR = {
    "PreferClose": "kube-proxy prefers pods in the client's zone",
    "PreferSameZone": "kube-proxy prefers pods in the client's zone",
    "PreferSameNode": "kube-proxy prefers pods on the client's node",
}
"""What the values of trafficDistribution ask for (kubernetes.io, "Virtual IPs and Service Proxies")."""


class Steer(Struct, frozen=True):
    """A field of the Service that chooses among its pods."""

    field: str
    value: str
    what: str

    @property
    def evidence(self) -> str:
        """Name the field and its value."""
        return f"spec.{self.field} of the Service is {self.value}"


def steers_of(facts: Facts, load: Assessment) -> list[Steer]:
    """Give the fields that act on the connections that last; none for a headless Service, which no proxy serves."""
    service = facts.service
    if service.headless:
        return []
    steers = []
    if service.session_affinity:
        what = "kube-proxy gives every connection from one client address to the same pod"
        steers.append(Steer("sessionAffinity", "ClientIP", what))
    if service.internal_traffic_policy == "Local":
        what = "kube-proxy gives connections from inside the cluster to pods on the client's own node alone"
        steers.append(Steer("internalTrafficPolicy", "Local", what))
    if service.external_traffic_policy == "Local" and service.type in _FROM_OUTSIDE and _outside(holders(facts, load)):
        what = "connections from outside the cluster go to pods on the node that they come to alone"
        steers.append(Steer("externalTrafficPolicy", "Local", what))
    distribution = service.traffic_distribution or ""
    if distribution in _NEAR:
        steers.append(Steer("trafficDistribution", distribution, _NEAR[distribution]))
    return steers


def why_steered(steers: Sequence[Steer]) -> str:
    """Say in a sentence each what these fields do."""
    return " ".join(f"The Service's {each.field} is {each.value}: {each.what}." for each in steers)


def _outside(clients: Sequence[Client]) -> bool:
    """Tell whether any may come from outside the cluster; the policy does not act on pods, whatever they dial."""
    return any(client.kind != "Pod" for client in clients)
