"""What runs where on this machine: the lab's servers and clients, and the Service they stand for."""

from msgspec import Struct

__all__ = ["LabClient", "LabServer", "Topology"]


class LabServer(Struct, frozen=True):
    """A process that listens on the target port of an address of its own."""

    name: str
    """A pod's name, `greeter-6d8f9c7b54-4x2kp`."""
    ip: str
    pid: int


class LabClient(Struct, frozen=True):
    """A process whose connections come from an address of its own."""

    name: str
    ip: str
    pid: int


class Topology(Struct, frozen=True):
    """One Service with its pods, and who calls it."""

    namespace: str
    service: str
    cluster_ip: str | None
    """None where the Service is headless. As in Kubernetes, nothing listens on it: what stands in
    kube-proxy's place takes the clients' connections before they get there."""
    port: int
    """The Service's port, which the clients dial."""
    target_port: int
    servers: tuple[LabServer, ...]
    clients: tuple[LabClient, ...]

    @property
    def headless(self) -> bool:
        """Whether the clients are given the servers' own addresses."""
        return self.cluster_ip is None
