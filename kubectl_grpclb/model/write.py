"""Requests that change a cluster, apart from those that a Snapshot keeps: none of these is ever sent by `diagnose`."""

from typing import Any, Literal

from msgspec import Struct

from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.plan import Manifest

__all__ = [
    "Apply",
    "Delete",
    "Denied",
    "Done",
    "Insert",
    "Outcome",
    "PatchObject",
    "Replace",
    "Write",
]


class Apply(Struct, frozen=True, tag_field="write", tag="apply"):
    """Server-side apply of one object, without force: a conflict says who owns what."""

    manifest: Manifest
    namespace: str
    dry_run: bool = False


class Insert(Struct, frozen=True, tag_field="write", tag="insert"):
    """Create an object that must not be there yet."""

    manifest: Manifest
    namespace: str


class Replace(Struct, frozen=True, tag_field="write", tag="replace"):
    """Replace an object that still has the resourceVersion which the manifest carries."""

    manifest: Manifest
    namespace: str


class PatchObject(Struct, frozen=True, tag_field="write", tag="patch"):
    """A JSON patch (RFC 6902) or a strategic merge patch of one object."""

    resource: str
    namespace: str
    name: str
    body: list[dict[str, Any]] | dict[str, Any]
    style: Literal["json", "strategic"] = "json"
    dry_run: bool = False
    subresource: str = ""
    """Empty: the object itself."""


class Delete(Struct, frozen=True, tag_field="write", tag="delete"):
    """Delete an object if it is still the one that was seen; what it owns goes with it."""

    resource: str
    namespace: str
    name: str
    uid: str
    resource_version: str = ""
    """Empty: whatever its version."""
    foreground: bool = False
    """What it owns goes first: it is there until all of that has gone, and its controllers make no more of it."""


Write = Apply | Insert | Replace | PatchObject | Delete


class Done(Struct, frozen=True, tag_field="outcome", tag="done"):
    """The API server carried it out; `object` is what it answered: the object as it now is."""

    object: Manifest

    @property
    def is_ending(self) -> bool:
        """Whether the object is being deleted, and goes when what it waits for has gone."""
        return "deletionTimestamp" in self.object["metadata"]


class Denied(Struct, frozen=True, tag_field="outcome", tag="denied"):
    """The API server did not carry it out; nothing was changed, unless it failed while it was at it."""

    status: int
    """HTTP: 403 not permitted or quota, 404 not there, 409 conflict, 422 not valid, or a test of a patch failed."""
    reason: GapReason
    message: str
    causes: tuple[str, ...] = ()
    """Of a conflict: which field belongs to whom."""

    @property
    def is_missing(self) -> bool:
        """Whether there is no such object."""
        return self.status == 404

    @property
    def is_conflict(self) -> bool:
        """Whether somebody else changed the object, made it, or owns a field of it."""
        return self.status == 409

    @property
    def is_failure(self) -> bool:
        """Whether the API server failed, so that it may have been carried out all the same, or will be."""
        return self.status >= 500


Outcome = Done | Denied
