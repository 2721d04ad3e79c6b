"""Which clients hold connections to which pods: a client of one pod has nothing to do with the others."""

from collections import Counter
from collections.abc import Iterable, Sequence

from kubectl_grpclb.model.facts import Client, Facts, Pod
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.servers import Server

__all__ = ["held_by", "holders", "lasting_by_peer", "reach"]


def reach(client: Client, servers: Sequence[Server]) -> list[str]:
    """Name the ready pods that a client's connections lead to; it may hold others that are not ready."""
    return sorted(set(client.pods) & {server.pod.name for server in servers})


def lasting_by_peer(pods: Iterable[Pod]) -> Counter[str]:
    """Count the lasting connections to these pods by the address that they come from."""
    seen = [pod.sockets.connections for pod in pods if not isinstance(pod.sockets, Gap)]
    return Counter(connection.peer for connections in seen for connection in connections if connection.lasting)


def held_by(client: Client, held: Counter[str]) -> int:
    """Give how many of the connections, counted by the address that they come from, are the client's."""
    return sum(held[address] for address in client.addresses)


def holders(facts: Facts, load: Assessment) -> list[Client]:
    """Give the clients with a lasting connection to a ready pod; others only keep pods that are not ready."""
    held = lasting_by_peer(server.pod for server in load.servers)
    return [client for client in facts.clients if held_by(client, held)]
