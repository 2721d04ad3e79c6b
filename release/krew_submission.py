"""What is handed to krew's index, and the shape of a rule for it."""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from release.contents import Archive
from release.krew_manifest import Manifest, PlatformSpec

__all__ = ["Rule", "Submission"]


class Submission(msgspec.Struct, frozen=True):
    """A manifest, the name of its file, and the archives that it names."""

    file_name: str
    manifest: Manifest
    archives: tuple[Archive, ...]

    def archive_of(self, spec: PlatformSpec) -> Archive | None:
        """Find a platform's archive by the file name at the end of its address."""
        name = spec.uri.rpartition("/")[2]
        return next((each for each in self.archives if each.name == name), None)

    def pairs(self) -> Iterator[tuple[PlatformSpec, Archive]]:
        """Give each platform with its archive, where there is one."""
        for spec in self.manifest.spec.platforms:
            archive = self.archive_of(spec)
            if archive is not None:
                yield spec, archive


class Rule(msgspec.Struct, frozen=True):
    """One rule: its name, where it comes from, and a check that tells what is wrong."""

    name: str
    source: str
    check: Callable[[Submission], Iterable[str]]
