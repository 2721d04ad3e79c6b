"""The resources that are written or deleted: how the API server calls them, and where they are."""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from kubectl_grpclb.model.plan import Manifest

__all__ = ["BY_KIND", "BY_RESOURCE", "ResourceKind", "resource_of"]


class ResourceKind(Struct, frozen=True):
    """One namespaced resource of the Kubernetes API."""

    resource: str
    """Plural, as in a path."""
    kind: str
    group: str
    """Empty for the core group."""
    version: str = "v1"

    @property
    def root(self) -> str:
        """The beginning of its paths."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    @property
    def full(self) -> str:
        """Its name as kubectl takes it: `deployments.apps`."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


_KINDS = (
    ResourceKind("services", "Service", ""),
    ResourceKind("configmaps", "ConfigMap", ""),
    ResourceKind("pods", "Pod", ""),
    ResourceKind("deployments", "Deployment", "apps"),
    ResourceKind("statefulsets", "StatefulSet", "apps"),
    ResourceKind("daemonsets", "DaemonSet", "apps"),
    ResourceKind("poddisruptionbudgets", "PodDisruptionBudget", "policy"),
    ResourceKind("networkpolicies", "NetworkPolicy", "networking.k8s.io"),
    ResourceKind("horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling", "v2"),
    ResourceKind("leases", "Lease", "coordination.k8s.io"),
)

BY_KIND: Mapping[str, ResourceKind] = MappingProxyType({each.kind: each for each in _KINDS})
BY_RESOURCE: Mapping[str, ResourceKind] = MappingProxyType({each.resource: each for each in _KINDS})


def resource_of(manifest: Manifest) -> ResourceKind:
    """Say which resource a manifest of ours is."""
    return BY_KIND[manifest["kind"]]
