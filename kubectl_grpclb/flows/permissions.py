"""What the user must be allowed to do for a fix, asked of the cluster before anything is changed."""

import asyncio
from collections.abc import Iterable

from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.resources import BY_RESOURCE
from kubectl_grpclb.remedies.envoy.options import EnvoyOptions

__all__ = ["NEEDED", "missing_rules", "needed"]

NEEDED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("services", ("get", "create", "patch", "delete")),
    ("configmaps", ("get", "create", "patch", "delete")),
    ("deployments", ("get", "create", "patch", "delete")),
    ("poddisruptionbudgets", ("get", "create", "patch", "delete")),
    ("leases", ("get", "create", "update", "delete")),
    ("pods", ("list",)),
    ("pods/portforward", ("get", "create")),
)
"""Resource and verbs, in the Service's namespace. Server-side apply is `patch`, and `create` of what is not there."""

_OBJECT = ("get", "create", "patch", "delete")


def needed(options: EnvoyOptions) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Give what is needed, with what the user chose to have besides."""
    chosen = (
        *((("horizontalpodautoscalers", _OBJECT),) if options.autoscaling else ()),
        *((("networkpolicies", _OBJECT),) if options.network_policy else ()),
    )
    return (*NEEDED, *chosen)


async def missing_rules(cluster: Workshop, facts: Facts, options: EnvoyOptions) -> tuple[str, ...]:
    """Give the RBAC rules that the user lacks, one line of YAML's flow style each."""
    asked = [(resource, verb) for resource, verbs in needed(options) for verb in verbs]
    allowed = await asyncio.gather(*(cluster.may(verb, resource, facts.target.namespace) for resource, verb in asked))
    lacking: dict[str, list[str]] = {}
    for (resource, verb), allows in zip(asked, allowed, strict=True):
        if allows is False:
            lacking.setdefault(resource, []).append(verb)
    return tuple(_rule(resource, verbs) for resource, verbs in lacking.items())


def _rule(resource: str, verbs: Iterable[str]) -> str:
    group = BY_RESOURCE[resource.partition("/")[0]].group
    listed = ", ".join(f'"{verb}"' for verb in verbs)
    return f'apiGroups: ["{group}"], resources: ["{resource}"], verbs: [{listed}]'
