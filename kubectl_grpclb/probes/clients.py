"""The clients: who has the addresses that connections come from."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from ipaddress import ip_address

from msgspec import Struct

from kubectl_grpclb.model import facts, kube
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.snapshot import List, Objects, Reading
from kubectl_grpclb.probes.ask import Ask, found
from kubectl_grpclb.probes.endpoints import Backend, addresses_of, age_of
from kubectl_grpclb.probes.nodes import addresses_of_nodes
from kubectl_grpclb.probes.owners import owner_of

__all__ = [
    "known_addresses",
    "read_clients",
    "request_clients",
    "request_own_namespace",
    "request_second_addresses",
]

_ONE_BY_ONE = 12
"""Up to so many unknown addresses each is looked up by itself; for more, one list of all pods is cheaper."""
_BY_ADDRESS = "status.podIP="


def request_clients(unknown: Sequence[str]) -> list[List]:
    """Ask across namespaces for the pods with these addresses."""
    if len(unknown) > _ONE_BY_ONE:
        return [List(resource="pods")]
    return [List(resource="pods", field_selector=f"{_BY_ADDRESS}{address}") for address in unknown]


def request_second_addresses(asked: Sequence[Reading], servers: Iterable[Backend]) -> list[List]:
    """Ask for all pods where no pod has one of these addresses first, and it is of the family that pods have second.

    A field selector finds the first address only. All pods of a cluster have the same family first, as the servers do.
    """
    first = {_family(address) for server in servers if server.pod for address in [*addresses_of(server.pod)][:1]}
    nobodys = [
        reading.request.field_selector.removeprefix(_BY_ADDRESS)
        for reading in asked
        if isinstance(reading.request, List) and isinstance(reading.answer, Objects) and not reading.answer.items
    ]
    return [List(resource="pods")] if any(_family(address) not in first for address in nobodys) else []


def _family(address: str) -> int | None:
    try:
        return ip_address(address).version
    except ValueError:
        return None


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
    """Group the connections by who makes them, most connections first; `without` those of a proxy.

    That is the pod, where it is known: a client of two families of addresses is one client. Else it is the address.
    """
    holders, nodes = known_addresses(readings), addresses_of_nodes(readings)
    by_client: defaultdict[str | tuple[str | None, str], list[_Held]] = defaultdict(list)
    for pod in pods:
        if not isinstance(pod.sockets, Gap):
            for connection in pod.sockets.connections:
                if connection.peer not in without:
                    key = _key(connection.peer, holders.get(connection.peer))
                    by_client[key].append(_Held(pod.name, connection, pod.sockets.waited))
    clients = (_client(held, holders, nodes, now) for held in by_client.values())
    return tuple(sorted(clients, key=lambda client: (-client.connections, client.name, client.ip)))


class _Held(Struct, frozen=True):
    """A connection to a pod, and the seconds between the two looks at it."""

    pod: str
    connection: facts.Connection
    waited: float


def _key(peer: str, holder: kube.Pod | None) -> str | tuple[str | None, str]:
    return peer if holder is None else (holder.metadata.namespace, holder.metadata.name)


def _client(held: list[_Held], holders: Mapping[str, kube.Pod], nodes: Mapping[str, str], now: str) -> facts.Client:
    peers = {each.connection.peer for each in held}
    pod = holders.get(next(iter(peers)))
    peer, *others = [each for each in addresses_of(pod) if each in peers] if pod else peers
    node = nodes.get(peer)
    return facts.Client(
        ip=peer,
        also=tuple(others),
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
