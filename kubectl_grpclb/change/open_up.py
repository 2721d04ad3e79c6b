"""Give a pod a container with a shell: an ephemeral one, which can never be taken away again.

It stays until the pod goes, asleep, and serves every later run. It shares the pod's network, so that it sees its
sockets, and nothing else of the other containers. It has the rights that the Pod Security Standard `restricted` leaves.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from msgspec import Struct

from kubectl_grpclb.change._answers import May, is_running, reading_of, why_not
from kubectl_grpclb.change._restricted import looking_container
from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.kube import Pod
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.rbac import describe, rule_for
from kubectl_grpclb.model.snapshot import Answer, Get, Objects, OpenUp, Reading, Refused
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Denied, PatchObject

__all__ = ["not_tried", "open_up"]

Pause = Callable[[float], Awaitable[object]]

_SUBRESOURCE = "ephemeralcontainers"
_ASK_EVERY = 0.3

_ASLEEP = ("sh", "-c", "trap 'exit 0' TERM; sleep 2147483647 & wait")
"""As the first process of its container, sleep alone would ignore SIGTERM, and the pod would take its whole grace
period to end."""

_OVER = frozenset({"Succeeded", "Failed"})
_UNCHANGED = "nothing was changed"

_AT_ONCE = 10.0
"""Seconds: a container that ran for longer was ended by something else than its image."""
_NEVER = 2000
"""Before this year nothing began: of a container that could not be started a kubelet tells 1970."""


class _Choice(Struct, frozen=True):
    """The container to look through."""

    name: str
    there: bool


async def open_up(
    workshop: Workshop, request: OpenUp, seconds: float, pause: Pause = asyncio.sleep, *, may: May | None = None
) -> Reading:
    """Add the container, unless one runs already, and wait until it runs; whatever goes wrong is an answer.

    What is added stays in the pod until the pod goes: no API takes an ephemeral container away. One that has ended
    cannot be started again, so that another with a number after its name is added, unless it ended as soon as it began
    and would do so again. `may` is asked in place of the workshop. Raises ClusterError where the cluster as a whole
    gave no answer.
    """
    return await reading_of(request, _opened(workshop, request, seconds, pause, may or workshop.may))


async def not_tried(request: OpenUp, pod: str, refused: Refused) -> Reading:
    """Give the reading of a request that would come to the same as that of another pod; nothing is asked."""

    async def answer() -> Answer:
        return Refused(refused.reason, f"not tried, since it failed in pod {pod}: {refused.message}")

    return await reading_of(request, answer())


async def _opened(workshop: Workshop, request: OpenUp, seconds: float, pause: Pause, may: May) -> Answer:
    found = await workshop.fetch("pods", request.namespace, request.pod)
    if isinstance(found, Denied):
        return _unread(request, found)
    if over := _over(found.object):
        return Refused(GapReason.UNREAD, f"{over}; {_UNCHANGED}")
    choice = _choose(found.object, request)
    if isinstance(choice, Refused):
        return choice
    if not choice.there and (refusal := await _add(workshop, request, choice.name, may)):
        return refusal
    return await _until_running(workshop, request, choice.name, seconds, pause)


async def _add(workshop: Workshop, request: OpenUp, name: str, may: May) -> Refused | None:
    """Patch the pod; give why it could not be."""
    if await may("patch", f"pods/{_SUBRESOURCE}", request.namespace) is False:
        return Refused(
            GapReason.FORBIDDEN,
            f"not permitted to {describe(request)}; {_UNCHANGED}. A role with this rule would allow it: "
            f"{rule_for(request)}",
        )
    body = {"spec": {"ephemeralContainers": [looking_container(name, request.image, _ASLEEP)]}}
    outcome = await workshop.write(
        PatchObject("pods", request.namespace, request.pod, body, "strategic", subresource=_SUBRESOURCE)
    )
    return _denied(request, outcome) if isinstance(outcome, Denied) else None


async def _until_running(workshop: Workshop, request: OpenUp, name: str, seconds: float, pause: Pause) -> Answer:
    deadline = time.monotonic() + seconds
    while True:
        answer = (await workshop.read(Get("pods", request.pod, request.namespace))).answer
        pod = _pod(answer)
        if isinstance(pod, Refused):
            return pod
        statuses = {each.name: each for each in pod.status.ephemeral_container_statuses or ()}
        status = statuses.get(name)
        if is_running(status):
            return Objects((pod,))
        if reason := why_not(status, request.image):
            return Refused(GapReason.DIED, f"the ephemeral container {name} is not running: {reason}")
        if time.monotonic() >= deadline:
            return Refused(
                GapReason.TIMED_OUT,
                f"the ephemeral container {name} was added, but is not running after {seconds:g} s: its node may "
                f"still be pulling the image {request.image}. Run this again",
            )
        await pause(_ASK_EVERY)


def _pod(answer: Answer) -> Pod | Refused:
    if isinstance(answer, Refused):
        return _gone() if answer.is_missing else answer
    pods = [item for item in answer.items if isinstance(item, Pod)] if isinstance(answer, Objects) else []
    return pods[0] if pods else Refused(GapReason.GARBLED, "the cluster's answer is not a pod")


def _choose(pod: Manifest, request: OpenUp) -> _Choice | Refused:
    """Take the container that runs or is about to, else a new name, unless one more of its image is of no use.

    One that cannot run is taken again where its image is the wanted one: the node may have got it by now.
    """
    ours = re.compile(rf"{re.escape(request.container)}(?:-(\d+))?")
    numbers = {
        each["name"]: int(match[1] or 1)
        for each in pod["spec"].get("ephemeralContainers") or ()
        if (match := ours.fullmatch(each["name"]))
    }
    images = {each["name"]: each.get("image") for each in pod["spec"].get("ephemeralContainers") or ()}
    statuses = pod.get("status", {}).get("ephemeralContainerStatuses") or ()
    states = {each["name"]: each.get("state") or {} for each in statuses}
    for state in ("running", "waiting"):
        for name in numbers:
            if _is(states.get(name, {}), state) and (state == "running" or images[name] == request.image):
                return _Choice(name, there=True)
    same = [name for name in numbers if images[name] == request.image]
    newest = max(same, key=numbers.__getitem__, default="")
    if refusal := _why_not_again(newest, request, states.get(newest, {}).get("terminated")):
        return refusal
    if not numbers:
        return _Choice(request.container, there=False)
    return _Choice(f"{request.container}-{max(numbers.values()) + 1}", there=False)


def _why_not_again(name: str, request: OpenUp, ended: dict[str, Any] | None) -> Refused | None:
    """Refuse where the last container of the image ended by itself: another would, and could not be taken away either.

    One that was killed after it had run for a while says nothing of its image.
    """
    status = (ended or {}).get("exitCode") or 0
    ran = _ran(ended or {})
    if ended is None or (status == 0 if ran is None else ran >= _AT_ONCE):
        return None
    return Refused(
        GapReason.DIED,
        f"the ephemeral container {name} of {request.image} exited with status {status} "
        f"({printable(ended.get('reason') or 'no reason')}) right after it started: does it have sh and sleep? "
        f"Another would stay in the pod, too; {_UNCHANGED}. Choose another image with `--debug-image`",
    )


def _ran(ended: dict[str, Any]) -> float | None:
    """Give the seconds that a container ran; None where that is not known, or it never began."""
    try:
        began, over = (datetime.fromisoformat(ended[key]) for key in ("startedAt", "finishedAt"))
        return None if began.year < _NEVER else (over - began).total_seconds()
    except (KeyError, TypeError, ValueError):
        return None


def _is(states: dict[str, Any], state: str) -> bool:
    """Tell whether that is a container's state; one that has none yet waits."""
    return state in states or (state == "waiting" and not states)


