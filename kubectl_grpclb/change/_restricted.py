"""A container of ours that only looks: the Pod Security Standard `restricted`, and what else it can do without."""

from collections.abc import Sequence
from typing import Any

__all__ = ["USER", "looking_container"]

USER = 65532
"""Nobody in particular; distroless images call it `nonroot`."""


def looking_container(name: str, image: str, command: Sequence[str]) -> dict[str, Any]:
    """Give the container's manifest."""
    return {
        "name": name,
        "image": image,
        "command": list(command),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
            "readOnlyRootFilesystem": True,
        },
    }
