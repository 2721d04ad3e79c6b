"""Other Services whose selector Envoy's pods would match."""

from collections.abc import Iterable

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.kube import Service
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.remedies.preflight.intent import Intent
from kubectl_grpclb.remedies.words import labels

__all__ = ["check"]


def check(facts: Facts, around: Surroundings, intent: Intent) -> Iterable[Check]:
    """Refuse where a Service that is not the bundle's would send its traffic to Envoy."""
    if isinstance(around.other_services, Gap):
        return [_unread(around.other_services, intent)]
    ours = {intent.bundle.service, intent.bundle.headless}
    return [
        _matched(facts, service)
        for service in around.other_services
        if service.metadata.name not in ours and _selects(service, intent)
    ]


def _selects(service: Service, intent: Intent) -> bool:
    selector = service.spec.selector or {}
    return bool(selector) and service.spec.type != "ExternalName" and selector.items() <= intent.labels.items()


def _matched(facts: Facts, service: Service) -> Check:
    name = service.metadata.name
    return Check(
        level="refuse",
        name="other-service",
        message=f"Service {name} selects {labels(service.spec.selector or {})}, which Envoy's pods would match too: it "
        "would send some of its own traffic to Envoy, which does not expect it.",
        do="Narrow its selector by a label that only its own pods have: " + facts.aim.kubectl("edit", "service", name),
    )


def _unread(gap: Gap, intent: Intent) -> Check:
    return Check(
        level="warn",
        name="other-service",
        message=f"The namespace's other Services could not be read ({gap.detail or gap.reason}), so whether one of "
        "them would send its traffic to Envoy is not known.",
        do=f"Make sure that no other Service selects pods by some of these labels alone: {labels(intent.labels)}",
    )