def _over(pod: Manifest) -> str | None:
    if pod["metadata"].get("deletionTimestamp"):
        return "the pod is being deleted"
    return "the pod is no longer running" if pod.get("status", {}).get("phase") in _OVER else None


def _gone() -> Refused:
    return Refused(GapReason.DIED, "the pod was deleted meanwhile", 404)


def _unread(request: OpenUp, outcome: Denied) -> Refused:
    if outcome.is_missing:
        return _gone()
    if outcome.reason is not GapReason.FORBIDDEN:
        return Refused(outcome.reason, printable(outcome.message), outcome.status)
    read = Get("pods", request.pod, request.namespace)
    return Refused(
        GapReason.FORBIDDEN,
        f"not permitted to {describe(read)}; {_UNCHANGED}. A role with this rule would allow it: {rule_for(read)}",
        outcome.status,
    )


def _denied(request: OpenUp, outcome: Denied) -> Refused:
    message = printable(outcome.message)
    if outcome.reason is GapReason.FORBIDDEN:
        said = f"the cluster does not allow an ephemeral container in pod {request.pod}: {message}; {_UNCHANGED}"
        return Refused(GapReason.FORBIDDEN, said, outcome.status)
    if outcome.is_missing and "could not find the requested resource" in message:
        said = f"the cluster does not support ephemeral containers, which need Kubernetes 1.23 or later; {_UNCHANGED}"
        return Refused(GapReason.DIED, said, outcome.status)
    return _gone() if outcome.is_missing else Refused(outcome.reason, f"{message}; {_UNCHANGED}", outcome.status)
