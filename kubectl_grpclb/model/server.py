"""The version of an API server, and which ones this program was tried with."""

import re
from typing import Literal

__all__ = ["NEWEST", "OLDEST", "Age", "age_of"]

OLDEST, NEWEST = (1, 27), (1, 37)
"""Major and minor: what is read, and what a fix writes, is checked against the API definitions of these versions."""

_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\D|$)")

Age = Literal["older", "tried", "newer"]


def age_of(version: str) -> Age | None:
    """Say how old a server is that calls itself `v1.27.3-gke.100`; None for what is no version."""
    found = _VERSION.match(version)
    if found is None:
        return None
    said = int(found[1]), int(found[2])
    return "older" if said < OLDEST else "newer" if said > NEWEST else "tried"
