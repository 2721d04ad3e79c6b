"""ResourceQuotas: whether the namespace has room for the bundle."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.kube import ResourceQuota, ScopeRequirement
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.quantity import parse_quantity
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.remedies.preflight.intent import Intent

__all__ = ["check"]

_NAME = "quota"
_MEBI = 2**20
_OBJECTS = (("Service", 1), ("ConfigMap", 2), ("Deployment", 1), ("PodDisruptionBudget", 1), ("Lease", 1))
"""How many of each kind a fix makes: Envoy's configuration is one ConfigMap, the receipt the other."""


def check(facts: Facts, around: Surroundings, intent: Intent) -> Iterable[Check]:
    """Refuse where a quota's rest cannot hold what is to be made: the API server would not make all of it."""
    if isinstance(around.quotas, Gap):
        return [_unread(around.quotas)]
    needs = _needs(intent, around.standing)
    return [
        found
        for quota in around.quotas
        if _applies(quota)
        for resource, hard in sorted((quota.status.hard or {}).items())
        for found in _held_against(facts, quota, resource, hard, needs)
    ]


def _needs(intent: Intent, standing: Sequence[str]) -> Mapping[str, Fraction | None]:
    """Give what is added of each resource that a quota can count; None where an amount is not a quantity.

    Where Envoys are there already, a new configuration brings one pod more at a time (maxSurge).
    """
    pods = 1 if "Deployment" in standing else intent.replicas
    services, config_maps, deployments, budgets, leases = (
        Fraction(max(0, whole - standing.count(kind))) for kind, whole in _OBJECTS
    )
    cpu, memory = (_times(pods, amount) for amount in (intent.cpu_request, intent.memory_request))
    return {
        "pods": Fraction(pods),
        "count/pods": Fraction(pods),
        "cpu": cpu,
        "requests.cpu": cpu,
        "memory": memory,
        "requests.memory": memory,
        "limits.memory": _times(pods, intent.memory_limit),
        "services": services,
        "count/services": services,
        "configmaps": config_maps,
        "count/configmaps": config_maps,
        "count/deployments.apps": deployments,
        "count/replicasets.apps": Fraction(1),
        "count/poddisruptionbudgets.policy": budgets,
        "count/leases.coordination.k8s.io": leases,
    }


def _times(pods: int, amount: str) -> Fraction | None:
    each = parse_quantity(amount)
    return None if each is None else pods * each


def _held_against(
    facts: Facts, quota: ResourceQuota, resource: str, hard: str, needs: Mapping[str, Fraction | None]
) -> Iterable[Check]:
    if resource == "limits.cpu":
        yield _without_limit(facts, quota)
    if resource not in needs:
        return
    need, limit, used = (
        needs[resource],
        parse_quantity(hard),
        parse_quantity((quota.status.used or {}).get(resource, "0")),
    )
    if need is None or limit is None or used is None:
        yield _garbled(facts, quota, resource)
    elif need and limit - used < need:
        yield Check(
            level="refuse",
            name=_NAME,
            message=f"ResourceQuota {quota.metadata.name} has no room: of {resource} {_amount(resource, used)} of "
            f"{_amount(resource, limit)} are used, and the fix needs {_amount(resource, need)} more.",
            do=f"Have the quota raised by {_amount(resource, need - limit + used)} at least, or free as much.",
        )


def _without_limit(facts: Facts, quota: ResourceQuota) -> Check:
    """Warn only: a LimitRange may give what such a quota demands of every pod (kubernetes pkg/quota, validationSet)."""
    return Check(
        level="warn",
        name=_NAME,
        message=f"ResourceQuota {quota.metadata.name} counts limits.cpu. Envoy's pods are made without a CPU limit, "
        "and the API server refuses such pods here unless a LimitRange of the namespace gives them one.",
        do=f"Look for a default of cpu: {facts.aim.kubectl('describe', 'limitrange')}. Without one "
        "the fix stops before the cut-over, because no Envoy gets ready.",
    )


def _garbled(facts: Facts, quota: ResourceQuota, resource: str) -> Check:
    return Check(
        level="warn",
        name=_NAME,
        message=f"Whether ResourceQuota {quota.metadata.name} has room for the fix in {resource} could not be worked "
        "out.",
        do=f"Look yourself: {facts.aim.kubectl('describe', 'resourcequota', quota.metadata.name)}",
    )


def _applies(quota: ResourceQuota) -> bool:
    """Envoy's pods request something, run without an end, and have no priority class (core/v1 ResourceQuotaScope)."""
    selector = quota.spec.scope_selector
    requirements = (
        *(ScopeRequirement(scope, "Exists") for scope in quota.spec.scopes or ()),
        *((selector.match_expressions or ()) if selector else ()),
    )
    return all(_in_scope(each) for each in requirements)


def _in_scope(requirement: ScopeRequirement) -> bool:
    matched = requirement.scope_name in {"NotBestEffort", "NotTerminating"}
    return not matched if requirement.operator in {"NotIn", "DoesNotExist"} else matched


def _amount(resource: str, amount: Fraction) -> str:
    if resource.endswith("cpu"):
        return f"{float(amount * 1000):g}m"
    if resource.endswith("memory"):
        return f"{float(amount / _MEBI):g}Mi"
    return f"{float(amount):g}"


def _unread(gap: Gap) -> Check:
    return Check(
        level="warn",
        name=_NAME,
        message=f"The namespace's ResourceQuotas could not be read ({gap.detail or gap.reason}), so whether there is "
        "room for Envoy's pods is not known.",
        do="Go on all the same: where there is none, the fix stops before the cut-over, because no Envoy gets ready.",
    )
