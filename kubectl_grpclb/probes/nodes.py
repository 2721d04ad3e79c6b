"""The nodes: their addresses, by which a kubelet's probe and source NAT are known, and their zones."""

from collections.abc import Sequence

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.addresses import canonical
from kubectl_grpclb.model.snapshot import List, Reading
from kubectl_grpclb.probes.ask import found

__all__ = ["addresses_of_nodes", "request_nodes", "zones"]

_ZONE = "topology.kubernetes.io/zone"


def request_nodes() -> List:
    """Ask for the nodes; a user of one namespace may not read them, and zones are then unknown."""
    return List(resource="nodes")


def zones(readings: Sequence[Reading]) -> dict[str, str]:
    """Map a node's name to its zone, where it has one."""
    return {
        node.metadata.name: zone
        for node in found(readings, "nodes", kube.Node)
        if (zone := (node.metadata.labels or {}).get(_ZONE))
    }


def addresses_of_nodes(readings: Sequence[Reading]) -> dict[str, str]:
    """Map each known address of a node to its name; the pods' host addresses tell where nodes do not."""
    known = {
        canonical(pod.status.host_ip): pod.spec.node_name or pod.status.host_ip
        for pod in found(readings, "pods", kube.Pod)
        if pod.status.host_ip
    }
    for node in found(readings, "nodes", kube.Node):
        for address in node.status.addresses or ():
            if address.type in {"InternalIP", "ExternalIP"}:
                known[canonical(address.address)] = node.metadata.name
    return known
