"""The objects of an API server in memory: whole, with versions, and changed as an API server changes them."""

import copy
from collections.abc import Callable
from typing import Any

from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.resources import BY_RESOURCE, resource_of
from kubectl_grpclb.model.write import Apply, Delete, Denied, Done, Insert, Outcome, PatchObject, Replace, Write

__all__ = ["ApiObjects", "FailedTestError", "Key", "patched"]

Key = tuple[str, str, str]
"""Resource, namespace, name."""

_SERVER_SIDE = ("uid", "resourceVersion", "generation", "creationTimestamp")


class FailedTestError(Exception):
    """A test of a JSON patch."""


class ApiObjects:
    """Every object by resource, namespace and name."""

    def __init__(self) -> None:
        self.held: dict[Key, Manifest] = {}
        self._applied: dict[Key, Manifest] = {}
        self._counter = 1000

    def put(self, resource: str, manifest: Manifest) -> Manifest:
        """Bring an object about or replace it, as somebody else would."""
        metadata = manifest["metadata"]
        return self._store((resource, metadata.get("namespace", ""), metadata["name"]), copy.deepcopy(manifest))

    def change(self, key: Key, edit: Callable[[Manifest], None]) -> None:
        """Edit an object, as somebody else would."""
        edited = copy.deepcopy(self.held[key])
        edit(edited)
        self._store(key, edited)

    def get(self, resource: str, namespace: str, name: str) -> Outcome:
        """Read an object."""
        found = self.held.get((resource, namespace, name))
        return _not_found(resource, name) if found is None else Done(copy.deepcopy(found))

    def of(self, resource: str) -> list[Manifest]:
        """Give all objects of a resource."""
        return [item for key, item in self.held.items() if key[0] == resource]

    def carry_out(self, write: Write) -> Outcome:
        """Change something, or say why not."""
        match write:
            case Apply():
                return self._apply(write)
            case Insert():
                return self._insert(write)
            case Replace():
                return self._replace(write)
            case PatchObject():
                return self._patch(write)
            case Delete():
                return self._delete(write)

    def _apply(self, write: Apply) -> Outcome:
        key = _key_of(write.manifest, write.namespace)
        manifest = copy.deepcopy(write.manifest)
        manifest["metadata"]["namespace"] = write.namespace
        if refusal := _refused(key[0], manifest):
            return refusal
        existing = self.held.get(key, {})
        kept = _without(existing, self._applied.get(key, {}), manifest)
        merged = _with_defaults(key[0], _merged(kept, manifest))
        if write.dry_run:
            return Done(merged)
        self._applied[key] = manifest
        return Done(self._store(key, merged))

    def _insert(self, write: Insert) -> Outcome:
        key = _key_of(write.manifest, write.namespace)
        if key in self.held:
            return Denied(409, GapReason.DIED, f'{BY_RESOURCE[key[0]].full} "{key[2]}" already exists')
        made = copy.deepcopy(write.manifest)
        made["metadata"]["namespace"] = write.namespace
        return Done(self._store(key, made))

    def _replace(self, write: Replace) -> Outcome:
        key = _key_of(write.manifest, write.namespace)
        held = self.held.get(key)
        if held is None:
            return _not_found(key[0], key[2])
        if write.manifest["metadata"]["resourceVersion"] != held["metadata"]["resourceVersion"]:
            return _modified(key)
        return Done(self._store(key, copy.deepcopy(write.manifest)))

    def _patch(self, write: PatchObject) -> Outcome:
        key = (write.resource, write.namespace, write.name)
        held = self.held.get(key)
        if held is None:
            return _not_found(write.resource, write.name)
        try:
            made = (
                patched(held, write.body) if isinstance(write.body, list) else _merged(copy.deepcopy(held), write.body)
            )
        except FailedTestError as error:
            return Denied(
                422, GapReason.DIED, f"the server rejected our request due to an error in our request: {error}"
            )
        if write.resource == "services" and held.get("spec") != made.get("spec"):
            _note_manager(made)
        return Done(made if write.dry_run else self._store(key, made))

    def _delete(self, write: Delete) -> Outcome:
        key = (write.resource, write.namespace, write.name)
        held = self.held.get(key)
        if held is None:
            return _not_found(write.resource, write.name)
        metadata = held["metadata"]
        if metadata["uid"] != write.uid or write.resource_version not in {"", metadata["resourceVersion"]}:
            return _modified(key)
        self._applied.pop(key, None)
        if write.foreground:
            metadata["deletionTimestamp"] = "2026-11-23T12:00:00Z"  # until a controller sees that all it owns has gone
            return Done(copy.deepcopy(held))
        return Done(self.held.pop(key))

    def _store(self, key: Key, manifest: Manifest) -> Manifest:
        """Keep it with a new version; what is the same as before keeps its own."""
        before = self.held.get(key)
        if before is not None and _without_server_side(before) == _without_server_side(manifest):
            return copy.deepcopy(before)
        self._counter += 1
        metadata, old = manifest["metadata"], before["metadata"] if before else {}
        metadata["uid"] = old.get("uid") or metadata.get("uid") or f"00000000-0000-4000-8000-{self._counter:012}"
        metadata["creationTimestamp"] = (
            old.get("creationTimestamp") or metadata.get("creationTimestamp") or "2026-11-23T11:55:00Z"
        )
        metadata["resourceVersion"] = str(self._counter)
        respecified = before is None or before.get("spec") != manifest.get("spec")
        metadata["generation"] = old.get("generation", 0) + respecified
        manifest.setdefault("kind", BY_RESOURCE[key[0]].kind if key[0] in BY_RESOURCE else "Object")
        self.held[key] = manifest
        return copy.deepcopy(manifest)


