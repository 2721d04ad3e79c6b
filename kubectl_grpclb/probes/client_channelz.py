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
    r"(?<![\w./-])"
    r"(pick_first|round_robin|weighted_round_robin|least_request|ring_hash|grpclb|rls|priority|weighted_target|xds\w*)"
    r"(?![\w./:-])"
)
"""The names that gRPC's policies are registered under (grpc/grpc-proto, grpc/service_config), and not as a part of a
target, which events name as well."""


def request_client_channelz(readings: Sequence[Reading], ask: Ask, servers: Sequence[Backend]) -> list[AskChannelz]:
    """Ask clients that declare a port named after channelz, or all at the port of `--client-channelz-port`."""
    if not ask.asks("channelz"):
        return []
    holders = known_addresses(readings)
    clients = {
        (pod.metadata.namespace, pod.metadata.name): pod
        for peer in sorted(peers_of(readings, ask, servers))
        if (pod := holders.get(peer))
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
        _of_client(reading.request, reading.answer.looks[-1], ask, addresses)
        for reading in readings
        if isinstance(reading.request, AskChannelz)
        and reading.request.role == "client"
        and isinstance(reading.answer, Channelz)
        and reading.answer.looks
    )
    return tuple(each for each in told if each is not None)


def _of_client(request: AskChannelz, look: ChannelzLook, ask: Ask, addresses: set[str]) -> facts.ClientChannels | None:
    """Take the channels that lead there; one that is idle, and has nothing below it, shares nothing with others."""
    held = {each.id: each.sockets for each in look.subchannels}
    remotes = {each.id: _host(each.remote) for each in look.sockets}

    def sockets_of(channel: ChannelSeen) -> set[int]:
        return {*channel.sockets, *(socket for key in channel.subchannels for socket in held.get(key, ()))}

    def leads_there(channel: ChannelSeen) -> bool:
        reached = {remotes.get(key, "") for key in sockets_of(channel)}
        return _names(channel.target, ask, request.namespace) or bool(reached & addresses)

    there = [each for each in look.channels if leads_there(each)]
    if not there:
        return None
    sockets = {key for each in there for key in sockets_of(each)}
    return facts.ClientChannels(
        client=request.pod,
        channels=sum(bool(each.subchannels) for each in there) or len(there),
        policies=tuple(sorted({policy for each in there if (policy := _policy(each.trace))})),
        subchannels=len({key for each in there for key in each.subchannels}),
        connections=len(sockets),
        targets=tuple(sorted({each.target for each in there if each.target})),
        picked=tuple(sorted({remotes[key] for key in sockets if remotes.get(key)})),
    )


def _names(target: str, ask: Ask, home: str) -> bool:
    """Tell whether a target names the Service; a name without a namespace is one of the client's own."""
    name = rf"(?:^|[/,]){re.escape(ask.service)}(?:\.(?P<namespace>[^.:,/]+)[^:,/]*)?(?=[:,]|$)"
    return any((found["namespace"] or home) == ask.namespace for found in re.finditer(name, target))


def _policy(trace: Iterable[str]) -> str | None:
    """Give the policy that the newest event names."""
    named = [found[1] for event in trace for found in _POLICIES.finditer(event)]
    return named[-1] if named else None


def _declared(pod: kube.Pod) -> int | None:
    ports = (port for container in pod.spec.containers or () for port in container.ports or ())
    return next((port.container_port for port in ports if "channelz" in port.name), None)


def _host(address: str) -> str:
    return canonical(address.rpartition(":")[0].strip("[]"))
