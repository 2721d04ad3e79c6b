"""Why a selector leads nowhere: the pods that nearly fit it, those that have ended, and the ports that pods declare."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from kubectl_grpclb.model import facts, kube
from kubectl_grpclb.model.snapshot import Reading
from kubectl_grpclb.probes.ask import found
from kubectl_grpclb.probes.endpoints import OVER
from kubectl_grpclb.probes.owners import owner_of

__all__ = ["declared_ports", "ended_pods", "lookalikes"]

_AT_MOST = 5


def lookalikes(readings: Sequence[Reading], namespace: str, selector: dict[str, str]) -> tuple[facts.Lookalike, ...]:
    """Give the pods of the namespace that come nearest to the selector, one an owner, nearest first."""
    nearest: dict[str, tuple[float, facts.Lookalike]] = {}
    for pod in found(readings, "pods", kube.Pod):
        if pod.metadata.namespace not in {None, namespace} or pod.status.phase in OVER:
            continue
        labels = pod.metadata.labels or {}
        likeness = sum(_alike(value, labels.get(key)) for key, value in selector.items()) / max(1, len(selector))
        owner = owner_of(pod)
        key = owner or pod.metadata.name
        if 0.5 <= likeness < 1 and likeness > nearest.get(key, (0.0, None))[0]:
            differing = {name: labels.get(name) for name, value in selector.items() if labels.get(name) != value}
            nearest[key] = (likeness, facts.Lookalike(pod.metadata.name, owner, differing))
    ranked = sorted(nearest.values(), key=lambda found_: (-found_[0], found_[1].name))
    return tuple(lookalike for _, lookalike in ranked[:_AT_MOST])


def ended_pods(readings: Sequence[Reading], namespace: str, selector: dict[str, str]) -> tuple[facts.Ended, ...]:
    """Give the pods of the namespace that the selector matches and that run no more, by name."""
    pods = [
        pod
        for pod in found(readings, "pods", kube.Pod)
        if pod.metadata.namespace in {None, namespace} and pod.status.phase in OVER
    ]
    matching = [pod for pod in pods if selector and selector.items() <= (pod.metadata.labels or {}).items()]
    return tuple(
        facts.Ended(pod.metadata.name, _how(pod.status)) for pod in sorted(matching, key=lambda pod: pod.metadata.name)
    )


def _how(status: kube.PodStatus) -> str:
    states = [each.state.terminated for each in status.container_statuses or () if each.state is not None]
    reasons = [status.reason, *(each.reason for each in states if each is not None)]
    return ": ".join(filter(None, (status.phase, next(filter(None, reasons), None))))


def declared_ports(pods: Sequence[kube.Pod]) -> tuple[str, ...]:
    """List the TCP ports that pods declare, `grpc 50051`, each once."""
    ports = (
        f"{port.name} {port.container_port}".strip()
        for pod in pods
        for container in pod.spec.containers or ()
        for port in container.ports or ()
        if port.protocol == "TCP"
    )
    return tuple(dict.fromkeys(ports))


def _alike(wanted: str, actual: str | None) -> float:
    if actual is None:
        return 0.0
    return SequenceMatcher(None, wanted, actual).ratio()
