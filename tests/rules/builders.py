"""Facts in as many shapes as the rules' tests need."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from kubectl_grpclb.model.command import Aim
from kubectl_grpclb.model.facts import (
    Client,
    Connection,
    Counted,
    Facts,
    Pod,
    PodSockets,
    Proxy,
    ProxyHost,
    Service,
    ServicePort,
    Source,
    Target,
    Tier,
    TierPod,
)
from kubectl_grpclb.model.finding import Finding, Report
from kubectl_grpclb.model.gap import Gap, GapReason

CLUSTER_IP = Service(
    type="ClusterIP",
    headless=False,
    selector={"app": "greeter"},
    port=ServicePort(name="grpc", number=80, target="grpc", app_protocol=None),
    external_name=None,
    session_affinity=False,
    internal_traffic_policy="Cluster",
    external_traffic_policy=None,
    traffic_distribution=None,
)
HEADLESS = replace(CLUSTER_IP, headless=True)
UNREADABLE = Gap(GapReason.NO_SHELL, "no such file: sh")
WINDOW = 5.0


def connection(
    peer: str = "10.244.1.21", *, lasting: bool = True, received: int | None = None, **changes: Any
) -> Connection:
    """A connection; each segment carries a hundred bytes."""
    segments = None if received is None else received // 100
    return replace(Connection(peer, 40000, lasting, received, segments), **changes)


def carrying(streams: int, peer: str = "10.244.1.21", **changes: Any) -> Connection:
    """A lasting connection that channelz tells of; so many unary calls began over it, and none is open."""
    told = connection(peer, streams=streams, open_streams=0, held_streams=0, messages=streams)
    return replace(told, **changes)


def calls(number: int, source: Source = "channelz", **changes: Any) -> Counted:
    """So many calls within the window."""
    return replace(Counted(source, number, WINDOW, open_streams=0), **changes)


def channelz(*held: Connection, **changes: Any) -> PodSockets:
    """What a pod's channelz shows of its connections."""
    return sockets(held, tool="channelz", by="channelz", **changes)


def told(number: int, *held: Connection, **changes: Any) -> Pod:
    """A ready pod whose channelz tells its connections, and of calls those over them."""
    counted = calls(
        sum(each.streams or 0 for each in held),
        open_streams=sum(each.open_streams or 0 for each in held),
        messages=sum(each.messages or 0 for each in held),
    )
    return pod(number, channelz(*held), counted=(counted,), **changes)


def metered(number: int, count: int, held: PodSockets | Gap, **changes: Any) -> Pod:
    """A ready pod whose metrics count so many calls, and whose sockets or channelz are these."""
    return pod(number, held, counted=(calls(count, "metrics"),), **changes)


def sockets(connections: Sequence[Connection] = (), **changes: Any) -> PodSockets:
    """What a pod's sockets show."""
    return replace(
        PodSockets(
            connections=tuple(connections),
            passed=0,
            opened=None,
            waited=WINDOW,
            listening=True,
            listens_on=(50051,),
            tool="netstat",
        ),
        **changes,
    )


def pod(number: int, held: PodSockets | Gap, **changes: Any) -> Pod:
    """A ready pod, an hour old."""
    return replace(
        Pod(
            name=f"greeter-7c9f8d5b6-{number:05}",
            ip=f"10.244.0.{number}",
            target_port=50051,
            ready=True,
            serving=True,
            terminating=False,
            age=3600.0,
            node="node-a",
            zone="zone-a",
            owner="Deployment/greeter",
            waiting=None,
            sockets=held,
        ),
        **changes,
    )


def lasting(count: int) -> PodSockets:
    """So many connections that last."""
    return sockets([connection() for _ in range(count)])


def facts(pods: Sequence[Pod], **changes: Any) -> Facts:
    """A Service with these pods behind it, and a client for each address that they see."""
    return replace(
        Facts(
            target=Target(context="kind-shop", namespace="shop", service="greeter", port=80, target_port=50051),
            aim=Aim("shop", "greeter"),
            taken_at="2026-11-23T12:00:00Z",
            window=WINDOW,
            service=CLUSTER_IP,
            pods=tuple(pods),
            clients=_clients(pods),
            lookalikes=(),
            named_ports=("grpc 50051",),
            replicas=len(pods),
            refusals=(),
            cluster_domain="cluster.local",
        ),
        **changes,
    )


