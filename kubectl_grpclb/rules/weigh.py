"""Which signal tells how the ready pods are loaded, where clients reach them without an Envoy of ours."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from kubectl_grpclb.balance import is_uneven
from kubectl_grpclb.model.facts import Pod, PodSockets
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.rules.calls import by_calls, calls_of, few_calls
from kubectl_grpclb.rules.measure import Measured, measure
from kubectl_grpclb.rules.servers import STRAYS_A_POD, lasting_of, meanwhile_of, read_of

__all__ = ["Weighed", "weigh"]

_STRAYS = 3
"""Calls to all pods together that health checks may explain."""


class Weighed(Struct, frozen=True):
    """The load of those ready pods where it is known, in the order of `names`, and who told it."""

    measured: Measured
    names: tuple[str, ...]
    sources: tuple[str, ...]


def weigh(ready: Sequence[Pod]) -> Weighed:
    """Take calls, unless connections are known of more pods than calls are; where these are too few, connections.

    Calls that are uneven among the pods of which they are known are never passed over for even connections, which
    would hide it, unless they are those of the connections' lives: then they tell which of these are old. And where the
    other pods' calls could still even them out, connections that are uneven tell.
    """
    read = read_of(ready)
    calls = calls_of(ready)
    counted = by_calls(calls, len(ready))
    of_calls = None if counted is None else Weighed(counted, tuple(pod.name for pod in calls.pods), calls.sources)
    if of_calls and calls.of_connections_lives and of_calls.measured.uneven and _all_even(ready):
        return _of_connections(read)
    if of_calls and (len(calls.pods) >= max(1, len(read)) or _sticks(of_calls, ready)):
        return of_calls
    few = Weighed(few_calls(calls), tuple(pod.name for pod in calls.pods), calls.sources)
    if calls.pods and not read:
        return few
    held = _of_connections(read)
    if of_calls and of_calls.measured.uneven and not _sticks(held, ready):
        return of_calls
    if sum(calls.requests) > max(_STRAYS, STRAYS_A_POD * len(calls.pods)) and not any(held.measured.loads):
        return of_calls or few
    if len(calls.pods) == len(ready) and any(held.measured.loads) and not held.measured.churning:
        return replace(held, measured=replace(held.measured, confidence="low"))  # they carry next to nothing now
    return held


def _of_connections(read: Sequence[tuple[Pod, PodSockets]]) -> Weighed:
    tools = tuple(dict.fromkeys(sockets.tool for _, sockets in read))
    measured = replace(measure([sockets for _, sockets in read]), meanwhile=tuple(meanwhile_of(read)))
    return Weighed(measured, tuple(pod.name for pod, _ in read), tools)


def _all_even(ready: Sequence[Pod]) -> bool:
    held = [lasting_of(pod.sockets) for pod in ready if not isinstance(pod.sockets, Gap)]
    return len(held) == len(ready) and any(held) and not is_uneven(held)


def _sticks(weighed: Weighed, ready: Sequence[Pod]) -> bool:
    """Tell whether the load is uneven, whatever the pods carry of which it is not known."""
    return not weighed.measured.unclear and weighed.measured.stays_uneven(len(ready) - len(weighed.names))
