"""What sources other than sockets tell: calls, CPU, clients' channels, and what asking them cost.

`model/facts.py` has the rest, and gives these as well.
"""

from typing import Literal

from msgspec import Struct

__all__ = ["Autoscaler", "ClientChannels", "Counted", "Source", "SourceUse", "Usage"]

Source = Literal["metrics", "channelz", "exec", "debug", "node", "prometheus", "envoy", "metrics-api"]
"""Where a figure comes from; `metrics-api` is metrics.k8s.io, whose figures are of CPU and memory."""


class Counted(Struct, frozen=True):
    """What one source counted of a pod's calls, without health checks, reflection and channelz as far as it tells."""

    source: Source
    requests: int
    """Calls begun within `seconds`, or since the pod began to count where that is 0."""
    seconds: float
    open_streams: int | None = None
    """Streaming calls, or with channelz calls of any kind, that were open at the last look."""
    messages: int | None = None
    """Messages received within the same time; of metrics in streaming calls, of channelz in all."""

    @property
    def rate(self) -> float | None:
        """Requests a second; None where they are those of a whole life."""
        return self.requests / self.seconds if self.seconds else None


class Usage(Struct, frozen=True):
    """What a pod used, as the metrics API averaged it."""

    cpu: float
    """Cores."""
    memory: int
    """Bytes."""


class ClientChannels(Struct, frozen=True):
    """What a client's own channelz says of its channels to the Service."""

    client: str
    """The client's name."""
    channels: int
    policies: tuple[str, ...]
    """The balancing policies that its trace names: `pick_first`, `round_robin`."""
    subchannels: int
    """Different subchannels of all those channels together."""
    connections: int
    targets: tuple[str, ...]
    picked: tuple[str, ...]
    """The addresses that its connections lead to."""


class Autoscaler(Struct, frozen=True):
    """A HorizontalPodAutoscaler of the servers' workload that goes by CPU."""

    name: str
    target: int
    """Percent of the CPU that the pods request, of all pods together, that it aims at."""
    current: int | None
    replicas: int
    desired: int
    """How many it wants now, by whatever it goes by."""
    most: int
    """The most replicas that it may make."""


class SourceUse(Struct, frozen=True):
    """What one source was asked, and what that cost."""

    source: Source
    asked: int
    """Pods, or replicas of a proxy; of a source that answers for all at once the number of questions."""
    answered: int
    requests: int
    """Requests to the API server, or to Prometheus."""
    seconds: float
    """The longest of them, its waiting between two looks included."""
    bytes: int
    """What was kept of the answers."""
