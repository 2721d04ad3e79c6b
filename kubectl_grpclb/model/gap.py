"""What could not be measured, and why."""

from enum import StrEnum

from msgspec import Struct

__all__ = ["Gap", "GapReason"]


class GapReason(StrEnum):
    """Why a reading is missing; the GLB9xx rules group gaps by it."""

    NO_SHELL = "no-shell"
    """No container of the pod has a shell, or none of the tools that list sockets."""
    FORBIDDEN = "forbidden"
    """The cluster refused the request for want of a permission."""
    TIMED_OUT = "timed-out"
    """No complete answer came within the time limit."""
    DIED = "died"
    """The answer ended half-way, or the pod or container went away meanwhile."""
    GARBLED = "garbled"
    """The answer is not the output of the tool that was run."""
    TOO_LARGE = "too-large"
    """The answer passed the size limit and was cut off."""
    SIDECAR = "sidecar"
    """A mesh's proxy in the pod takes the clients' connections, so they do not show on the port."""
    NOT_A_POD = "not-a-pod"
    """The endpoint is an address without a pod in this cluster."""
    NO_PORT = "no-port"
    """The endpoint carries no port, so no connection can be to it."""
    NOT_SERVED = "not-served"
    """The pod does not offer this: no channelz, no metrics endpoint, or nothing that speaks gRPC on the port."""
    UNREAD = "unread"
    """Nothing was asked, because the pod is not running."""


class Gap(Struct, frozen=True, tag="gap"):
    """A measurement that is missing. Never zero, never an empty list."""

    reason: GapReason
    detail: str = ""
    """What was seen instead, in the words of whoever refused or failed."""
    rule: str = ""
    """Of what the cluster forbade: the RBAC rule that allows it, unless the detail says what to do."""
