"""The fields of pods that are read and kept, as `model/kube.py` has those of other objects, and gives these as well."""

from msgspec import field

from kubectl_grpclb.model.kube_meta import Fields, Metadata

__all__ = [
    "Condition",
    "Container",
    "ContainerPort",
    "ContainerState",
    "ContainerStatus",
    "ExecAction",
    "Pod",
    "PodIP",
    "PodSpec",
    "PodStatus",
    "Probe",
    "ProbeAction",
]


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
