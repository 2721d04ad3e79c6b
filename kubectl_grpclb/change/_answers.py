"""Readings of requests that take more than one step, and the words for what keeps a container from running."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from kubectl_grpclb.change.kubelet_reasons import OF_THE_CONTAINER, OF_THE_IMAGE
from kubectl_grpclb.model.kube import ContainerStatus
from kubectl_grpclb.model.snapshot import Answer, Reading, Request

__all__ = ["May", "is_running", "reading_of", "why_not"]

May = Callable[[str, str, str], Awaitable[bool | None]]
"""`Workshop.may`, or what remembers its answers."""


async def reading_of(request: Request, answer: Awaitable[Answer]) -> Reading:
    """Await the answer, and keep when it was begun and how long it took."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    start = time.monotonic()
    return Reading(request=request, answer=await answer, at=at, took=round(time.monotonic() - start, 3))


def is_running(status: ContainerStatus | None) -> bool:
    """Tell whether a container runs."""
    return status is not None and status.state is not None and status.state.running is not None


def why_not(status: ContainerStatus | None, image: str) -> str | None:
    """Say why a container of this image does not run and will not; None where it may yet."""
    if status is None or status.state is None:
        return None
    if status.state.terminated is not None:
        return f"{image} exited right after it started ({status.state.terminated.reason}): does it have sh and sleep?"
    reason = status.state.waiting.reason if status.state.waiting is not None else None
    if reason in OF_THE_IMAGE:
        return f"the node cannot pull the image {image} ({reason})"
    return f"the node cannot start a container of {image} ({reason})" if reason in OF_THE_CONTAINER else None
