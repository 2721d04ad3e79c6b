"""The shape of a plugin manifest of krew (kubernetes-sigs/krew, pkg/index/types.go).

What is missing is empty, as in Go, so that a rule can say what is missing.
"""

import msgspec
from msgspec import UNSET, UnsetType

from release.platforms import Platform

__all__ = ["API_VERSION", "FileOperation", "Manifest", "Metadata", "PlatformSpec", "Requirement", "Selector", "Spec"]

API_VERSION = "krew.googlecontainertools.github.com/v1alpha2"


class FileOperation(msgspec.Struct, frozen=True):
    """What is taken out of the archive, and where it is put; krew leaves everything else behind."""

    source: str = msgspec.field(default="", name="from")
    to: str = ""


class Requirement(msgspec.Struct, frozen=True):
    """One expression of a label selector: `In`, `NotIn`, `Exists` or `DoesNotExist`."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()

    def holds(self, labels: dict[str, str]) -> bool:
        """Say whether these labels meet it (k8s.io/apimachinery, pkg/labels)."""
        inside, there = labels.get(self.key) in self.values, self.key in labels
        told = {"In": inside, "NotIn": not inside, "Exists": there, "DoesNotExist": not there}
        return told.get(self.operator, False)


class Selector(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Which systems a platform's archive is for."""

    match_labels: dict[str, str] | UnsetType = UNSET
    match_expressions: tuple[Requirement, ...] | UnsetType = UNSET

    @property
    def keys(self) -> frozenset[str]:
        """The labels that it asks for."""
        return frozenset((*(self.match_labels or {}), *(each.key for each in self.match_expressions or ())))

    def matches(self, platform: Platform) -> bool:
        """Say whether it selects this system; an empty one, which krew refuses, selects none."""
        labels = {"os": platform.os, "arch": platform.arch}
        equal = all(labels.get(key) == value for key, value in (self.match_labels or {}).items())
        return bool(self.keys) and equal and all(each.holds(labels) for each in self.match_expressions or ())


class PlatformSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """An archive and the systems that it is for."""

    selector: Selector | None = None
    uri: str = ""
    sha256: str = ""
    files: tuple[FileOperation, ...] | None = None
    """`None`: everything in the archive."""
    bin: str = ""
    """The program's path among the files that are taken out."""


class Spec(msgspec.Struct, frozen=True, rename="camel"):
    """What krew shows of a plugin, and what it installs."""

    version: str = ""
    homepage: str = ""
    short_description: str = ""
    description: str = ""
    caveats: str = ""
    platforms: tuple[PlatformSpec, ...] = ()


class Metadata(msgspec.Struct, frozen=True):
    """Its name, by which it is called: `kubectl NAME`."""

    name: str = ""


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """A plugin manifest."""

    api_version: str = ""
    kind: str = ""
    metadata: Metadata = Metadata()
    spec: Spec = Spec()
