"""The fields of Kubernetes objects that are read and kept: the snapshot's allow-list.

Decoding an API answer into these types keeps what is declared and drops everything else, so that no
Secret, environment value, argument, command or other annotation can get into a snapshot. Names and meanings
are those of the Kubernetes API reference (core/v1, discovery.k8s.io/v1, apps/v1). Times stay RFC 3339
text and addresses stay text. Lists may be null on the wire, as Go writes an empty slice.
"""

from msgspec import field

from kubectl_grpclb.model.kube_meta import Annotations, Fields, Metadata, OwnerReference
from kubectl_grpclb.model.kube_monitoring import Autoscaler, Monitor, PodMetrics, ScaleMetric
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


class ContainerPort(Fields, frozen=True):
    """A declared port; declaring one opens nothing."""

    container_port: int
    name: str = ""
    protocol: str = "TCP"


class ProbeAction(Fields, frozen=True):
    """Where a kubelet's probe connects to; its path, headers and command are not kept."""

    port: int | str | None = None


class ExecAction(Fields, frozen=True):
    """A probe runs a command in the container; which one is not kept."""


class Probe(Fields, frozen=True):
    """A kubelet's probe, with the one action that it has."""

    exec: ExecAction | None = None
    http_get: ProbeAction | None = None
    tcp_socket: ProbeAction | None = None
    grpc: ProbeAction | None = None
    period_seconds: int | None = None


class Container(Fields, frozen=True):
    """A container's name, ports and probes; nothing of what it runs or is given."""

    name: str
    ports: tuple[ContainerPort, ...] | None = None
    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None
    startup_probe: Probe | None = None
    restart_policy: str | None = None


class PodSpec(Fields, frozen=True):
    """Where a pod runs and what it consists of."""

    node_name: str | None = None
    host_network: bool | None = None
    subdomain: str | None = None
    containers: tuple[Container, ...] | None = None
    init_containers: tuple[Container, ...] | None = None


class PodIP(Fields, frozen=True):
    """One address of a pod; a dual-stack pod has one a family."""

    ip: str = ""


class Condition(Fields, frozen=True):
    """A condition of an object: type, status ("True", "False", "Unknown") and since when."""

    type: str
    status: str
    reason: str | None = None
    last_transition_time: str | None = None


class _Reason(Fields, frozen=True):
    reason: str | None = None


class ContainerState(Fields, frozen=True):
    """Exactly one of these is present."""

    waiting: _Reason | None = None
    running: _Reason | None = None
    terminated: _Reason | None = None


class ContainerStatus(Fields, frozen=True):
    """What a container is doing."""

    name: str
    ready: bool = False
    state: ContainerState | None = None


class PodStatus(Fields, frozen=True):
    """What a pod is doing and where it is reached."""

    phase: str | None = None
    reason: str | None = None
    pod_ip: str | None = field(name="podIP", default=None)
    pod_ips: tuple[PodIP, ...] | None = field(name="podIPs", default=None)
    host_ip: str | None = field(name="hostIP", default=None)
    conditions: tuple[Condition, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None
    ephemeral_container_statuses: tuple[ContainerStatus, ...] | None = None


class Pod(Fields, frozen=True, tag_field="kind", tag="Pod"):
    """core/v1 Pod."""

    metadata: Metadata
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


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
