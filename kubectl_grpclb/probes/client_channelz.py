"""What clients' own channelz says: their channels to the Service, what these share, and the policy that picks."""

import re
from collections.abc import Iterable, Sequence

from kubectl_grpclb.model import facts, kube
from kubectl_grpclb.model.addresses import canonical
from kubectl_grpclb.model.channelz import ChannelSeen, ChannelzLook
from kubectl_grpclb.model.snapshot import AskChannelz, Channelz, Reading
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.clients import known_addresses
from kubectl_grpclb.probes.endpoints import Backend
from kubectl_grpclb.probes.looks import peers_of

__all__ = ["client_channels", "request_client_channelz"]

_MOST_CLIENTS = 20
_LIMIT = 10.0
"""Seconds that one client may take."""

_POLICIES = re.compile(
    r"\b(pick_first|round_robin|weighted_round_robin|least_request|ring_hash|grpclb|rls|priority|weighted_target|xds\w*)"
    r"\b"
)
"""The names that gRPC's policies are registered under (grpc/grpc-proto, grpc/service_config)."""


def request_client_channelz(readings: Sequence[Reading], ask: Ask, servers: Sequence[Backend]) -> list[AskChannelz]:
    """Ask clients that declare a port named after channelz, or all at the port of `--client-channelz-port`."""
    if not ask.asks("channelz"):
        return []
    holders = known_addresses(readings)
    clients = {
        pod.metadata.name: pod for peer in sorted(peers_of(readings, ask, servers)) if (pod := holders.get(peer))
    }
    asked = [(pod, port) for pod in clients.values() if (port := ask.client_channelz_port or _declared(pod))]
    return [
        AskChannelz(
            namespace=pod.metadata.namespace or ask.namespace,
            pod=pod.metadata.name,
            port=port,
            window=0.0,
            seconds=_LIMIT,
            role="client",
            tls=ask.tls,
        )
        for pod, port in asked[:_MOST_CLIENTS]
    ]


def client_channels(
    readings: Sequence[Reading], ask: Ask, servers: Sequence[Backend]
) -> tuple[facts.ClientChannels, ...]:
    """Say what each client that answered has in the way of channels to these servers or to the Service's name."""
    addresses = {address for server in servers for address in server.addresses}
    told = (
        _of_client(reading.request.pod, reading.answer.looks[-1], ask.service, addresses)
        for reading in readings
        if isinstance(reading.request, AskChannelz)
        and reading.request.role == "client"
        and isinstance(reading.answer, Channelz)
        and reading.answer.looks
    )
    return tuple(each for each in told if each is not None)


def _of_client(name: str, look: ChannelzLook, service: str, addresses: set[str]) -> facts.ClientChannels | None:
    subchannels = {each.id: each for each in look.subchannels}
    remotes = {each.id: each.remote for each in look.sockets}
    channels = [each for each in look.channels if _leads_there(each, subchannels, remotes, service, addresses)]
    if not channels:
        return None
    below = {key: subchannels[key] for each in channels for key in each.subchannels if key in subchannels}
    sockets = {key for each in (*channels, *below.values()) for key in each.sockets}
    return facts.ClientChannels(
        client=name,
        channels=len(channels),
        policies=tuple(sorted({policy for each in channels if (policy := _policy(each.trace))})),
        subchannels=len(below),
        connections=len(sockets),
        targets=tuple(sorted({each.target for each in channels if each.target})),
        picked=tuple(sorted({_host(remotes[key]) for key in sockets if remotes.get(key)})),
    )


def _leads_there(
    channel: ChannelSeen,
    subchannels: dict[int, ChannelSeen],
    remotes: dict[int, str],
    service: str,
    addresses: set[str],
) -> bool:
    if re.search(rf"(^|[/,]){re.escape(service)}([.:,]|$)", channel.target):
        return True
    below = [channel, *(subchannels[key] for key in channel.subchannels if key in subchannels)]
    reached = {_host(remotes.get(key, "")) for each in below for key in each.sockets}
    return bool(reached & addresses)


def _policy(trace: Iterable[str]) -> str | None:
    """Give the policy that the newest event names."""
    named = [found[1] for event in trace for found in _POLICIES.finditer(event)]
    return named[-1] if named else None


def _declared(pod: kube.Pod) -> int | None:
    ports = (port for container in pod.spec.containers or () for port in container.ports or ())
    return next((port.container_port for port in ports if "channelz" in port.name), None)


def _host(address: str) -> str:
    return canonical(address.rpartition(":")[0].strip("[]"))
