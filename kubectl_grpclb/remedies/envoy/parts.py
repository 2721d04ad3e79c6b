"""What the manifests of an Envoy bundle are made from, and the labels that they share."""

from msgspec import Struct

from kubectl_grpclb.model.bundle import Bundle
from kubectl_grpclb.remedies.envoy.config import Upstream
from kubectl_grpclb.remedies.envoy.options import EnvoyOptions, Port

__all__ = ["Parts", "envoy_labels", "object_labels", "pod_labels"]


class Parts(Struct, frozen=True, kw_only=True):
    """Everything that the manifests of one bundle are made from."""

    bundle: Bundle
    namespace: str
    selector: dict[str, str]
    """The original Service's, which the headless one takes over."""
    marked: str
    """The selector's key whose value sets Envoy's pods apart from the servers."""
    ports: tuple[Port, ...]
    families: tuple[str, ...]
    """The Service's ipFamilies."""
    family_policy: str | None
    upstream: Upstream
    options: EnvoyOptions
    tool: str
    """Name and version of this program."""
    renewed: str = ""
    own_budget: bool = True
    """Whether Envoy gets a disruption budget, as where no other one holds for its pods."""
    scaled: bool = False
    """Whether somebody else sets how many Envoys there are."""


def envoy_labels(bundle: Bundle, selector: dict[str, str], marked: str) -> dict[str, str]:
    """Give what the Service selects after the cut-over: the original's keys, one value changed."""
    return {**selector, marked: bundle.envoy}


def pod_labels(parts: Parts) -> dict[str, str]:
    """Give all labels of an Envoy pod; what the Service selects by goes first."""
    selected = envoy_labels(parts.bundle, parts.selector, parts.marked)
    return {**object_labels(parts), **parts.bundle.envoy_pods, **selected}


def object_labels(parts: Parts) -> dict[str, str]:
    """Give the usual labels, of every object of the bundle."""
    return {
        "app.kubernetes.io/name": "envoy",
        "app.kubernetes.io/instance": parts.bundle.envoy,
        "app.kubernetes.io/component": "grpc-balancer",
        **parts.bundle.labels,
    }
