"""What the rest of the program may ask of a cluster, and of nothing else."""

from typing import Protocol

from kubectl_grpclb.model.snapshot import Reading, Request

__all__ = ["Cluster"]


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
        failure stays that pod's. Raises ClusterError only where the cluster as a whole cannot be
        reached or does not know the user (HTTP 401).
        """
        ...