def of_counts(*counts: int, **changes: Any) -> Facts:
    """Pods that hold so many lasting connections each, all from one client."""
    return facts([pod(number, lasting(count)) for number, count in enumerate(counts, 11)], **changes)


def tier(pods: int = 2, **changes: Any) -> Tier:
    """So many Envoys, ready, with a client each."""
    return replace(
        Tier(
            name="Deployment/greeter-grpclb-envoy",
            kind="Envoy",
            pods=tuple(_envoy(number) for number in range(31, 31 + pods)),
            headless="greeter-grpclb-pods",
            servers=HEADLESS,
        ),
        **changes,
    )


def _envoy(number: int) -> TierPod:
    ip = f"10.244.2.{number}"
    return TierPod(
        name=f"greeter-grpclb-envoy-6b7f9c8d4-{number:05}",
        ip=ip,
        addresses=(ip,),
        ready=True,
        node="node-a",
        zone="zone-a",
        age=300.0,
        connections=1,
    )


def proxy(*hosts: ProxyHost, **changes: Any) -> Proxy:
    """An Envoy of somebody else's that is the client 10.244.1.21."""
    whole = Proxy("caller-5d6c7b8f9-21", "Deployment/caller", hosts, any(host.pod is None for host in hosts))
    return replace(whole, **changes)


def proxy_host(number: int | None, **changes: Any) -> ProxyHost:
    """A server among a proxy's hosts, by its number; without one the Service's own address."""
    ours = number is not None
    where = (f"10.244.0.{number}", 50051) if ours else ("10.96.0.10", 80)
    return replace(ProxyHost(*where, f"greeter-7c9f8d5b6-{number:05}" if ours else None, 250, 1, 2), **changes)


def from_envoy(count: int = 2) -> list[Connection]:
    """Lasting connections of the first Envoy."""
    return [connection("10.244.2.31") for _ in range(count)]


def behind(pods: Sequence[Pod], **changes: Any) -> Facts:
    """These servers behind a fix."""
    found = facts(pods, bundle="in use", tiers=(tier(),))
    past = tuple(client for client in found.clients if not client.ip.startswith("10.244.2."))
    return replace(found, clients=past, **changes)


def served(*counts: int | None, past: int = 0, held: PodSockets | Gap | None = None) -> Facts:
    """Servers that got so many requests each through Envoy; `past` connections of a client go to the first."""
    return behind(
        [
            pod(
                number,
                held
                if held is not None
                else sockets([*from_envoy(), *([connection()] * past if number == 11 else [])]),
                requests=count,
                request_rate=None if count is None else count / WINDOW,
            )
            for number, count in enumerate(counts, 11)
        ]
    )


def codes(report: Report) -> list[str]:
    """The codes of a report's findings, the leading one first."""
    return [finding.code for finding in report.findings]


def the(report: Report, code: str) -> Finding:
    """The first finding of a code."""
    return next(finding for finding in report.findings if finding.code == code)


def _clients(pods: Sequence[Pod]) -> tuple[Client, ...]:
    held = [
        (each.name, seen) for each in pods if isinstance(each.sockets, PodSockets) for seen in each.sockets.connections
    ]
    peers = dict.fromkeys(seen.peer for _, seen in held)
    return tuple(_client(peer, [pair for pair in held if pair[1].peer == peer]) for peer in peers)


def _client(peer: str, held: Sequence[tuple[str, Connection]]) -> Client:
    begun = _sum([seen.streams for _, seen in held])
    return Client(
        ip=peer,
        kind="Pod",
        namespace="shop",
        name=f"caller-5d6c7b8f9-{peer.rpartition('.')[2]}",
        owner="Deployment/caller",
        age=3600.0,
        connections=len(held),
        lasting=sum(seen.lasting for _, seen in held),
        pods=tuple(sorted({name for name, _ in held})),
        requests=begun,
        request_rate=None if begun is None else begun / WINDOW,
        open_streams=_sum([seen.open_streams for _, seen in held]),
    )


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
