"""Who else writes an object, by the marks that tools leave on it."""

from collections.abc import Iterator, Sequence

from kubectl_grpclb.model.kube import Annotations, Metadata
from kubectl_grpclb.model.surroundings import Ownership

__all__ = ["ownership_of"]

_MANAGED_BY = "app.kubernetes.io/managed-by"
_INSTANCE = "app.kubernetes.io/instance"

_ARGO_LABEL = "argocd.argoproj.io/instance"

_FLUX_LABELS = ("kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name")

_CONFIG_SYNC = "configmanagement.gke.io"

_MANAGERS = (
    ("argocd-", "Argo CD", True),
    ("kustomize-controller", "Flux", True),
    ("helm-controller", "Flux", True),
    ("rollouts-controller", "Argo Rollouts", True),
    ("helm", "Helm", False),
    ("Terraform", "Terraform", False),
    ("pulumi-kubernetes", "Pulumi", False),
)
"""How names of field managers begin, whose they are, and whether these put things back by themselves."""


def ownership_of(metadata: Metadata, managers: Sequence[str]) -> tuple[Ownership, ...]:
    """Name everything that writes the object, each tool once; what puts it back by itself goes first.

    `managers` are the names in metadata.managedFields. What Flux installs by Helm carries Helm's marks too and
    is Flux's.
    """
    found: dict[str, Ownership] = {}
    for owner in (*_by_mark(metadata), *_by_manager(managers)):
        found.setdefault(owner.by, owner)
    if any(owner.reverts for owner in found.values()):
        found.pop("Helm", None)
    return tuple(sorted(found.values(), key=lambda owner: not owner.reverts))


def _by_mark(metadata: Metadata) -> Iterator[Ownership]:
    labels, annotations = metadata.labels or {}, metadata.annotations or Annotations()
    if annotations.argo_tracking is not None:
        yield Ownership("Argo CD", annotations.argo_tracking.partition(":")[0], reverts=True)
    if _ARGO_LABEL in labels:
        yield Ownership("Argo CD", labels[_ARGO_LABEL], reverts=True)
    for label in _FLUX_LABELS:
        if label in labels:
            yield Ownership("Flux", labels[label], reverts=True)
    if labels.get(_MANAGED_BY) == _CONFIG_SYNC:
        yield Ownership("Config Sync", "", reverts=True)
    yield from (
        Ownership(owner.kind, owner.name, reverts=True) for owner in metadata.owner_references or () if owner.controller
    )
    if annotations.helm_release is not None or labels.get(_MANAGED_BY) == "Helm":
        yield Ownership("Helm", annotations.helm_release or labels.get(_INSTANCE, ""), reverts=False)


def _by_manager(managers: Sequence[str]) -> Iterator[Ownership]:
    for manager in managers:
        for beginning, by, reverts in _MANAGERS:
            if manager.startswith(beginning):
                yield Ownership(by, "", reverts=reverts)
                break
