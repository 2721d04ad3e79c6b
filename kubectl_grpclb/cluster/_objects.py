"""Get and List: objects from the API server, decoded straight into the fields that are kept."""

import asyncio
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from kubectl_grpclb.cluster._api import OPTIONAL_LIMIT, Api, Query
from kubectl_grpclb.cluster._failures import UnreachableError, not_kubernetes, words
from kubectl_grpclb.cluster._reply import Reply, TooLargeError, is_web_page, page_words, status_message
from kubectl_grpclb.model import kube
from kubectl_grpclb.model.errors import UsageError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.kube_monitoring import MonitorSpec
from kubectl_grpclb.model.rbac import GROUPS, PATHS
from kubectl_grpclb.model.snapshot import Answer, Get, List, Objects, Refused, Resource

__all__ = ["read_list", "read_one", "refusal"]

PAGE = 500
"""Objects asked for at a time."""

OPTIONAL: frozenset[Resource] = frozenset({"podmetrics", "horizontalpodautoscalers", "servicemonitors", "podmonitors"})
"""What a cluster may do without, and what may come from somebody else's server or definition. Whatever is wrong with
it is an answer."""

OPTIONAL_SECONDS = 5.0
"""How long the whole list of one of these may take."""

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
    """Read one object; that no answer comes is one, too, if only the cluster has answered before.

    Raises ClusterError where the answer is not an object.
    """
    if request.name in {"", ".", ".."}:
        raise UsageError(f"{request.name!r} is not a valid object name")
    try:
        return await _read_object(api, request)
    except UnreachableError as error:
        return _unanswered(api, error, "the API server")


async def read_list(api: Api, request: List) -> Answer:
    """Read all that match, page by page; that no answer comes is one, too, if only the cluster has answered before.

    Raises ClusterError where an answer is not a list of them; of an optional API that is an answer, too.
    """
    try:
        return await (_read_optional(api, request) if request.resource in OPTIONAL else _read_whole(api, request))
    except UnreachableError as error:
        optional = request.resource in OPTIONAL
        return _unanswered(api, error, _group(request) if optional else "the API server")


def _unanswered(api: Api, error: UnreachableError, who: str) -> Refused:
    """Take one read of many for itself: without the pods nothing can be said, without the nodes much."""
    if not api.answered:
        raise error
    reason = GapReason.TIMED_OUT if isinstance(error.__cause__, TimeoutError) else GapReason.DIED
    return Refused(reason, f"{who} gave no answer: {words(error.__cause__ or error)}")


def _group(request: List) -> str:
    return GROUPS.get(request.resource, request.resource)


async def _read_object(api: Api, request: Get) -> Answer:
    path, names = _path(request.resource, request.namespace)
    reply = await api.get(f"{path}/{{name}}", names | {"name": request.name}, ())
    if reply.status != 200:
        return refusal(reply)
    return Objects(items=(_object(_decode(api, reply, _KINDS[request.resource].fields)),))


async def _read_optional(api: Api, request: List) -> Answer:
    name = _group(request)
    try:
        async with asyncio.timeout(OPTIONAL_SECONDS):
            return await _read_whole(api, request)
    except TimeoutError:
        return Refused(GapReason.TIMED_OUT, f"{name} gave no complete answer within {OPTIONAL_SECONDS:g} s")
    except TooLargeError:
        return Refused(GapReason.TOO_LARGE, f"{name} answered with more than {OPTIONAL_LIMIT // 2**20} MB")
    except _GarbledError as error:
        return Refused(GapReason.GARBLED, f"the answer of {name} is not a list of {request.resource}: {error}")


async def _read_whole(api: Api, request: List) -> Answer:
    """Read it; a list that expires meanwhile (HTTP 410) is read once more, in one piece."""
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
        optional = request.resource in OPTIONAL
        reply = await api.get(path, names, [*query, *paging, *start], optional=optional)
        if reply.status != 200:
            return refusal(reply)
        decode = _decode_tolerantly if optional else _decode
        page = decode(api, reply, _Page[kind.fields])  # type: ignore[name-defined]  # a type chosen while running
        if page.kind != f"{kind.name}List":
            raise _GarbledError(f"its kind is {page.kind!r}") if optional else not_kubernetes(reply.body, api.place)
        items.extend(_object(item) for item in page.items or ())
        token = page.metadata.continue_
        if not token:
            return Objects(items=tuple(items))


def refusal(reply: Reply) -> Refused:
    """Say why a request was not carried out.

    A 401 that was not taken for the API server's own is that of whom it is a proxy for; a web page is no word about
    the user's permissions.
    """
    if is_web_page(reply) and not reply.busy:
        said = f"something between here and the API server refused it with a web page (HTTP {reply.status})"
        return Refused(GapReason.DIED, f"{said}: {page_words(reply)}", reply.status)
    reason = GapReason.DIED
    if reply.status == 403:
        reason = GapReason.FORBIDDEN
    elif reply.status == 401:
        reason = GapReason.NOT_SERVED
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


class _GarbledError(Exception):
    """An optional API's answer is not what it should be."""


def _decode_tolerantly(_: Api, reply: Reply, fields: type[Kind]) -> Kind:
    """Decode it, and take what is null for absent, as Kubernetes does. Raises _GarbledError."""
    try:
        return msgspec.convert(_without_nulls(msgspec.json.decode(reply.body)), type=fields)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _GarbledError(words(error)) from error


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _object(item: _Item) -> kube.KubeObject:
    if isinstance(item, _Monitor):
        return kube.Monitor(metadata=item.metadata, spec=item.spec)
    return kube.Workload(metadata=item.metadata, spec=item.spec) if isinstance(item, _Owner) else item
