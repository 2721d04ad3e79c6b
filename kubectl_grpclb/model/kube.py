"""The fields of Kubernetes objects that are read and kept: the snapshot's allow-list.

Decoding an API answer into these types keeps what is declared and drops everything else, so that no
Secret, environment value, argument, command or other annotation can get into a snapshot. Names and meanings
are those of the Kubernetes API reference (core/v1, discovery.k8s.io/v1, apps/v1). Times stay RFC 3339
text and addresses stay text. Lists may be null on the wire, as Go writes an empty slice.
"""

from msgspec import Struct, field

__all__ = [
    "Annotations",
    "Condition",
    "Container",
    "ContainerPort",
    "ContainerState",
    "ContainerStatus",
    "Endpoint",
    "EndpointConditions",
    "EndpointPort",
    "EndpointSlice",
    "IPBlock",
    "KubeObject",
    "LabelRequirement",
    "LabelSelector",
    "Metadata",
    "Namespace",
    "NetworkPolicy",
    "NetworkPolicySpec",
    "Node",
    "ObjectReference",
    "OwnerReference",
    "Pod",
    "PodIP",
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
    "ScopeRequirement",
    "ScopeSelector",
    "Service",
    "ServicePort",
    "ServiceSpec",
    "Workload",
    "WorkloadSpec",
]


