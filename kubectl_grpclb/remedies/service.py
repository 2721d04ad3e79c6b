"""Changes to the Service itself: session affinity, and how it prefers endpoints."""

from collections.abc import Iterator, Sequence

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.model.plan import Advice, Check, Field, Manifest, Patch, Plan
from kubectl_grpclb.model.surroundings import Ownership
from kubectl_grpclb.remedies.cures import cured_by
from kubectl_grpclb.remedies.restarts import restarts
from kubectl_grpclb.remedies.words import flow, patch_service

__all__ = ["placement_advice", "plan_service"]


def plan_service(
    facts: Facts,
    report: Report,
    service: Manifest,
    why: Sequence[str],
    *,
    policies: bool = False,
    ownership: Sequence[Ownership] = (),
) -> Plan:
    """Plan to remove session affinity and, with `policies`, the traffic policies Local as well.

    What is not asked for but may be a cause too is advice. `service` is the whole object; `ownership` says who else
    writes it.
    """
    fields = (*_affinity(service), *(_policies(service) if policies else ()))
    metadata = service["metadata"]
    change = Patch(
        resource="services",
        kind="Service",
        namespace=facts.target.namespace,
        name=facts.target.service,
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        fields=fields,
        why="connections from one address need not all go to the same pod any more",
    )
    return Plan(
        target=facts.target,
        strategy="service",
        title=f"Let Service {facts.target.service} place every connection freely",
        findings=cured_by("service", report),
        why=tuple(why),
        change=change if fields else None,
        restart=restarts(facts.clients) if fields else (),
        wont=(
            "It does not balance requests: connections are placed at random, each channel's calls stay on its own.",
            "It does not look whether the servers rely on a client always reaching the same pod.",
        ),
        connections="Connections that are open now stay where they are until they close; only new ones are placed "
        "anew.",
        advice=() if policies else placement_advice(facts),
        checks=tuple(map(_owned, ownership)) if fields else (),
    )


def placement_advice(facts: Facts) -> tuple[Advice, ...]:
    """Say how to drop what makes the Service prefer some endpoints, where it does and nobody asked for a change."""
    return tuple(_placement_advice(facts))


def _owned(owner: Ownership) -> Check:
    who = f"{owner.by} ({owner.name})" if owner.name else owner.by
    if owner.reverts:
        return Check(
            level="refuse",
            name="gitops",
            message=f"{who} writes this Service and puts it back when it is changed here, so this would not last.",
            do=f"Make the change where {who} takes the Service from.",
        )
    return Check(
        level="warn",
        name="helm" if owner.by == "Helm" else "owner",
        message=f"{who} made this Service and may put the change back when somebody runs it again.",
        do="Make the change there as well.",
    )


def _affinity(service: Manifest) -> Iterator[Field]:
    """Name the time-out too, which the API server drops with the affinity, so that it comes back with a rollback."""
    spec = service["spec"]
    if spec.get("sessionAffinity") == "ClientIP":
        yield Field(path="/spec/sessionAffinity", before="ClientIP", after="None")
        if "sessionAffinityConfig" in spec:
            yield Field(path="/spec/sessionAffinityConfig", before=spec["sessionAffinityConfig"])


def _policies(service: Manifest) -> Iterator[Field]:
    for name in ("internalTrafficPolicy", "externalTrafficPolicy"):
        if service["spec"].get(name) == "Local":
            yield Field(path=f"/spec/{name}", before="Local", after="Cluster")


def _placement_advice(facts: Facts) -> Iterator[Advice]:
    service = facts.service
    if service.internal_traffic_policy == "Local":
        yield Advice(
            title="internalTrafficPolicy is Local",
            lines=(
                "Pods reach servers on their own node only, and none where there is no server.",
                "Unless that is wanted, let them reach all:",
                _set(facts, "internalTrafficPolicy", "Cluster"),
            ),
        )
    if service.external_traffic_policy == "Local":
        yield Advice(
            title="externalTrafficPolicy is Local",
            lines=(
                "Each node gives traffic from outside to its own servers only, however many they are.",
                "Spread the servers evenly over the nodes, or let every node reach all of them;",
                "the servers then see a node's address instead of the client's:",
                _set(facts, "externalTrafficPolicy", "Cluster"),
            ),
        )
    if service.traffic_distribution is not None:
        yield Advice(
            title=f"trafficDistribution is {service.traffic_distribution}",
            lines=(
                "Clients reach servers that are near, so that zones with many clients load theirs more.",
                "Spread the servers as the clients are, or remove it:",
                patch_service(facts, [{"op": "remove", "path": "/spec/trafficDistribution"}]),
            ),
        )


def _set(facts: Facts, field: str, value: str) -> str:
    patch = flow({"spec": {field: value}})
    return facts.aim.kubectl("patch", "service", facts.target.service, options=("-p", patch))
