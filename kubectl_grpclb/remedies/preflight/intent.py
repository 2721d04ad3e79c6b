"""What is about to be put beside a Service, as far as the checks need to know."""

from msgspec import Struct

from kubectl_grpclb.model.bundle import Bundle
from kubectl_grpclb.model.facts import Facts

__all__ = ["Intent"]


class Intent(Struct, frozen=True, kw_only=True):
    """The Envoy pods that are to be made; amounts are Kubernetes quantities, of one pod."""

    bundle: Bundle
    envoy_labels: dict[str, str]
    """What the Service selects Envoy's pods by, or all their labels."""
    listen_ports: tuple[int, ...]
    """Where Envoy listens for clients, in any order."""
    replicas: int
    cpu_request: str = "100m"
    memory_request: str = "128Mi"
    memory_limit: str = "512Mi"
    port_names: dict[str, int] = {}
    """Envoy's container ports by name, for policies that name their ports."""
    own_policy: bool = False
    """Whether the bundle brings a NetworkPolicy that lets everybody in on the listening ports."""

    @property
    def labels(self) -> dict[str, str]:
        """What the Envoy pods carry, as far as it is known here."""
        return {**self.bundle.labels, **self.bundle.envoy_pods, **self.envoy_labels}

    def grpc_port(self, facts: Facts) -> int | None:
        """Say where Envoy listens for the gRPC port: where the servers do, or else at the first of its ports."""
        target = facts.target.target_port
        if isinstance(target, int) and target in self.listen_ports:
            return target
        return self.listen_ports[0] if self.listen_ports else None
