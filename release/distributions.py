"""The Python packages of which something is in the frozen program, as they are installed here."""

import importlib.metadata
from importlib.metadata import Distribution, PackageNotFoundError

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release.project import PROGRAM

__all__ = ["bundled_distributions"]

_FREEZER = ("pyinstaller", "pyinstaller-hooks-contrib")
"""What puts something of its own into the program: the part that starts it, and hooks that run then."""


def bundled_distributions() -> tuple[Distribution, ...]:
    """Give what the program requires on this system, and what that requires, by name; not the program itself.

    A freezer may leave some of them out. To name a licence too many does no harm, one too few does.
    """
    found: dict[str, Distribution] = {}
    open_ones = [PROGRAM]
    while open_ones:
        name = canonicalize_name(open_ones.pop())
        if name not in found:
            found[name] = importlib.metadata.distribution(name)
            open_ones += _required(found[name])
    del found[canonicalize_name(PROGRAM)]
    found |= _freezer()
    return tuple(found[name] for name in sorted(found))


def _required(distribution: Distribution) -> list[str]:
    """Name what it needs here without any of its extras."""
    requirements = [Requirement(line) for line in distribution.requires or ()]
    return [each.name for each in requirements if each.marker is None or each.marker.evaluate({"extra": ""})]


def _freezer() -> dict[str, Distribution]:
    """Give the freezer's packages, where there is one: only who makes a release has it."""
    try:
        return {name: importlib.metadata.distribution(name) for name in _FREEZER}
    except PackageNotFoundError:
        return {}
