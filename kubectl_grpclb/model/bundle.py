"""What `fix` puts beside a Service is called, and how it is recognised again."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from msgspec import Struct

from kubectl_grpclb.model.kube import Metadata

__all__ = [
    "ADMIN_PORT",
    "FIELD_MANAGER",
    "FOR_CLIENTS",
    "HEALTH_CHECK_SECONDS",
    "MANAGED_BY",
    "PART_LABEL",
    "SERVICE_LABEL",
    "Bundle",
    "bundle_of",
    "is_labelled",
    "is_ours",
    "leads_to_envoy",
]

FIELD_MANAGER = "kubectl-grpclb"
"""Under which name the API server notes what we own (server-side apply), and the value of MANAGED_BY."""

MANAGED_BY = "app.kubernetes.io/managed-by"

SERVICE_LABEL = "grpclb/service"
"""On every object of a bundle: the name of the Service that it belongs to. No Service of others selects by it,
so that Envoy's pods can carry all of theirs besides."""

PART_LABEL = "grpclb/part"
"""On Envoy's pods, with the value `envoy`; on a headless Service that is for clients, with FOR_CLIENTS."""

FOR_CLIENTS = "for-clients"

ADMIN_PORT = 19000
"""Of every Envoy of ours, on loopback only: whoever may forward ports to the pod may ask it, and nobody else."""

HEALTH_CHECK_SECONDS = 5
"""How often each Envoy of ours checks each server; a diagnosis knows these calls from clients' by it."""

_LONGEST = 63
"""Characters of a DNS label (RFC 1123), which a Service's name and a label's value have to be."""

_LONGEST_SUFFIX = "-grpclb-envoy"


class Bundle(Struct, frozen=True):
    """The names of the objects beside one Service; each is a DNS label."""

    service: str
    headless: str
    """The headless Service that has the original's selector: DNS gives every server's address."""
    envoy: str
    """Envoy's ConfigMap, Deployment, disruption budget and whatever else it needs."""
    receipt: str
    """The receipt's ConfigMap, and the Lease that keeps a second `fix` out."""

    @property
    def labels(self) -> dict[str, str]:
        """What every object of the bundle carries."""
        return {MANAGED_BY: FIELD_MANAGER, SERVICE_LABEL: self.service}

    @property
    def envoy_pods(self) -> dict[str, str]:
        """What only the bundle's Envoy pods carry."""
        return {SERVICE_LABEL: self.service, PART_LABEL: "envoy"}


def bundle_of(service: str) -> Bundle:
    """Name the objects beside a Service; a name that gets too long is cut and keeps a hash of the whole."""
    room = _LONGEST - len(_LONGEST_SUFFIX)
    stem = service
    if len(service) > room:
        stem = f"{service[: room - 9].rstrip('-')}-{sha256(service.encode()).hexdigest()[:8]}"
    return Bundle(
        service=service,
        headless=f"{stem}-grpclb-pods",
        envoy=f"{stem}-grpclb-envoy",
        receipt=f"{stem}-grpclb",
    )


def is_ours(metadata: Metadata, service: str) -> bool:
    """Tell whether an object belongs to the bundle of this Service, by its labels."""
    return (metadata.labels or {}).get(SERVICE_LABEL) == service


def is_labelled(manifest: Mapping[str, Any], service: str) -> bool:
    """Tell the same of a whole object, as the API server gives it."""
    return (manifest["metadata"].get("labels") or {}).get(SERVICE_LABEL) == service


def leads_to_envoy(bundle: Bundle, spec: Mapping[str, Any]) -> bool:
    """Tell whether a Service's spec selects Envoys of the bundle: whether a value of its selector names them."""
    return bundle.envoy in (spec.get("selector") or {}).values()
