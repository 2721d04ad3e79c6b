"""Requests that change the cluster, and whole objects for whoever is about to change them."""

from typing import assert_never
from urllib.parse import quote

import msgspec
from msgspec import Struct

from kubectl_grpclb.cluster._api import Api, Query
from kubectl_grpclb.cluster._failures import not_kubernetes
from kubectl_grpclb.cluster._objects import refusal
from kubectl_grpclb.cluster._reply import Reply, status_message
from kubectl_grpclb.model.bundle import FIELD_MANAGER
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.rbac import api_name
from kubectl_grpclb.model.resources import BY_RESOURCE, ResourceKind, resource_of
from kubectl_grpclb.model.write import Apply, Delete, Denied, Done, Insert, Outcome, PatchObject, Replace, Write

__all__ = ["carry_out", "fetch", "fetch_all", "may", "serves"]

_JSON = "application/json"
_APPLY = "application/apply-patch+yaml"
_PATCHES = {"json": "application/json-patch+json", "strategic": "application/strategic-merge-patch+json"}


class _Cause(Struct, frozen=True):
    message: str = ""
    field: str = ""


class _Details(Struct, frozen=True):
    causes: tuple[_Cause, ...] | None = None


class _Status(Struct, frozen=True):
    details: _Details | None = None


class _Allowed(Struct, frozen=True):
    allowed: bool = False


class _Review(Struct, frozen=True):
    status: _Allowed = _Allowed()


class _ApiResource(Struct, frozen=True):
    name: str = ""


class _ApiResources(Struct, frozen=True):
    resources: tuple[_ApiResource, ...] | None = None


async def carry_out(api: Api, write: Write) -> Outcome:
    """Send one change. Raises ClusterError where no answer came, so that nobody knows whether it was made."""
    match write:
        case Apply():
            query = [("fieldManager", FIELD_MANAGER), ("fieldValidation", "Strict"), *_dry(write.dry_run)]
            return await _send(api, "PATCH", _named(write.manifest, write.namespace), query, write.manifest, _APPLY)
        case Insert():
            path = _path(resource_of(write.manifest), write.namespace)
            return await _send(api, "POST", path, [("fieldManager", FIELD_MANAGER)], write.manifest, _JSON)
        case Replace():
            path = _named(write.manifest, write.namespace)
            return await _send(api, "PUT", path, [("fieldManager", FIELD_MANAGER)], write.manifest, _JSON)
        case PatchObject():
            path = _path(BY_RESOURCE[write.resource], write.namespace, write.name, write.subresource)
            query = [("fieldManager", FIELD_MANAGER), *_dry(write.dry_run)]
            return await _send(api, "PATCH", path, query, write.body, _PATCHES[write.style])
        case Delete():
            path = _path(BY_RESOURCE[write.resource], write.namespace, write.name)
            seen = {"uid": write.uid} | ({"resourceVersion": write.resource_version} if write.resource_version else {})
            policy = "Foreground" if write.foreground else "Background"
            options = {"propagationPolicy": policy, "preconditions": seen}
            return await _send(api, "DELETE", path, [], options, _JSON)
    assert_never(write)


async def fetch(api: Api, resource: str, namespace: str, name: str) -> Outcome:
    """Read one whole object."""
    path = _path(BY_RESOURCE[resource], namespace, name)
    return _outcome(api, await api.get(path, {}, ()))


async def fetch_all(api: Api, resource: str, namespace: str, labels: str) -> Outcome:
    """Read a whole List of the objects with these labels."""
    path = _path(BY_RESOURCE[resource], namespace)
    return _outcome(api, await api.get(path, {}, [("labelSelector", labels)]))


async def may(api: Api, verb: str, resource: str, namespace: str, name: str = "") -> bool | None:
    """Ask whether the user may do this (SelfSubjectAccessReview); None where the server does not say.

    `resource` may name a subresource: `pods/portforward`. No namespace is every one, no name any.
    """
    group, path = api_name(resource)
    plural, _, subresource = path.partition("/")
    attributes = {
        "namespace": namespace,
        "verb": verb,
        "group": group,
        "resource": plural,
        "subresource": subresource,
    } | ({"name": name} if name else {})
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    reply = await api.send("POST", path, {}, (), msgspec.json.encode(review), _JSON)
    if reply.status not in {200, 201}:
        return None
    return msgspec.json.decode(reply.body, type=_Review).status.allowed


async def serves(api: Api, group_version: str, resource: str) -> bool:
    """Ask whether the cluster has a resource at all: `gateway.networking.k8s.io/v1`, `grpcroutes`."""
    reply = await api.get(f"/apis/{group_version}", {}, ())
    if reply.status != 200:
        return False
    found = msgspec.json.decode(reply.body, type=_ApiResources).resources or ()
    return any(each.name == resource for each in found)


async def _send(api: Api, method: str, path: str, query: Query, body: object, kind: str) -> Outcome:
    return _outcome(api, await api.send(method, path, {}, query, msgspec.json.encode(body), kind))


def _outcome(api: Api, reply: Reply) -> Outcome:
    if reply.status in {200, 201, 202}:
        try:
            answered: Manifest = msgspec.json.decode(reply.body, type=dict)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise not_kubernetes(reply.body, api.place) from error
        return Done(answered)
    return Denied(reply.status, refusal(reply).reason, status_message(reply), _causes(reply))


def _causes(reply: Reply) -> tuple[str, ...]:
    try:
        details = msgspec.json.decode(reply.body, type=_Status).details
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ()
    causes = (details.causes if details else None) or ()
    return tuple(f"{cause.message} {cause.field}".strip() for cause in causes)


def _named(manifest: Manifest, namespace: str) -> str:
    return _path(resource_of(manifest), namespace, manifest["metadata"]["name"])


def _path(kind: ResourceKind, namespace: str, name: str | None = None, subresource: str = "") -> str:
    words = [namespace, kind.resource, *([] if name is None else [name]), *([subresource] if subresource else [])]
    return "/".join([f"{kind.root}/namespaces", *(quote(word, safe="") for word in words)])


def _dry(dry_run: bool) -> list[tuple[str, str]]:
    return [("dryRun", "All")] if dry_run else []
