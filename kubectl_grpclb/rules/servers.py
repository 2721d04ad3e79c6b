"""The ready pods that could be looked into, with what came to each."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from kubectl_grpclb.model.facts import Pod, PodSockets
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.rules.passing import passing_of

__all__ = ["STRAYS_A_POD", "Server", "lasting_of", "meanwhile_of", "read_of", "servers_of", "unseen_of"]

STRAYS_A_POD = 2
"""Calls that health checks may explain, whose periods are known and whose moments are not."""


class Server(Struct, frozen=True):
    """A ready pod that could be looked into."""

    pod: Pod
    sockets: PodSockets
    load: float
    """By the assessment's signal."""
    meanwhile: int
    """What else came to it: connections that do not last, and calls, by whoever counts them."""

    @property
    def lasting(self) -> int:
        """Connections that were there in both looks."""
        return lasting_of(self.sockets)


def servers_of(ready: Sequence[Pod], loads: Mapping[str, float]) -> tuple[Server, ...]:
    """Give the pods that were read, each with its load by its name, 0 where it has none there."""
    read = read_of(ready)
    others = meanwhile_of(read)
    return tuple(
        Server(pod, sockets, loads.get(pod.name, 0.0), other)
        for (pod, sockets), other in zip(read, others, strict=True)
    )


def read_of(ready: Sequence[Pod]) -> list[tuple[Pod, PodSockets]]:
    """Give the pods whose connections are known, with these."""
    return [(pod, pod.sockets) for pod in ready if not isinstance(pod.sockets, Gap)]


def unseen_of(ready: Sequence[Pod]) -> tuple[Pod, ...]:
    """Give the pods whose connections are not known."""
    return tuple(pod for pod in ready if isinstance(pod.sockets, Gap))


def lasting_of(sockets: PodSockets) -> int:
    """Count the connections that were there in both looks."""
    return sum(connection.lasting for connection in sockets.connections)


def meanwhile_of(read: Sequence[tuple[Pod, PodSockets]]) -> list[int]:
    """Give what else came to each pod: connections that do not last, and calls."""
    passing = passing_of([sockets for _, sockets in read]).counts
    return [passed + _called(pod) for (pod, _), passed in zip(read, passing, strict=True)]


def _called(pod: Pod) -> int:
    """Give the most calls that anybody counted within the window; as few as health checks explain are none."""
    counted = max((each.requests for each in pod.counted if each.seconds), default=0)
    return max(counted if counted > STRAYS_A_POD else 0, pod.requests or 0)
