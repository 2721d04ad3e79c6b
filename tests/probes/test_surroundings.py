"""The neighbourhood of a Service, and who else writes it."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.kube import Annotations, Metadata, OwnerReference
from kubectl_grpclb.model.snapshot import Answer, Get, List, Objects, Reading, Refused
from kubectl_grpclb.model.surroundings import Ownership, Scaled, Spoken
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.derive import derive
from kubectl_grpclb.probes.gather import gather
from kubectl_grpclb.probes.ownership import ownership_of
from kubectl_grpclb.probes.surroundings import derive_surroundings, request_surroundings
from tests.remedies.builders import live, policy
from tests.shop import CALLERS, PODS, service, sticky

QUOTA = kube.ResourceQuota(Metadata(name="compute", namespace="shop"))
HOME = kube.Namespace(
    Metadata(
        name="shop",
        labels={"kubernetes.io/metadata.name": "shop", "pod-security.kubernetes.io/enforce": "restricted"},
        annotations=Annotations(linkerd_inject="enabled"),
    )
)
FLUX = {"kustomize.toolkit.fluxcd.io/name": "shop"}


def reading(request: Get | List, answer: Answer) -> Reading:
    return Reading(request=request, answer=answer, at="2026-11-23T12:00:00Z", took=0.01)


def answers(*items: Sequence[kube.KubeObject]) -> list[Reading]:
    requests = request_surroundings("shop")
    return [
        reading(request, Objects(tuple(held)))
        for request, held in zip(requests, items, strict=True)
        if isinstance(request, Get | List)
    ]


def the(metadata: dict[str, object]) -> dict[str, object]:
    return {**live(), "metadata": {**live()["metadata"], **metadata}}


def services(*names: str) -> list[kube.KubeObject]:
    return [
        msgspec.convert({**service(), "metadata": {"name": name, "namespace": "shop"}}, kube.Service) for name in names
    ]


def test_a_diagnosis_and_four_answers_make_the_surroundings() -> None:
    snapshot = asyncio.run(gather(sticky(), Ask("shop", "greeter", window=5.0)))
    found = answers(services("greeter", "cart"), [policy("deny", podSelector={})], [QUOTA], [HOME])
    spoken = Spoken(PODS[0], 50051, "grpc", health=True)

    around = derive_surroundings(
        derive(snapshot), [*snapshot.readings, *found], live(), spoken=[spoken], gateway_api=True
    )

    assert sorted(pod.metadata.name for pod in around.pods) == sorted(PODS)
    assert sorted(pod.metadata.name for pod in around.clients) == sorted(CALLERS)
    assert not isinstance(around.other_services, Gap)
    assert [other.metadata.name for other in around.other_services] == ["cart"]
    assert around.policies == (policy("deny", podSelector={}),)
    assert around.quotas == (QUOTA,)
    assert around.pod_security == "restricted"
    assert around.namespace_annotations == Annotations(linkerd_inject="enabled")
    assert (around.spoken, around.gateway_api) == ((spoken,), True)


def test_what_was_refused_or_not_asked_is_a_gap() -> None:
    snapshot = asyncio.run(gather(sticky(), Ask("shop", "greeter", window=5.0)))
    refused = reading(
        List("networkpolicies", "shop"), Refused(GapReason.FORBIDDEN, "networkpolicies is forbidden", 403)
    )

    around = derive_surroundings(derive(snapshot), [*snapshot.readings, refused], live())

    assert around.policies == Gap(GapReason.FORBIDDEN, "networkpolicies is forbidden")
    assert around.quotas == Gap(GapReason.UNREAD, "resourcequotas were not asked for")
    assert around.namespace_labels == {}


AUTOSCALER = "kube-controller-manager"
REPLICAS: dict[str, object] = {"f:spec": {"f:replicas": {}}}


def deployment(*owners: tuple[str, object]) -> dict[str, object]:
    """Envoy's Deployment with six replicas, and who wrote which of its fields."""
    fields = [{"manager": name, "operation": "Update", "fieldsV1": wrote} for name, wrote in owners]
    metadata = {"name": "greeter-grpclb-envoy", "managedFields": fields}
    return {"kind": "Deployment", "metadata": metadata, "spec": {"replicas": 6}}


