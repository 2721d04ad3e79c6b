"""What `fix` looks at before it changes anything, beyond what a diagnosis reads."""

from typing import Literal

from msgspec import Struct

from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.kube import Annotations, LabelSelector, NetworkPolicy, Pod, ResourceQuota, Service
from kubectl_grpclb.model.plan import Manifest

__all__ = ["Budget", "Ownership", "Scaled", "Spoken", "Surroundings"]


class Ownership(Struct, frozen=True):
    """Something else that writes the Service and would put back what we change."""

    by: str
    """`Argo CD`, `Flux`, `Helm`."""
    name: str
    """The application or release."""
    reverts: bool
    """Whether it puts things back by itself (GitOps), or only when somebody runs it (Helm)."""


class Budget(Struct, frozen=True):
    """A PodDisruptionBudget."""

    name: str
    selector: LabelSelector | None
    """One that is empty matches every pod of the namespace, none matches none (policy/v1)."""


class Scaled(Struct, frozen=True):
    """How many Envoys of an earlier fix somebody else wanted."""

    by: str
    """The name of the field manager: `kube-controller-manager` for an autoscaler, `kubectl` for `kubectl scale`."""
    replicas: int


class Spoken(Struct, frozen=True):
    """What one pod's port answered when it was spoken to over a port-forward."""

    pod: str
    port: int
    protocol: Literal["grpc", "tls", "other"] | Gap
    """`grpc`: HTTP/2 without TLS that answers gRPC calls."""
    health: bool | Gap
    """Whether grpc.health.v1 says SERVING for the empty service name."""


class Surroundings(Struct, frozen=True):
    """A Service's neighbourhood at one time."""

    service: Manifest
    """The Service as the API server gives it: metadata, spec."""
    ownership: tuple[Ownership, ...]
    pods: tuple[Pod, ...]
    """The servers' pods."""
    clients: tuple[Pod, ...]
    """The pods of clients that were found, of any namespace."""
    other_services: tuple[Service, ...] | Gap
    """The other Services of the namespace."""
    taken: tuple[str, ...]
    """Objects with a name that the bundle needs and that are not ours: `Service/greeter-grpclb-pods`."""
    policies: tuple[NetworkPolicy, ...] | Gap
    """Those of the namespace."""
    quotas: tuple[ResourceQuota, ...] | Gap
    pod_security: str | None
    """The Pod Security level that the namespace enforces; None where it enforces none or could not be read."""
    namespace_labels: dict[str, str]
    gateway_api: bool
    """Whether the cluster serves GRPCRoute."""
    spoken: tuple[Spoken, ...]
    """Ready pods that were asked, a few at most."""
    other_policies: tuple[str, ...] = ()
    """Kinds of network policies beside Kubernetes' own that the cluster serves: `CiliumNetworkPolicies`."""
    budgets: tuple[Budget, ...] | Gap = ()
    """Those of the namespace."""
    scaled: Scaled | None = None
    """None where there is no Envoy yet, or nobody else set how many there are."""
    standing: tuple[str, ...] = ()
    """The kinds of the objects of an earlier fix that are there and stay, each as often as there are some."""
    namespace_annotations: Annotations | None = None
    """The few of them that are kept; None where there is none or it could not be read."""
