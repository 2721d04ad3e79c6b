"""The fields of Kubernetes objects that are read and kept: the snapshot's allow-list.

Decoding an API answer into these types keeps what is declared and drops everything else, so that no
Secret, environment value, argument, command or other annotation can get into a snapshot. Names and meanings
are those of the Kubernetes API reference (core/v1, discovery.k8s.io/v1, apps/v1). Times stay RFC 3339
text and addresses stay text. Lists may be null on the wire, as Go writes an empty slice.
"""

from msgspec import field

from kubectl_grpclb.model.kube_meta import Annotations, Fields, Metadata, OwnerReference
from kubectl_grpclb.model.kube_monitoring import Autoscaler, Monitor, PodMetrics, ScaleMetric
from kubectl_grpclb.model.kube_pod import (
    Condition,
    Container,
    ContainerPort,
    ContainerState,
    ContainerStatus,
    ExecAction,
    Pod,
    PodIP,
    PodSpec,
    PodStatus,
    Probe,
    ProbeAction,
)
from kubectl_grpclb.model.kube_policy import (
    IPBlock,
    LabelRequirement,
    LabelSelector,
    NetworkPolicy,
    NetworkPolicySpec,
    PolicyPeer,
    PolicyPort,
    PolicyRule,
    QuotaSpec,
    QuotaStatus,
    ResourceQuota,
    ScopeRequirement,
    ScopeSelector,
)

__all__ = [
    "Annotations",
    "Autoscaler",
    "Condition",
    "Container",
    "ContainerPort",
    "ContainerState",
    "ContainerStatus",
    "Endpoint",
    "EndpointConditions",
    "EndpointPort",
    "EndpointSlice",
    "ExecAction",
    "IPBlock",
    "KubeObject",
    "LabelRequirement",
    "LabelSelector",
    "Metadata",
    "Monitor",
    "Namespace",
    "NetworkPolicy",
    "NetworkPolicySpec",
    "Node",
    "ObjectReference",
    "OwnerReference",
    "Pod",
    "PodIP",
    "PodMetrics",
    "PodSpec",
    "PodStatus",
    "PolicyPeer",
    "PolicyPort",
    "PolicyRule",
    "Probe",
    "ProbeAction",
    "QuotaSpec",
    "QuotaStatus",
    "ResourceQuota",
    "ScaleMetric",
    "ScopeRequirement",
    "ScopeSelector",
    "Service",
    "ServicePort",
    "ServiceSpec",
    "Workload",
    "WorkloadSpec",
]


class ServicePort(Fields, frozen=True):
    """One port of a Service; `target_port` is a container port's number or name, absent it is `port`."""

    port: int
    name: str = ""
    protocol: str = "TCP"
    app_protocol: str | None = None
    target_port: int | str | None = None
    node_port: int | None = None


class ServiceSpec(Fields, frozen=True):
    """How a Service finds its pods, and how connections to it are placed."""

    type: str = "ClusterIP"
    selector: dict[str, str] | None = None
    ports: tuple[ServicePort, ...] | None = None
    cluster_ip: str | None = field(name="clusterIP", default=None)
    cluster_ips: tuple[str, ...] | None = field(name="clusterIPs", default=None)
    ip_families: tuple[str, ...] | None = None
    external_name: str | None = None
    session_affinity: str | None = None
    internal_traffic_policy: str | None = None
    external_traffic_policy: str | None = None
    traffic_distribution: str | None = None
    publish_not_ready_addresses: bool | None = None


class Service(Fields, frozen=True, tag_field="kind", tag="Service"):
    """core/v1 Service."""

    metadata: Metadata
    spec: ServiceSpec = ServiceSpec()


class EndpointConditions(Fields, frozen=True):
    """Absent `ready` means ready; absent `serving` means the same as `ready`; absent `terminating`, no."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class ObjectReference(Fields, frozen=True):
    """The object behind an endpoint, a Pod as a rule."""

    kind: str = ""
    name: str = ""
    namespace: str | None = None
    uid: str | None = None


class Endpoint(Fields, frozen=True):
    """The addresses of one backend; all of them are the same backend."""

    addresses: tuple[str, ...]
    conditions: EndpointConditions = EndpointConditions()
    target_ref: ObjectReference | None = None
    node_name: str | None = None
    zone: str | None = None


class EndpointPort(Fields, frozen=True):
    """A port resolved to a number; `name` is that of the Service's port."""

    name: str | None = None
    port: int | None = None
    protocol: str | None = None
    app_protocol: str | None = None


class EndpointSlice(Fields, frozen=True, tag_field="kind", tag="EndpointSlice"):
    """discovery.k8s.io/v1 EndpointSlice."""

    metadata: Metadata
    address_type: str = "IPv4"
    endpoints: tuple[Endpoint, ...] | None = None
    ports: tuple[EndpointPort, ...] | None = None


class _NodeAddress(Fields, frozen=True):
    type: str
    address: str


class _NodeStatus(Fields, frozen=True):
    addresses: tuple[_NodeAddress, ...] | None = None


class Node(Fields, frozen=True, tag_field="kind", tag="Node"):
    """core/v1 Node: its zone is the label topology.kubernetes.io/zone."""

    metadata: Metadata
    status: _NodeStatus = _NodeStatus()


class WorkloadSpec(Fields, frozen=True):
    """How many pods are wanted; absent means 1 (apps/v1)."""

    replicas: int | None = None


class Workload(Fields, frozen=True, tag_field="kind", tag="Workload"):
    """What owns pods: an apps/v1 ReplicaSet, Deployment or StatefulSet; the reading's request says which."""

    metadata: Metadata
    spec: WorkloadSpec = WorkloadSpec()


class Namespace(Fields, frozen=True, tag_field="kind", tag="Namespace"):
    """core/v1 Namespace; read to name the nearest ones when a Service is not found."""

    metadata: Metadata


KubeObject = (
    Namespace
    | Service
    | EndpointSlice
    | Pod
    | Node
    | Workload
    | NetworkPolicy
    | ResourceQuota
    | PodMetrics
    | Autoscaler
    | Monitor
)
