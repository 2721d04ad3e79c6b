"""Requests in the words of Kubernetes' access control, for whoever has to ask for a permission."""

from collections.abc import Iterable
from typing import assert_never, cast, get_args

from kubectl_grpclb.model.resources import BY_RESOURCE
from kubectl_grpclb.model.snapshot import (
    AskChannelz,
    AskEnvoy,
    AskPrometheus,
    Exec,
    Get,
    List,
    LookFromNode,
    OpenUp,
    Request,
    Resource,
    Scrape,
)

__all__ = ["GROUPS", "PATHS", "api_name", "describe", "rule_for", "rule_text"]

GROUPS: dict[Resource, str] = {
    "endpointslices": "discovery.k8s.io",
    "replicasets": "apps",
    "deployments": "apps",
    "statefulsets": "apps",
    "networkpolicies": "networking.k8s.io",
    "podmetrics": "metrics.k8s.io",
    "horizontalpodautoscalers": "autoscaling",
    "servicemonitors": "monitoring.coreos.com",
    "podmonitors": "monitoring.coreos.com",
}
"""The API group of each resource that is not in the core group."""

PATHS: dict[Resource, str] = {"podmetrics": "pods"}
"""What a resource is called in its group, where another group has one of that name."""

_RESOURCES = frozenset(get_args(Resource))

_WITHOUT_NAMESPACE: frozenset[Resource] = frozenset({"namespaces", "nodes"})


def api_name(resource: str) -> tuple[str, str]:
    """Give a resource's API group and its name there, `pods/exec` with its subresource. Raises KeyError."""
    name, slash, subresource = resource.partition("/")
    if name not in _RESOURCES:
        return BY_RESOURCE[name].group, resource
    read = cast("Resource", name)
    return GROUPS.get(read, ""), PATHS.get(read, name) + slash + subresource


def rule_text(resource: str, verbs: Iterable[str]) -> str:
    """Give an RBAC rule as one line of YAML's flow style."""
    group, name = api_name(resource)
    named = ", ".join(f'"{verb}"' for verb in verbs)
    return f'apiGroups: ["{group}"], resources: ["{name}"], verbs: [{named}]'


def describe(request: Request) -> str:
    """Say what the request does: `list endpointslices.discovery.k8s.io in namespace shop`."""
    match request:
        case Get() | List():
            return _describe_read(request)
        case AskPrometheus():
            return f"query Prometheus at {request.server}"
        case LookFromNode():
            return f"look from node {request.node} through a pod in namespace {request.namespace}"
        case Exec():
            what = f"exec in pod {request.pod}"
        case AskEnvoy():
            page = request.path.partition("?")[0]
            return f"ask Envoy in pod {request.pod} in namespace {request.namespace} for {page}"
        case AskChannelz():
            what = f"ask channelz on port {request.port} of pod {request.pod}"
        case Scrape():
            what = f"get metrics from port {request.port} of pod {request.pod}"
        case OpenUp():
            what = f"add an ephemeral container to pod {request.pod}"
        case _:
            assert_never(request)
    return f"{what} in namespace {request.namespace}"


def rule_for(request: Request) -> str:
    """Give the RBAC rule that would allow the request, as one line of YAML's flow style.

    An exec or port-forward over a WebSocket needs both verbs: the API server checks `get` for the handshake and
    `create` for the subresource (seen for exec with Kubernetes 1.37: with either alone the answer is 403).
    """
    match request:
        case Get() | List():
            return rule_text(request.resource, [_verb(request)])
        case Exec():
            return rule_text("pods/exec", ["get", "create"])
        case AskEnvoy() | AskChannelz():
            return rule_text("pods/portforward", ["get", "create"])
        case Scrape():
            return rule_text("pods/proxy", ["get"])
        case AskPrometheus():
            return rule_text("services/proxy", ["get"])
        case OpenUp():
            return rule_text("pods/ephemeralcontainers", ["patch"])
        case LookFromNode():
            return rule_text("pods", ["create", "delete", "list"])
        case _:
            assert_never(request)


def _describe_read(request: Get | List) -> str:
    group, resource = api_name(request.resource)
    what = f"{resource}.{group}" if group else resource
    if isinstance(request, Get):
        what = f"{what} {request.name}"
    return f"{_verb(request)} {what}{_where(request)}"


def _verb(request: Get | List) -> str:
    return "get" if isinstance(request, Get) else "list"


def _where(request: Get | List) -> str:
    if request.resource in _WITHOUT_NAMESPACE:
        return ""
    return f" in namespace {request.namespace}" if request.namespace else " in every namespace"
