"""Without what nothing can be said, and what to say where it cannot be read."""

import asyncio
from collections.abc import Sequence
from difflib import get_close_matches

from kubectl_grpclb.cluster.port import Cluster
from kubectl_grpclb.model import kube, rbac
from kubectl_grpclb.model.errors import ClusterError, NotPermittedError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import Get, List, Objects, Reading, Refused, Request
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.probes.ask import Ask, found
from kubectl_grpclb.probes.route import request_headless

__all__ = ["no_such_service", "require_pods", "require_service"]


async def require_service(cluster: Cluster, ask: Ask, readings: Sequence[Reading]) -> None:
    """Raise ClusterError where the Service is not there or may not be read, with what is there instead."""
    for reading in readings:
        answer = reading.answer
        if not isinstance(answer, Refused) or not _names_service(reading.request, ask):
            continue
        if answer.is_missing and isinstance(reading.request, Get):
            raise await no_such_service(cluster, ask)
        raise _refusal(reading.request, answer)


def require_pods(readings: Sequence[Reading]) -> None:
    """Raise ClusterError where the pods or what leads to them may not be read."""
    for reading in readings:
        request, answer = reading.request, reading.answer
        if isinstance(answer, Refused) and isinstance(request, List) and request.resource in {"pods", "endpointslices"}:
            raise _refusal(request, answer)


def _names_service(request: Request, ask: Ask) -> bool:
    """Tell whether nothing can be said without it; that there is no headless Service of a fix is the rule."""
    if not isinstance(request, Get | List) or request == request_headless(ask):
        return False
    return request.resource in {"services", "endpointslices"}


def _refusal(request: Request, answer: Refused) -> ClusterError:
    what = rbac.describe(request)
    if answer.reason is GapReason.FORBIDDEN:
        return NotPermittedError(
            f"not permitted to {what}: {printable(answer.message)}\n"
            f"A role with this rule would allow it: {rbac.rule_for(request)}"
        )
    return ClusterError(f"could not {what}: {printable(answer.message)}")


async def no_such_service(cluster: Cluster, ask: Ask) -> ClusterError:
    """Give the error that says so, and which names are near."""
    services, namespaces = await asyncio.gather(
        cluster.read(List(resource="services", namespace=ask.namespace)),
        cluster.read(List(resource="namespaces")),
    )
    known = [namespace.metadata.name for namespace in found([namespaces], "namespaces", kube.Namespace)]
    if isinstance(namespaces.answer, Objects) and ask.namespace not in known:
        return ClusterError(f'namespace "{printable(ask.namespace)}" does not exist{_nearest(ask.namespace, known)}')
    names = [service.metadata.name for service in found([services], "services", kube.Service)]
    return ClusterError(
        f'Service "{printable(ask.service)}" does not exist in namespace "{printable(ask.namespace)}"'
        f"{_nearest(ask.service, names)}"
    )


def _nearest(name: str, names: Sequence[str]) -> str:
    near = get_close_matches(name, names, n=3, cutoff=0.5) or (list(names) if len(names) <= 5 else [])
    return f"; did you mean {' or '.join(printable(each) for each in near)}?" if near else ""