class _Fields(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Camel case on the wire; an absent field and one that holds its default are the same."""


class OwnerReference(_Fields, frozen=True):
    """Who manages the object."""

    kind: str
    name: str
    controller: bool | None = None


class Annotations(_Fields, frozen=True, rename=None):
    """The few annotations that say who else writes an object or carries its connections; no other is kept."""

    helm_release: str | None = field(name="meta.helm.sh/release-name", default=None)
    argo_tracking: str | None = field(name="argocd.argoproj.io/tracking-id", default=None)
    linkerd_inject: str | None = field(name="linkerd.io/inject", default=None)
    istio_inject: str | None = field(name="sidecar.istio.io/inject", default=None)
    istio_status: str | None = field(name="sidecar.istio.io/status", default=None)
    linkerd_version: str | None = field(name="linkerd.io/proxy-version", default=None)


class Metadata(_Fields, frozen=True):
    """Identity, labels and age of an object."""

    name: str = ""
    namespace: str | None = None
    uid: str | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: Annotations | None = None
    owner_references: tuple[OwnerReference, ...] | None = None


class ServicePort(_Fields, frozen=True):
    """One port of a Service; `target_port` is a container port's number or name, absent it is `port`."""

    port: int
    name: str = ""
    protocol: str = "TCP"
    app_protocol: str | None = None
    target_port: int | str | None = None
    node_port: int | None = None


class ServiceSpec(_Fields, frozen=True):
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


class Service(_Fields, frozen=True, tag_field="kind", tag="Service"):
    """core/v1 Service."""

    metadata: Metadata
    spec: ServiceSpec = ServiceSpec()


class EndpointConditions(_Fields, frozen=True):
    """Absent `ready` means ready; absent `serving` means the same as `ready`; absent `terminating`, no."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class ObjectReference(_Fields, frozen=True):
    """The object behind an endpoint, a Pod as a rule."""

    kind: str = ""
    name: str = ""
    namespace: str | None = None
    uid: str | None = None


class Endpoint(_Fields, frozen=True):
    """The addresses of one backend; all of them are the same backend."""

    addresses: tuple[str, ...]
    conditions: EndpointConditions = EndpointConditions()
    target_ref: ObjectReference | None = None
    node_name: str | None = None
    zone: str | None = None


class EndpointPort(_Fields, frozen=True):
    """A port resolved to a number; `name` is that of the Service's port."""

    name: str | None = None
    port: int | None = None
    protocol: str | None = None
    app_protocol: str | None = None


class EndpointSlice(_Fields, frozen=True, tag_field="kind", tag="EndpointSlice"):
    """discovery.k8s.io/v1 EndpointSlice."""

    metadata: Metadata
    address_type: str = "IPv4"
    endpoints: tuple[Endpoint, ...] | None = None
    ports: tuple[EndpointPort, ...] | None = None


class ContainerPort(_Fields, frozen=True):
    """A declared port; declaring one opens nothing."""

    container_port: int
    name: str = ""
    protocol: str = "TCP"


class ProbeAction(_Fields, frozen=True):
    """Where a kubelet's probe connects to; its path, headers and command are not kept."""

    port: int | str | None = None


class Probe(_Fields, frozen=True):
    """A kubelet's probe; only those that open TCP connections have an action here."""

    http_get: ProbeAction | None = None
    tcp_socket: ProbeAction | None = None
    grpc: ProbeAction | None = None
    period_seconds: int | None = None


class Container(_Fields, frozen=True):
    """A container's name, ports and probes; nothing of what it runs or is given."""

    name: str
    ports: tuple[ContainerPort, ...] | None = None
    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None
    startup_probe: Probe | None = None
    restart_policy: str | None = None


class PodSpec(_Fields, frozen=True):
    """Where a pod runs and what it consists of."""

    node_name: str | None = None
    host_network: bool | None = None
    containers: tuple[Container, ...] | None = None
    init_containers: tuple[Container, ...] | None = None


class PodIP(_Fields, frozen=True):
    """One address of a pod; a dual-stack pod has one a family."""

    ip: str = ""


class Condition(_Fields, frozen=True):
    """A condition of an object: type, status ("True", "False", "Unknown") and since when."""

    type: str
    status: str
    reason: str | None = None
    last_transition_time: str | None = None


class _Reason(_Fields, frozen=True):
    reason: str | None = None


class ContainerState(_Fields, frozen=True):
    """Exactly one of these is present."""

    waiting: _Reason | None = None
    running: _Reason | None = None
    terminated: _Reason | None = None


class ContainerStatus(_Fields, frozen=True):
    """What a container is doing."""

    name: str
    ready: bool = False
    state: ContainerState | None = None


class PodStatus(_Fields, frozen=True):
    """What a pod is doing and where it is reached."""

    phase: str | None = None
    reason: str | None = None
    pod_ip: str | None = field(name="podIP", default=None)
    pod_ips: tuple[PodIP, ...] | None = field(name="podIPs", default=None)
    host_ip: str | None = field(name="hostIP", default=None)
    conditions: tuple[Condition, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None


class Pod(_Fields, frozen=True, tag_field="kind", tag="Pod"):
    """core/v1 Pod."""

    metadata: Metadata
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class _NodeAddress(_Fields, frozen=True):
    type: str
    address: str


class _NodeStatus(_Fields, frozen=True):
    addresses: tuple[_NodeAddress, ...] | None = None


class Node(_Fields, frozen=True, tag_field="kind", tag="Node"):
    """core/v1 Node: its zone is the label topology.kubernetes.io/zone."""

    metadata: Metadata
    status: _NodeStatus = _NodeStatus()


class WorkloadSpec(_Fields, frozen=True):
    """How many pods are wanted; absent means 1 (apps/v1)."""

    replicas: int | None = None


class Workload(_Fields, frozen=True, tag_field="kind", tag="Workload"):
    """What owns pods: an apps/v1 ReplicaSet, Deployment or StatefulSet; the reading's request says which."""

    metadata: Metadata
    spec: WorkloadSpec = WorkloadSpec()


class Namespace(_Fields, frozen=True, tag_field="kind", tag="Namespace"):
    """core/v1 Namespace; read to name the nearest ones when a Service is not found."""

    metadata: Metadata


class LabelRequirement(_Fields, frozen=True):
    """One expression of a label selector: `In`, `NotIn`, `Exists` or `DoesNotExist`."""

    key: str
    operator: str
    values: tuple[str, ...] | None = None


class LabelSelector(_Fields, frozen=True):
    """Everything must hold; an empty one matches all."""

    match_labels: dict[str, str] | None = None
    match_expressions: tuple[LabelRequirement, ...] | None = None


class IPBlock(_Fields, frozen=True):
    """Addresses by prefix."""

    cidr: str
    except_: tuple[str, ...] | None = field(name="except", default=None)


class PolicyPeer(_Fields, frozen=True):
    """Who is allowed: pods, by their labels and their namespace's, or addresses."""

    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IPBlock | None = None


class PolicyPort(_Fields, frozen=True):
    """Which port is allowed; none means all."""

    port: int | str | None = None
    end_port: int | None = None
    protocol: str = "TCP"


class PolicyRule(_Fields, frozen=True):
    """Any of the peers on any of the ports; an absent or empty list means all."""

    from_: tuple[PolicyPeer, ...] | None = field(name="from", default=None)
    to: tuple[PolicyPeer, ...] | None = None
    ports: tuple[PolicyPort, ...] | None = None


class NetworkPolicySpec(_Fields, frozen=True):
    """Which pods it isolates, in which direction, and what stays allowed."""

    pod_selector: LabelSelector = LabelSelector()
    policy_types: tuple[str, ...] | None = None
    ingress: tuple[PolicyRule, ...] | None = None
    egress: tuple[PolicyRule, ...] | None = None


class NetworkPolicy(_Fields, frozen=True, tag_field="kind", tag="NetworkPolicy"):
    """networking.k8s.io/v1 NetworkPolicy."""

    metadata: Metadata
    spec: NetworkPolicySpec = NetworkPolicySpec()


class QuotaStatus(_Fields, frozen=True):
    """Limits and what is used of them, as Kubernetes quantities by resource name."""

    hard: dict[str, str] | None = None
    used: dict[str, str] | None = None


class ScopeRequirement(_Fields, frozen=True):
    """One expression of a quota's scope selector."""

    scope_name: str
    operator: str
    values: tuple[str, ...] | None = None


class ScopeSelector(_Fields, frozen=True):
    """Everything must hold."""

    match_expressions: tuple[ScopeRequirement, ...] | None = None


class QuotaSpec(_Fields, frozen=True):
    """Which pods a quota counts; without scopes, all."""

    scopes: tuple[str, ...] | None = None
    scope_selector: ScopeSelector | None = None


class ResourceQuota(_Fields, frozen=True, tag_field="kind", tag="ResourceQuota"):
    """core/v1 ResourceQuota."""

    metadata: Metadata
    spec: QuotaSpec = QuotaSpec()
    status: QuotaStatus = QuotaStatus()


KubeObject = Namespace | Service | EndpointSlice | Pod | Node | Workload | NetworkPolicy | ResourceQuota
