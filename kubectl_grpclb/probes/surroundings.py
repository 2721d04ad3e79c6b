"""A Service's neighbourhood: what a fix has to get along with."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.bundle import FIELD_MANAGER
from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.snapshot import Get, List, Objects, Reading, Refused, Request, Resource
from kubectl_grpclb.model.surroundings import Budget, Scaled, Spoken, Surroundings
from kubectl_grpclb.model.write import Denied, Outcome
from kubectl_grpclb.probes.ask import found
from kubectl_grpclb.probes.ownership import ownership_of

__all__ = ["derive_surroundings", "request_surroundings"]

_ENFORCED = "pod-security.kubernetes.io/enforce"

Kind = TypeVar("Kind", kube.Service, kube.NetworkPolicy, kube.ResourceQuota)


def request_surroundings(namespace: str) -> list[Request]:
    """Ask for what else is in the namespace."""
    return [
        List(resource="services", namespace=namespace),
        List(resource="networkpolicies", namespace=namespace),
        List(resource="resourcequotas", namespace=namespace),
        Get(resource="namespaces", name=namespace),
    ]


def derive_surroundings(
    facts: Facts,
    readings: Sequence[Reading],
    service: Manifest,
    *,
    spoken: Iterable[Spoken] = (),
    taken: Iterable[str] = (),
    gateway_api: bool = False,
    other_policies: Iterable[str] = (),
    standing: Sequence[Manifest] = (),
    budgets: Outcome | None = None,
) -> Surroundings:
    """Put a diagnosis and the answers to `request_surroundings` together; what was refused or not asked is a Gap.

    `readings` are those of the snapshot and of the surroundings; `service` is the whole object, as the API server
    gives it, and so are `standing`, what there is of an earlier fix and stays, and `budgets`, the namespace's list.
    """
    target = facts.target
    home = _namespace(readings, target.namespace)
    others = _listed(readings, "services", target.namespace, kube.Service)
    return Surroundings(
        service=service,
        ownership=ownership_of(_metadata(service), _managers(service)),
        pods=_pods(readings, {(target.namespace, pod.name) for pod in facts.pods}),
        clients=_pods(readings, {(client.namespace or "", client.name) for client in facts.clients}),
        other_services=others
        if isinstance(others, Gap)
        else tuple(other for other in others if other.metadata.name != target.service),
        taken=tuple(taken),
        policies=_listed(readings, "networkpolicies", target.namespace, kube.NetworkPolicy),
        quotas=_listed(readings, "resourcequotas", target.namespace, kube.ResourceQuota),
        pod_security=(home.labels or {}).get(_ENFORCED),
        namespace_labels=home.labels or {},
        gateway_api=gateway_api,
        spoken=tuple(spoken),
        other_policies=tuple(other_policies),
        budgets=_budgets(budgets),
        scaled=_scaled(next((each for each in standing if each["kind"] == "Deployment"), None)),
        standing=tuple(each["kind"] for each in standing),
        namespace_annotations=home.annotations,
    )


def _listed(
    readings: Iterable[Reading], resource: Resource, namespace: str, kind: type[Kind]
) -> tuple[Kind, ...] | Gap:
    """Give the objects of the last list of all of them in the namespace."""
    wanted = List(resource=resource, namespace=namespace)
    answers = [reading.answer for reading in readings if reading.request == wanted]
    if not answers:
        return Gap(GapReason.UNREAD, f"{resource} were not asked for")
    answer = answers[-1]
    if isinstance(answer, Refused):
        return Gap(answer.reason, answer.message)
    if not isinstance(answer, Objects):
        return Gap(GapReason.GARBLED, f"the answer to a list of {resource} holds no objects")
    return tuple(item for item in answer.items if isinstance(item, kind))


def _namespace(readings: Iterable[Reading], name: str) -> kube.Metadata:
    namespaces = found(readings, "namespaces", kube.Namespace)
    return next((each.metadata for each in namespaces if each.metadata.name == name), kube.Metadata())


def _pods(readings: Iterable[Reading], wanted: set[tuple[str, str]]) -> tuple[kube.Pod, ...]:
    return tuple(
        pod for pod in found(readings, "pods", kube.Pod) if (pod.metadata.namespace or "", pod.metadata.name) in wanted
    )


def _metadata(service: Manifest) -> kube.Metadata:
    return msgspec.convert(service.get("metadata") or {}, kube.Metadata, strict=False)


def _budgets(listed: Outcome | None) -> tuple[Budget, ...] | Gap:
    if listed is None:
        return Gap(GapReason.UNREAD, "poddisruptionbudgets were not asked for")
    if isinstance(listed, Denied):
        return Gap(listed.reason, listed.message)
    try:
        return tuple(
            Budget(each["metadata"]["name"], msgspec.convert(each["spec"].get("selector"), kube.LabelSelector | None))
            for each in listed.object.get("items") or ()
        )
    except (KeyError, TypeError, AttributeError, msgspec.ValidationError) as error:
        return Gap(GapReason.GARBLED, f"the answer to a list of poddisruptionbudgets is not one: {error}")


def _scaled(deployment: Manifest | None) -> Scaled | None:
    """Find who else set the number of replicas.

    An apply with another number would be a conflict; without any, the number stays with who set it (Kubernetes,
    Server-Side Apply, "Transferring ownership").
    """
    if deployment is None:
        return None
    fields: Sequence[Mapping[str, Any]] = (deployment.get("metadata") or {}).get("managedFields") or ()
    others = (
        str(each["manager"])
        for each in fields
        if each.get("manager", FIELD_MANAGER) != FIELD_MANAGER
        and "f:replicas" in ((each.get("fieldsV1") or {}).get("f:spec") or {})
    )
    by = next(others, "")
    return Scaled(by, deployment["spec"].get("replicas", 1)) if by else None


def _managers(service: Manifest) -> list[str]:
    fields: Sequence[Mapping[str, object]] = (service.get("metadata") or {}).get("managedFields") or ()
    return [str(each["manager"]) for each in fields if "manager" in each]
