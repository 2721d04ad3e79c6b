"""The Python packages that the program stands on, as they are installed here."""

import importlib.metadata
from importlib.metadata import Distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release.project import PROGRAM

__all__ = ["bundled_distributions"]


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
    return tuple(found[name] for name in sorted(found))


def _required(distribution: Distribution) -> list[str]:
    """Name what it needs here without any of its extras."""
    requirements = [Requirement(line) for line in distribution.requires or ()]
    return [each.name for each in requirements if each.marker is None or each.marker.evaluate({"extra": ""})]
