"""Envoys of a fix that the Service does not lead to: what they hold and check at the servers is no client's."""

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from kubectl_grpclb.model import facts
from kubectl_grpclb.model.bundle import HEALTH_CHECK_SECONDS, PART_LABEL, is_ours
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.snapshot import Reading
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.clients import known_addresses
from kubectl_grpclb.probes.route import Ends

__all__ = ["bypassed_envoys", "without_envoys"]


def bypassed_envoys(readings: Sequence[Reading], ask: Ask, ends: Ends) -> frozenset[str]:
    """Give the addresses of the Envoys of a fix that is staged or bypassed; none where the Service leads to them."""
    if ends.bundle != "bypassed":
        return frozenset()
    return frozenset(
        address
        for address, pod in known_addresses(readings).items()
        if is_ours(pod.metadata, ask.service) and (pod.metadata.labels or {}).get(PART_LABEL) == "envoy"
    )


def without_envoys(pod: facts.Pod, envoys: Collection[str]) -> facts.Pod:
    """Leave out their connections to a server, and of its calls those over connections that carry only health checks.

    What clients still send through such an Envoy, over connections from before it was bypassed, stays counted.
    """
    if not envoys:
        return pod
    calls, messages = _checks(pod, envoys)
    return replace(
        pod,
        sockets=_sockets(pod.sockets, envoys),
        others=tuple(_without(each, envoys) for each in pod.others),
        counted=tuple(_less(each, calls, messages) if each.source == "channelz" else each for each in pod.counted),
    )


def _sockets(sockets: facts.PodSockets | Gap, envoys: Collection[str]) -> facts.PodSockets | Gap:
    return sockets if isinstance(sockets, Gap) else _without(sockets, envoys)


def _without(sockets: facts.PodSockets, envoys: Collection[str]) -> facts.PodSockets:
    return replace(sockets, connections=tuple(each for each in sockets.connections if each.peer not in envoys))


def _checks(pod: facts.Pod, envoys: Collection[str]) -> tuple[int, int]:
    """Count the calls and messages that are health checks, as channelz tells them by connection."""
    views = [each for each in (pod.sockets, *pod.others) if not isinstance(each, Gap) and each.tool == "channelz"]
    checking = [
        connection
        for view in views[:1]
        for connection in view.connections
        if connection.peer in envoys and _only_checks(connection, view.waited)
    ]
    return sum(each.streams or 0 for each in checking), sum(each.messages or 0 for each in checking)


def _only_checks(connection: facts.Connection, waited: float) -> bool:
    """Tell by the number of calls; with a single look they are a whole life's, of which nothing more is known."""
    return not waited or (connection.streams or 0) <= waited / HEALTH_CHECK_SECONDS + 1


def _less(counted: facts.Counted, calls: int, messages: int) -> facts.Counted:
    received = None if counted.messages is None else max(0, counted.messages - messages)
    return replace(counted, requests=max(0, counted.requests - calls), messages=received)
