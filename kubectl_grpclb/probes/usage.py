"""CPU and memory of the servers, as the metrics API averages them, and the autoscaler that goes by it."""

from collections.abc import Sequence

from kubectl_grpclb.model import facts, kube
from kubectl_grpclb.model.quantity import parse_quantity
from kubectl_grpclb.model.snapshot import Reading
from kubectl_grpclb.probes.ask import Ask, found
from kubectl_grpclb.probes.endpoints import Backend
from kubectl_grpclb.probes.owners import owner_of

__all__ = ["autoscaler_of", "usage_of"]

_CPU = "cpu"


def usage_of(readings: Sequence[Reading], ask: Ask) -> dict[str, facts.Usage]:
    """Give what each pod of the namespace used, by its name; pods of which that is not known are left out."""
    used = {
        each.metadata.name: _sum(each)
        for each in found(readings, "podmetrics", kube.PodMetrics)
        if each.metadata.namespace in {None, ask.namespace}
    }
    return {name: usage for name, usage in used.items() if usage is not None}


def autoscaler_of(readings: Sequence[Reading], ask: Ask, servers: Sequence[Backend]) -> facts.Autoscaler | None:
    """Find the autoscaler of the servers' workload that goes by the CPU that they request."""
    owners = {owner_of(server.pod) for server in servers if server.pod}
    for each in found(readings, "horizontalpodautoscalers", kube.Autoscaler):
        target = each.spec.scale_target_ref
        aimed = _utilization(each.spec.metrics, current=False)
        if each.metadata.namespace in {None, ask.namespace} and f"{target.kind}/{target.name}" in owners and aimed:
            return facts.Autoscaler(
                name=each.metadata.name,
                target=aimed,
                current=_utilization(each.status.current_metrics, current=True),
                replicas=each.status.current_replicas or 0,
                desired=each.status.desired_replicas or 0,
                most=each.spec.max_replicas,
            )
    return None


def _sum(metrics: kube.PodMetrics) -> facts.Usage | None:
    containers = metrics.containers or ()
    cpu = [parse_quantity(each.usage.cpu) for each in containers]
    memory = [parse_quantity(each.usage.memory) for each in containers]
    if not containers or None in cpu or None in memory:
        return None
    return facts.Usage(
        cpu=float(sum(each for each in cpu if each is not None)),
        memory=int(sum(each for each in memory if each is not None)),
    )


def _utilization(metrics: Sequence[kube.ScaleMetric] | None, *, current: bool) -> int | None:
    resources = [each.resource for each in metrics or () if each.resource is not None and each.resource.name == _CPU]
    amounts = [each.current if current else each.target for each in resources]
    return next((each.average_utilization for each in amounts if each is not None), None)
