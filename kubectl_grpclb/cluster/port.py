"""What the rest of the program may ask of a cluster, and of nothing else."""

from typing import Protocol

from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.snapshot import Reading, Request
from kubectl_grpclb.model.speech import Heard
from kubectl_grpclb.model.write import Outcome, Write

__all__ = ["Cluster", "Workshop"]


class Cluster(Protocol):
    """Something that holds Services and pods: a Kubernetes cluster, this machine, or a test's fake."""

    @property
    def context(self) -> str:
        """The name the user knows it by: the kubeconfig's context."""
        ...

    @property
    def namespace(self) -> str:
        """The namespace that is meant when none is given."""
        ...

    async def read(self, request: Request) -> Reading:
        """Carry out one request that changes nothing.

        A refusal, a time-out or a command that dies is an answer, not an exception, so that one pod's
        failure stays that pod's; so is that no answer comes where others did. Raises ClusterError only where
        the cluster as a whole cannot be reached or does not know the user (HTTP 401).
        """
        ...

    async def version(self) -> str | None:
        """Ask which Kubernetes it is, as it calls itself: `v1.37.2`; None where it does not tell. Raises nothing."""
        ...


class Workshop(Cluster, Protocol):
    """A cluster that may also be changed: for `fix`, `verify`, `rollback`, and looks by `--debug` or `--via node`.

    Every method raises ClusterError where the cluster as a whole gave no answer.
    """

    async def write(self, write: Write) -> Outcome:
        """Carry out one change; a refusal is an answer. After an error nobody knows whether it was made."""
        ...

    async def fetch(self, resource: str, namespace: str, name: str) -> Outcome:
        """Read one whole object, also the fields that no snapshot keeps; it goes into no file but the receipt."""
        ...

    async def fetch_all(self, resource: str, namespace: str, labels: str) -> Outcome:
        """Read the whole objects with these labels, as a List."""
        ...

    async def may(self, verb: str, resource: str, namespace: str, name: str = "") -> bool | None:
        """Ask whether the user may do this, to one object where it has a name; None where the cluster does not tell.

        No namespace is every one.
        """
        ...

    async def serves(self, group_version: str, resource: str) -> bool:
        """Ask whether the cluster has a resource at all."""
        ...

    async def greet(self, namespace: str, pod: str, port: int, seconds: float) -> Heard | Gap:
        """Make one gRPC health check of a pod's port over a port-forward, within so many seconds."""
        ...

    async def drain(self, namespace: str, pod: str) -> Gap | None:
        """Tell an Envoy of ours to ask its clients to connect elsewhere; None where it will."""
        ...
