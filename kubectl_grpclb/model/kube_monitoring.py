"""What measures pods and scales them: usage, autoscalers, and the Prometheus Operator's monitors, as far as kept."""

from kubectl_grpclb.model.kube_meta import Fields, Metadata
from kubectl_grpclb.model.kube_policy import LabelSelector

__all__ = ["Autoscaler", "Monitor", "PodMetrics"]


class Usage(Fields, frozen=True):
    """Quantities as Kubernetes writes them: `250m`, `12345678n`, `34Mi`."""

    cpu: str = ""
    memory: str = ""


class ContainerUsage(Fields, frozen=True):
    """What one container used."""

    name: str = ""
    usage: Usage = Usage()


class PodMetrics(Fields, frozen=True, tag_field="kind", tag="PodMetrics"):
    """metrics.k8s.io/v1beta1 PodMetrics."""

    metadata: Metadata
    timestamp: str = ""
    window: str = ""
    """Over how long the CPU was averaged, as Go writes it: `15.2s`."""
    containers: tuple[ContainerUsage, ...] | None = None


class ScaleTarget(Fields, frozen=True):
    """The workload that is scaled."""

    kind: str = ""
    name: str = ""


class MetricAmount(Fields, frozen=True):
    """A target, or what it is at the moment."""

    average_utilization: int | None = None
    """Percent of what the pods request, of all pods together."""


class ResourceMetric(Fields, frozen=True):
    """One of `cpu` and `memory`."""

    name: str = ""
    target: MetricAmount | None = None
    current: MetricAmount | None = None


class ScaleMetric(Fields, frozen=True):
    """What the autoscaler goes by; only resources are kept."""

    type: str = ""
    resource: ResourceMetric | None = None


class AutoscalerSpec(Fields, frozen=True):
    """How it scales."""

    scale_target_ref: ScaleTarget = ScaleTarget()
    min_replicas: int | None = None
    max_replicas: int = 0
    metrics: tuple[ScaleMetric, ...] | None = None


class AutoscalerStatus(Fields, frozen=True):
    """What it does."""

    current_replicas: int | None = None
    desired_replicas: int = 0
    current_metrics: tuple[ScaleMetric, ...] | None = None


class Autoscaler(Fields, frozen=True, tag_field="kind", tag="HorizontalPodAutoscaler"):
    """autoscaling/v2 HorizontalPodAutoscaler."""

    metadata: Metadata
    spec: AutoscalerSpec = AutoscalerSpec()
    status: AutoscalerStatus = AutoscalerStatus()


class MonitorEndpoint(Fields, frozen=True):
    """One port that is scraped; its credentials and relabelling are not kept."""

    port: str | None = None
    port_number: int | None = None
    target_port: int | str | None = None
    path: str | None = None
    scheme: str | None = None


class MonitoredNamespaces(Fields, frozen=True):
    """Where what is monitored may be; by default beside the monitor."""

    any: bool = False
    match_names: tuple[str, ...] | None = None


class MonitorSpec(Fields, frozen=True):
    """What is scraped, by labels, and how."""

    selector: LabelSelector = LabelSelector()
    namespace_selector: MonitoredNamespaces = MonitoredNamespaces()
    endpoints: tuple[MonitorEndpoint, ...] | None = None
    pod_metrics_endpoints: tuple[MonitorEndpoint, ...] | None = None


class Monitor(Fields, frozen=True, tag_field="kind", tag="Monitor"):
    """monitoring.coreos.com/v1 ServiceMonitor or PodMonitor; the reading's request says which."""

    metadata: Metadata
    spec: MonitorSpec = MonitorSpec()
