"""The clients: who has the addresses that connections come from."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct

from kubectl_grpclb.model import facts, kube
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.snapshot import List, Reading
from kubectl_grpclb.probes.ask import Ask, found
from kubectl_grpclb.probes.endpoints import addresses_of, age_of
from kubectl_grpclb.probes.nodes import addresses_of_nodes
from kubectl_grpclb.probes.owners import owner_of

__all__ = ["known_addresses", "read_clients", "request_clients", "request_own_namespace"]

_ONE_BY_ONE = 12
"""Up to so many unknown addresses each is looked up by itself; for more, one list of all pods is cheaper."""


def request_clients(unknown: Sequence[str]) -> list[List]:
    """Ask across namespaces for the pods with these addresses."""
    if len(unknown) > _ONE_BY_ONE:
        return [List(resource="pods")]
    return [List(resource="pods", field_selector=f"status.podIP={address}") for address in unknown]


def request_own_namespace(ask: Ask) -> List:
    """Ask for the pods beside the Service: where no other namespace may be read, and for lookalikes."""
    return List(resource="pods", namespace=ask.namespace)


def known_addresses(readings: Sequence[Reading]) -> dict[str, kube.Pod]:
    """Map addresses to the pods that hold them now; pods of the node's own network share its address."""
    return {
        address: pod
        for pod in found(readings, "pods", kube.Pod)
        if not pod.spec.host_network and pod.status.phase not in {"Succeeded", "Failed"}
        for address in addresses_of(pod)
    }


def read_clients(
    readings: Sequence[Reading], pods: Iterable[facts.Pod], now: str, *, without: Collection[str] = ()
) -> tuple[facts.Client, ...]:
    """Group the connections by the address they come from, most connections first; `without` those of a proxy."""
    by_peer: defaultdict[str, list[_Held]] = defaultdict(list)
    for pod in pods:
        if not isinstance(pod.sockets, Gap):
            for connection in pod.sockets.connections:
                if connection.peer not in without:
                    by_peer[connection.peer].append(_Held(pod.name, connection, pod.sockets.waited))
    holders, nodes = known_addresses(readings), addresses_of_nodes(readings)
    clients = (_client(peer, held, holders.get(peer), nodes.get(peer), now) for peer, held in by_peer.items())
    return tuple(sorted(clients, key=lambda client: (-client.connections, client.name, client.ip)))


class _Held(Struct, frozen=True):
    """A connection to a pod, and the seconds between the two looks at it."""

    pod: str
    connection: facts.Connection
    waited: float


def _client(peer: str, held: list[_Held], pod: kube.Pod | None, node: str | None, now: str) -> facts.Client:
    return facts.Client(
        ip=peer,
        kind="Pod" if pod else "Node" if node else "Address",
        namespace=pod.metadata.namespace if pod else None,
        name=pod.metadata.name if pod else node or peer,
        owner=owner_of(pod) if pod else None,
        age=age_of(pod.metadata.creation_timestamp, now) if pod else None,
        connections=len(held),
        lasting=sum(each.connection.lasting for each in held),
        pods=tuple(sorted({each.pod for each in held})),
        requests=_sum([each.connection.streams for each in held]),
        request_rate=_rate(held),
        open_streams=_sum([each.connection.open_streams for each in held]),
    )


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _rate(held: Sequence[_Held]) -> float | None:
    """Add up the calls of its connections, each a second of the time between the looks at it."""
    rates = [
        each.connection.streams / each.waited
        for each in held
        if each.connection.streams is not None and each.waited > 0
    ]
    return sum(rates) if len(rates) == len(held) else None
