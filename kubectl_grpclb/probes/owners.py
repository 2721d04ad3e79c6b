"""The owners of pods: which workload they belong to, and how many pods it wants."""

from collections.abc import Iterable, Sequence
from typing import Literal

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.snapshot import Get, Reading
from kubectl_grpclb.probes.ask import found, readings_of

__all__ = ["owner_of", "replicas_wanted", "request_deployments", "request_owners"]

_HASH = "pod-template-hash"

_RESOURCES: dict[str, Literal["replicasets", "statefulsets", "deployments"]] = {
    "ReplicaSet": "replicasets",
    "StatefulSet": "statefulsets",
}


def owner_of(pod: kube.Pod) -> str | None:
    """Name the outermost known owner, `Deployment/greeter`.

    A Deployment calls its ReplicaSets `NAME-HASH` and labels their pods with the hash
    (kubernetes/kubernetes pkg/controller/deployment/sync.go), so that its name needs no further read.
    """
    owner = _controller(pod.metadata)
    if owner is None:
        return None
    suffix = f"-{(pod.metadata.labels or {}).get(_HASH)}"
    if owner.kind == "ReplicaSet" and owner.name.endswith(suffix):
        return f"Deployment/{owner.name.removesuffix(suffix)}"
    return f"{owner.kind}/{owner.name}"


def request_owners(pods: Iterable[kube.Pod]) -> list[Get]:
    """Ask for the workloads that directly own these pods, each once."""
    owners = {
        (_RESOURCES[owner.kind], owner.name, pod.metadata.namespace)
        for pod in pods
        if (owner := _controller(pod.metadata)) and owner.kind in _RESOURCES
    }
    return [Get(resource=kind, name=name, namespace=namespace) for kind, name, namespace in sorted(owners, key=str)]


def request_deployments(readings: Sequence[Reading]) -> list[Get]:
    """Ask for the Deployments that own the ReplicaSets that were read."""
    owners = {
        (owner.name, item.metadata.namespace)
        for item in found(readings, "replicasets", kube.Workload)
        if (owner := _controller(item.metadata)) and owner.kind == "Deployment"
    }
    return [Get(resource="deployments", name=name, namespace=namespace) for name, namespace in sorted(owners, key=str)]


def replicas_wanted(readings: Sequence[Reading]) -> int | None:
    """Add up what the outermost owners want; None where none of them could be read."""
    outermost = [
        item
        for resource in ("deployments", "statefulsets", "replicasets")
        for reading in readings_of(readings, resource)
        for item in found([reading], resource, kube.Workload)
        if _controller(item.metadata) is None
    ]
    if not outermost:
        return None
    return sum(1 if item.spec.replicas is None else item.spec.replicas for item in outermost)


def _controller(metadata: kube.Metadata) -> kube.OwnerReference | None:
    owners = metadata.owner_references or ()
    return next((owner for owner in owners if owner.controller), owners[0] if owners else None)
