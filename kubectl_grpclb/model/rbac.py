"""Requests in the words of Kubernetes' access control, for whoever has to ask for a permission."""

from kubectl_grpclb.model.snapshot import AskEnvoy, Exec, Get, List, Request, Resource

__all__ = ["GROUPS", "describe", "rule_for"]

GROUPS: dict[Resource, str] = {
    "endpointslices": "discovery.k8s.io",
    "replicasets": "apps",
    "deployments": "apps",
    "statefulsets": "apps",
    "networkpolicies": "networking.k8s.io",
}
"""The API group of each resource that is not in the core group."""

_WITHOUT_NAMESPACE: frozenset[Resource] = frozenset({"namespaces", "nodes"})


def describe(request: Request) -> str:
    """Say what the request does: `list endpointslices.discovery.k8s.io in namespace shop`."""
    if isinstance(request, Exec):
        return f"exec in pod {request.pod} in namespace {request.namespace}"
    if isinstance(request, AskEnvoy):
        page = request.path.partition("?")[0]
        return f"ask Envoy in pod {request.pod} in namespace {request.namespace} for {page}"
    group = GROUPS.get(request.resource)
    what = f"{request.resource}.{group}" if group else request.resource
    if isinstance(request, Get):
        what = f"{what} {request.name}"
    return f"{_verb(request)} {what}{_where(request)}"


def rule_for(request: Request) -> str:
    """Give the RBAC rule that would allow the request, as one line of YAML's flow style.

    An exec or port-forward over a WebSocket needs both verbs: the API server checks `get` for the handshake and
    `create` for the subresource (seen for exec with Kubernetes 1.37: with either alone the answer is 403).
    """
    if isinstance(request, Exec):
        return 'apiGroups: [""], resources: ["pods/exec"], verbs: ["get", "create"]'
    if isinstance(request, AskEnvoy):
        return 'apiGroups: [""], resources: ["pods/portforward"], verbs: ["get", "create"]'
    group = GROUPS.get(request.resource, "")
    return f'apiGroups: ["{group}"], resources: ["{request.resource}"], verbs: ["{_verb(request)}"]'


def _verb(request: Get | List) -> str:
    return "get" if isinstance(request, Get) else "list"


def _where(request: Get | List) -> str:
    if request.resource in _WITHOUT_NAMESPACE:
        return ""
    return f" in namespace {request.namespace}" if request.namespace else " in every namespace"
