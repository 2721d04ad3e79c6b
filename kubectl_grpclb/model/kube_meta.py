"""What every Kubernetes object carries, as far as it is kept."""

from msgspec import Struct, field

__all__ = ["Annotations", "Fields", "Metadata", "OwnerReference"]


class Fields(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Camel case on the wire; an absent field and one that holds its default are the same."""


class OwnerReference(Fields, frozen=True):
    """Who manages the object."""

    kind: str
    name: str
    controller: bool | None = None


class Annotations(Fields, frozen=True, rename=None):
    """The few annotations that say who else writes an object, carries its connections or scrapes it.

    No other is kept.
    """

    helm_release: str | None = field(name="meta.helm.sh/release-name", default=None)
    argo_tracking: str | None = field(name="argocd.argoproj.io/tracking-id", default=None)
    linkerd_inject: str | None = field(name="linkerd.io/inject", default=None)
    istio_inject: str | None = field(name="sidecar.istio.io/inject", default=None)
    istio_status: str | None = field(name="sidecar.istio.io/status", default=None)
    prometheus_port: str | None = field(name="prometheus.io/port", default=None)
    prometheus_path: str | None = field(name="prometheus.io/path", default=None)
    prometheus_scheme: str | None = field(name="prometheus.io/scheme", default=None)
    linkerd_version: str | None = field(name="linkerd.io/proxy-version", default=None)


class Metadata(Fields, frozen=True):
    """Identity, labels and age of an object."""

    name: str = ""
    namespace: str | None = None
    uid: str | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: Annotations | None = None
    owner_references: tuple[OwnerReference, ...] | None = None
