"""A fix as data: what is created, what is changed, who is restarted, and why. Nothing here does anything.

Printing a plan, diffing it, carrying it out and undoing it are the same for every remedy.
"""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from kubectl_grpclb.model.facts import Target

__all__ = [
    "Advice",
    "Check",
    "Create",
    "EnvoyPorts",
    "Field",
    "Manifest",
    "Patch",
    "Plan",
    "Restart",
    "Strategy",
]

Manifest = dict[str, Any]
"""A Kubernetes object as JSON data, with apiVersion, kind and metadata.name."""

Strategy = Literal["envoy", "headless", "client", "gateway", "service", "none"]
"""`service`: a change to the Service itself; `none`: nothing is wrong that a change would cure."""


class _Wire(Struct, frozen=True, rename="camel", kw_only=True):
    """Camel case in JSON."""


class Field(_Wire, frozen=True, omit_defaults=True):
    """One value of an object that changes; `path` is a JSON pointer (RFC 6901). UNSET: the field is not there."""

    path: str
    before: Any | UnsetType = UNSET
    after: Any | UnsetType = UNSET


class Create(_Wire, frozen=True, tag_field="change", tag="create"):
    """An object of our own, brought about by server-side apply."""

    manifest: Manifest
    why: str


class Patch(_Wire, frozen=True, tag_field="change", tag="patch"):
    """A change to somebody else's object, carried out only while it still is what was seen."""

    resource: str
    """As in an API path: `services`."""
    kind: str
    namespace: str
    name: str
    uid: str
    """Empty where it is not known."""
    resource_version: str
    """Empty where it does not matter."""
    fields: tuple[Field, ...]
    why: str

    def operations(self, resource_version: str | None = None) -> list[dict[str, Any]]:
        """Give the JSON patch (RFC 6902): every old value is tested before any is replaced."""
        identity = (("uid", self.uid), ("resourceVersion", resource_version or self.resource_version))
        tests: list[dict[str, Any]] = [
            {"op": "test", "path": f"/metadata/{key}", "value": value} for key, value in identity if value
        ]
        tests += [
            {"op": "test", "path": field.path, "value": field.before}
            for field in self.fields
            if field.before is not UNSET
        ]
        return [*tests, *(_operation(field) for field in self.fields)]

    def of_any_version(self) -> "Patch":
        """Give the change for whoever makes it later, when something else of the object may have changed."""
        return replace(self, resource_version="")

    def inverted(self, why: str) -> "Patch":
        """Give the change back to what was before, of whatever version the object then is."""
        return Patch(
            resource=self.resource,
            kind=self.kind,
            namespace=self.namespace,
            name=self.name,
            uid=self.uid,
            resource_version="",
            fields=tuple(Field(path=field.path, before=field.after, after=field.before) for field in self.fields),
            why=why,
        )


class Restart(_Wire, frozen=True, tag_field="change", tag="restart"):
    """A rolling restart, as `kubectl rollout restart` does it, so that old connections close."""

    resource: str
    """As in an API path: `deployments`."""
    kind: str
    namespace: str
    name: str
    why: str


class Check(_Wire, frozen=True):
    """Something that speaks against the change: `refuse` stops it before it begins, `warn` is shown."""

    level: Literal["refuse", "warn"]
    name: str
    """Short and stable: `mesh`, `tls`, `gitops`."""
    message: str
    """What was seen, and why it matters."""
    do: str
    """What to do about it."""


class Advice(_Wire, frozen=True):
    """What somebody else has to do: `title` names it, `lines` are the words and the code to copy."""

    title: str
    lines: tuple[str, ...]


class EnvoyPorts(_Wire, frozen=True):
    """Where an Envoy of the plan is spoken to."""

    listen: int
    """The gRPC port that clients reach through the Service."""
    proof: int
    """On the pod's loopback: leads through the Service itself."""


_OF_WHO_APPLIES = frozenset({"gitops", "permissions"})
"""Refusals that leave the manifests right: the owner of the Service, or somebody who may, is to apply them."""


class Plan(_Wire, frozen=True, kw_only=True):
    """Everything that a fix does, in order, and what it does not do."""

    api_version: Literal["grpclb/v1"] = "grpclb/v1"
    kind: Literal["Plan"] = "Plan"
    target: Target
    strategy: Strategy
    title: str
    """What is done, in a sentence."""
    findings: tuple[str, ...]
    """Codes of the findings that this cures."""
    why: tuple[str, ...]
    """Why this remedy and not another, a sentence each."""
    create: tuple[Create, ...] = ()
    change: Patch | None = None
    """The cut-over."""
    ports: EnvoyPorts | None = None
    """Only of a plan for Envoy."""
    restart: tuple[Restart, ...] = ()
    """The clients whose connections are from before."""
    recycle: bool = False
    """Whether those are restarted."""
    wont: tuple[str, ...] = ()
    """What it will not do, a sentence each."""
    connections: str = ""
    """What happens to connections that are open already."""
    advice: tuple[Advice, ...] = ()
    checks: tuple[Check, ...] = ()

    @property
    def refused(self) -> tuple[Check, ...]:
        """What stops it."""
        return tuple(check for check in self.checks if check.level == "refuse")

    @property
    def refused_for_everybody(self) -> tuple[Check, ...]:
        """What stops it whoever applies it: the manifests themselves would do harm, or would not work."""
        return tuple(check for check in self.refused if check.name not in _OF_WHO_APPLIES)

    @property
    def changes_nothing(self) -> bool:
        """Whether there is nothing to carry out."""
        return not self.create and self.change is None and not (self.recycle and self.restart)


def _operation(field: Field) -> dict[str, Any]:
    if field.after is UNSET:
        return {"op": "remove", "path": field.path}
    return {"op": "add" if field.before is UNSET else "replace", "path": field.path, "value": field.after}
