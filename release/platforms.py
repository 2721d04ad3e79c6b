"""The systems that archives are made for, in the words of krew, which are Go's."""

import platform
import sys

import msgspec

from release.project import PROGRAM, ReleaseError

__all__ = ["KREW_SUPPORTS", "RELEASED", "Platform", "this_machine"]


class Platform(msgspec.Struct, frozen=True, order=True):
    """An operating system and a processor architecture."""

    os: str
    arch: str

    @property
    def archive_format(self) -> str:
        """`zip` where people expect one, else `tar.gz`; krew unpacks both and nothing else."""
        return "zip" if self.os == "windows" else "tar.gz"

    @property
    def program(self) -> str:
        """The program's file name: kubectl on Windows finds only plugins with `.exe`."""
        return f"{PROGRAM}.exe" if self.os == "windows" else PROGRAM

    def archive_name(self, version: str) -> str:
        """Give the archive's file name for a version without `v`."""
        return f"{PROGRAM}_{version}_{self.os}_{self.arch}.{self.archive_format}"


RELEASED = (
    Platform("linux", "amd64"),
    Platform("linux", "arm64"),
    Platform("darwin", "amd64"),
    Platform("darwin", "arm64"),
    Platform("windows", "amd64"),
)
"""What a release has an archive for; the release workflow builds each on a machine of its kind."""

KREW_SUPPORTS = frozenset(
    {
        *(Platform("linux", arch) for arch in ("386", "amd64", "arm", "arm64", "ppc64le")),
        *(Platform("darwin", arch) for arch in ("386", "amd64", "arm64")),
        *(Platform("windows", arch) for arch in ("386", "amd64", "arm64")),
    }
)
"""kubernetes-sigs/krew, cmd/validate-krew-manifest/main.go, `allPlatforms`."""

_SYSTEMS = {"linux": "linux", "darwin": "darwin", "win32": "windows"}
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def this_machine(system: str = sys.platform, machine: str = "") -> Platform:
    """Name this machine in krew's words; `system` as `sys.platform` has it, `machine` as `platform.machine()`.

    Raises:
        ReleaseError: no release is made for such a machine.

    """
    machine = machine or platform.machine()
    found = Platform(_SYSTEMS.get(system, system), _MACHINES.get(machine.lower(), machine))
    if found not in RELEASED:
        known = ", ".join(f"{each.os}/{each.arch}" for each in RELEASED)
        raise ReleaseError(f"no archive is made for {found.os}/{found.arch}; there are {known}")
    return found