@pytest.mark.parametrize(
    ("envoys", "scaled"),
    [
        (None, None),
        (deployment(), None),
        (deployment(("kubectl-grpclb", REPLICAS)), None),
        (deployment(("kube-controller-manager", {"f:status": {"f:replicas": {}}})), None),
        (
            deployment(("kubectl-grpclb", {}), ("kube-controller-manager", REPLICAS)),
            Scaled("kube-controller-manager", 6),
        ),
        (deployment(("kubectl-grpclb", REPLICAS), ("kubectl", REPLICAS)), Scaled("kubectl", 6)),
    ],
)
def test_who_else_set_the_number_of_envoys_is_known_by_the_fields_that_it_manages(
    envoys: dict[str, object] | None, scaled: Scaled | None
) -> None:
    snapshot = asyncio.run(gather(sticky(), Ask("shop", "greeter", window=5.0)))

    standing = [] if envoys is None else [{**envoys, "kind": "Deployment"}]

    around = derive_surroundings(derive(snapshot), snapshot.readings, live(), standing=standing)

    assert around.scaled == scaled


HELM = {"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "shop"}
RELEASE = {"meta.helm.sh/release-name": "shop-v2"}
TRACKED = {"argocd.argoproj.io/tracking-id": "shop:/Service:shop/greeter"}
INSTANCE = {"argocd.argoproj.io/instance": "shop"}


@pytest.mark.parametrize(
    ("metadata", "managers", "owners"),
    [
        ({}, ["kubectl-client-side-apply"], ()),
        ({"labels": HELM}, [], (Ownership("Helm", "shop", reverts=False),)),
        ({"annotations": RELEASE}, ["helm"], (Ownership("Helm", "shop-v2", reverts=False),)),
        ({}, ["argocd-controller"], (Ownership("Argo CD", "", reverts=True),)),
        ({"annotations": TRACKED}, ["argocd-controller"], (Ownership("Argo CD", "shop", reverts=True),)),
        ({"labels": INSTANCE}, [], (Ownership("Argo CD", "shop", reverts=True),)),
        ({"labels": FLUX}, ["kustomize-controller"], (Ownership("Flux", "shop", reverts=True),)),
        ({}, ["pulumi-kubernetes-6f1c"], (Ownership("Pulumi", "", reverts=False),)),
        ({}, ["rollouts-controller"], (Ownership("Argo Rollouts", "", reverts=True),)),
    ],
)
def test_an_owner_is_known_by_its_marks(
    metadata: dict[str, object], managers: list[str], owners: tuple[Ownership, ...]
) -> None:
    assert ownership_of(msgspec.convert(metadata, Metadata), managers) == owners


def test_an_operator_that_controls_the_service_puts_it_back() -> None:
    owned = Metadata(owner_references=(OwnerReference("InferenceService", "greeter", controller=True),))

    assert ownership_of(owned, []) == (Ownership("InferenceService", "greeter", reverts=True),)


def test_a_chart_that_flux_installs_is_fluxs() -> None:
    labels = {"helm.toolkit.fluxcd.io/name": "shop", "app.kubernetes.io/managed-by": "Helm"}

    assert ownership_of(Metadata(labels=labels), ["helm-controller"]) == (Ownership("Flux", "shop", reverts=True),)


def test_managers_are_read_from_the_whole_service() -> None:
    snapshot = asyncio.run(gather(sticky(), Ask("shop", "greeter", window=5.0)))
    managed = the({"managedFields": [{"manager": "argocd-controller", "operation": "Apply"}]})

    around = derive_surroundings(derive(snapshot), snapshot.readings, managed)

    assert around.ownership == (Ownership("Argo CD", "", reverts=True),)
