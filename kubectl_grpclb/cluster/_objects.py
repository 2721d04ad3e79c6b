"""Get and List: objects from the API server, decoded straight into the fields that are kept."""

from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from kubectl_grpclb.cluster._api import Api, Query, Reply, status_message
from kubectl_grpclb.cluster._failures import not_kubernetes
from kubectl_grpclb.model import kube
from kubectl_grpclb.model.errors import UsageError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.kube_monitoring import MonitorSpec
from kubectl_grpclb.model.rbac import GROUPS, PATHS
from kubectl_grpclb.model.snapshot import Answer, Get, List, Objects, Refused, Resource

__all__ = ["read_list", "read_one", "refusal"]

PAGE = 500
"""Objects asked for at a time."""

Kind = TypeVar("Kind")


class _PageFields(Struct, frozen=True, rename="camel"):
    continue_: str = msgspec.field(name="continue", default="")


class _Page(Struct, Generic[Kind], frozen=True):
    kind: str
    metadata: _PageFields = _PageFields()
    items: tuple[Kind, ...] | None = None


class _Owner(Struct, frozen=True):
    """A Workload as it comes: its `kind` is Deployment, ReplicaSet or StatefulSet."""

    metadata: kube.Metadata
    spec: kube.WorkloadSpec = kube.WorkloadSpec()


class _Monitor(Struct, frozen=True):
    """A Monitor as it comes: its `kind` is ServiceMonitor or PodMonitor."""

    metadata: kube.Metadata
    spec: MonitorSpec = MonitorSpec()


_Item = (
    kube.Namespace
    | kube.Service
    | kube.EndpointSlice
    | kube.Pod
    | kube.Node
    | kube.NetworkPolicy
    | kube.ResourceQuota
    | kube.PodMetrics
    | kube.Autoscaler
    | _Monitor
    | _Owner
)


class _Kind(Struct, frozen=True):
    """What a resource's objects are called, and what they are decoded into."""

    name: str
    fields: type[_Item]
    version: str = "v1"


_KINDS: dict[Resource, _Kind] = {
    "namespaces": _Kind("Namespace", kube.Namespace),
    "services": _Kind("Service", kube.Service),
    "endpointslices": _Kind("EndpointSlice", kube.EndpointSlice),
    "pods": _Kind("Pod", kube.Pod),
    "nodes": _Kind("Node", kube.Node),
    "replicasets": _Kind("ReplicaSet", _Owner),
    "deployments": _Kind("Deployment", _Owner),
    "statefulsets": _Kind("StatefulSet", _Owner),
    "networkpolicies": _Kind("NetworkPolicy", kube.NetworkPolicy),
    "resourcequotas": _Kind("ResourceQuota", kube.ResourceQuota),
    "podmetrics": _Kind("PodMetrics", kube.PodMetrics, "v1beta1"),
    "horizontalpodautoscalers": _Kind("HorizontalPodAutoscaler", kube.Autoscaler, "v2"),
    "servicemonitors": _Kind("ServiceMonitor", _Monitor),
    "podmonitors": _Kind("PodMonitor", _Monitor),
}


async def read_one(api: Api, request: Get) -> Answer:
    """Read one object. Raises ClusterError where the answer is not one."""
    if request.name in {"", ".", ".."}:
        raise UsageError(f"{request.name!r} is not the name of an object")
    path, names = _path(request.resource, request.namespace)
    reply = await api.get(f"{path}/{{name}}", names | {"name": request.name}, ())
    if reply.status != 200:
        return refusal(reply)
    return Objects(items=(_object(_decode(api, reply, _KINDS[request.resource].fields)),))


async def read_list(api: Api, request: List) -> Answer:
    """Read all that match, page by page. Raises ClusterError where an answer is not a list of them.

    A list that expires meanwhile (HTTP 410) is read once more, in one piece.
    """
    selectors = (("labelSelector", request.label_selector), ("fieldSelector", request.field_selector))
    query = [(key, value) for key, value in selectors if value]
    answer = await _read_pages(api, request, query, limit=PAGE)
    if isinstance(answer, Refused) and answer.status == 410:
        return await _read_pages(api, request, query, limit=None)
    return answer


async def _read_pages(api: Api, request: List, query: Query, *, limit: int | None) -> Answer:
    path, names = _path(request.resource, request.namespace)
    kind = _KINDS[request.resource]
    paging = [("limit", str(limit))] if limit else []
    items: list[kube.KubeObject] = []
    token = ""
    while True:
        start = [("continue", token)] if token else []
        reply = await api.get(path, names, [*query, *paging, *start])
        if reply.status != 200:
            return refusal(reply)
        page = _decode(api, reply, _Page[kind.fields])  # type: ignore[name-defined]  # a type chosen while running
        if page.kind != f"{kind.name}List":
            raise not_kubernetes(reply.body, api.place)
        items.extend(_object(item) for item in page.items or ())
        token = page.metadata.continue_
        if not token:
            return Objects(items=tuple(items))


def refusal(reply: Reply) -> Refused:
    """Say why a request was not carried out."""
    reason = GapReason.DIED
    if reply.status == 403:
        reason = GapReason.FORBIDDEN
    elif reply.busy:
        reason = GapReason.TIMED_OUT
    return Refused(reason=reason, message=status_message(reply), status=reply.status)


def _path(resource: Resource, namespace: str | None) -> tuple[str, dict[str, str]]:
    group, version, named = GROUPS.get(resource), _KINDS[resource].version, PATHS.get(resource, resource)
    root = f"/apis/{group}/{version}" if group else f"/api/{version}"
    if namespace and resource not in {"nodes", "namespaces"}:
        return f"{root}/namespaces/{{namespace}}/{named}", {"namespace": namespace}
    return f"{root}/{named}", {}


def _decode(api: Api, reply: Reply, fields: type[Kind]) -> Kind:
    try:
        return msgspec.json.decode(reply.body, type=fields)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_kubernetes(reply.body, api.place) from error


def _object(item: _Item) -> kube.KubeObject:
    if isinstance(item, _Monitor):
        return kube.Monitor(metadata=item.metadata, spec=item.spec)
    return kube.Workload(metadata=item.metadata, spec=item.spec) if isinstance(item, _Owner) else item