def _key_of(manifest: Manifest, namespace: str) -> Key:
    return resource_of(manifest).resource, namespace, manifest["metadata"]["name"]


def _not_found(resource: str, name: str) -> Denied:
    return Denied(404, GapReason.DIED, f'{resource} "{name}" not found')


def _modified(key: Key) -> Denied:
    return Denied(
        409,
        GapReason.DIED,
        f'Operation cannot be fulfilled on {key[0]} "{key[2]}": the object has been modified; please apply your '
        "changes to the latest version and try again",
    )


def _refused(resource: str, manifest: Manifest) -> Denied | None:
    """Refuse what server-side apply cannot merge: a Service's ports are told apart by number and protocol."""
    if resource != "services":
        return None
    keys = [(port["port"], port.get("protocol", "TCP")) for port in manifest["spec"].get("ports") or ()]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is None:
        return None
    name = f"{manifest['metadata']['namespace']}/{manifest['metadata']['name']}"
    return Denied(
        500,
        GapReason.DIED,
        f"failed to create typed patch object ({name}; /v1, Kind=Service): .spec.ports: duplicate entries for key "
        f'[port={twice[0]},protocol="{twice[1]}"]',
    )


def _without_server_side(manifest: Manifest) -> Manifest:
    metadata = {key: value for key, value in manifest["metadata"].items() if key not in _SERVER_SIDE}
    return {key: value for key, value in manifest.items() if key not in {"status", "kind", "metadata"}} | {
        "metadata": metadata,
        "status": manifest.get("status"),
    }


def _note_manager(service: Manifest) -> None:
    """Note who changed it last, as an API server does of every field."""
    entry = {"manager": "kubectl-grpclb", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1"}
    managers = service["metadata"].setdefault("managedFields", [])
    if all(each["manager"] != entry["manager"] for each in managers):
        managers.append({**entry, "fieldsV1": {"f:spec": {"f:selector": {}}}})


def _with_defaults(resource: str, manifest: Manifest) -> Manifest:
    """Fill in some of what the API server does."""
    defaults: dict[str, dict[str, Any]] = {
        "services": {"type": "ClusterIP", "sessionAffinity": "None", "clusterIPs": ["None"]},
        "deployments": {"progressDeadlineSeconds": 600, "revisionHistoryLimit": 10},
    }
    if resource in defaults:
        manifest["spec"] = {**defaults[resource], **manifest["spec"]}
    return manifest


def _merged(old: Any, new: Any) -> Any:
    """Merge objects; everything else, lists too, is replaced, and what becomes null is removed."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return copy.deepcopy(new)
    merged = {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}
    return {key: value for key, value in merged.items() if value is not None or key not in new}


def _without(existing: Any, applied: Any, manifest: Any) -> Any:
    """Take away what was applied the last time and is not any more."""
    if not isinstance(existing, dict) or not isinstance(applied, dict):
        return copy.deepcopy(existing)
    wanted = manifest if isinstance(manifest, dict) else {}
    return {
        key: _without(value, applied.get(key), wanted.get(key))
        for key, value in existing.items()
        if key in wanted or key not in applied
    }


def patched(held: Manifest, operations: list[dict[str, Any]]) -> Manifest:
    """Give a document after a JSON patch (RFC 6902). Raises FailedTestError."""
    document = copy.deepcopy(held)
    for operation in operations:
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        place: Any = document
        for part in parents:
            place = place[_index(place, part)]
        _operate(place, _index(place, last), operation)
    return document


def _index(place: Any, part: str) -> Any:
    return int(part) if isinstance(place, list) else part


def _operate(place: Any, last: Any, operation: dict[str, Any]) -> None:
    there = last in place if isinstance(place, dict) else last < len(place)
    match operation["op"]:
        case "test":
            if not there or place[last] != operation["value"]:
                raise FailedTestError(f"testing path {operation['path']} failed")
        case "remove":
            _require(there, operation)
            del place[last]
        case "replace":
            _require(there, operation)
            place[last] = copy.deepcopy(operation["value"])
        case "add":
            place[last] = copy.deepcopy(operation["value"])
        case other:
            raise AssertionError(f"the fake knows no operation {other}")


def _require(there: bool, operation: dict[str, Any]) -> None:
    if not there:
        raise FailedTestError(f"nothing is at {operation['path']}")
