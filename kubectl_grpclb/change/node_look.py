"""Look at a node's processes through a pod of ours on it, which is gone when the look is over.

The pod sees the node's processes (hostPID) and has no other right: it runs as nobody, without capabilities, without a
ServiceAccount's token and with the pod network. Whatever ends the look, Ctrl-C too, the pod is deleted. Where this
process is killed, the pod's container ends by itself soon after the look's time limit, and the next look deletes it.
"""

import asyncio
import math
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from kubectl_grpclb.change._answers import May, is_running, reading_of, why_not
from kubectl_grpclb.change._restricted import looking_container
from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.model.bundle import FIELD_MANAGER, MANAGED_BY
from kubectl_grpclb.model.command import NOT_GIVEN, ClusterFlags
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.kube import Pod
from kubectl_grpclb.model.look import NODE_LOOK, PURPOSE_LABEL, RUN_LABEL
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.rbac import describe, rule_text
from kubectl_grpclb.model.snapshot import Answer, Exec, List, LookFromNode, Objects, Output, Reading, Refused
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Delete, Denied, Done, Insert, Outcome

__all__ = ["LABELS", "look_from_node"]

LABELS = {MANAGED_BY: FIELD_MANAGER, PURPOSE_LABEL: NODE_LOOK}
"""What every pod of a look from a node carries."""

Pause = Callable[[float], Awaitable[object]]
Tell = Callable[[str], object]
"""Takes a sentence about what a look left behind."""

_CONTAINER = "look"
_START_SECONDS = 60.0
_ASK_EVERY = 0.2
_SPARE = 10
"""Seconds that the container outlives the look's time limit."""
_LAST_RESORT = 60
"""The same for the pod, which the kubelet ends then, also where it never ran."""
_REMOVAL_SECONDS = 10.0
_REMOVAL_TRIES = 3
_TRY_AGAIN = 1.0
_OVER = frozenset({"Succeeded", "Failed"})

_NEEDED = (("create", "pods"), ("list", "pods"), ("delete", "pods"), ("get", "pods/exec"), ("create", "pods/exec"))


class _Left(Struct, frozen=True):
    """Who is told of a pod that could not be deleted, and which flags the command to do it needs."""

    tell: Tell
    flags: ClusterFlags


async def look_from_node(
    workshop: Workshop,
    request: LookFromNode,
    *,
    start_seconds: float = _START_SECONDS,
    pause: Pause = asyncio.sleep,
    may: May | None = None,
    tell: Tell = lambda _: None,
    flags: ClusterFlags = NOT_GIVEN,
) -> Reading:
    """Run the pod, its command and away with it; whatever goes wrong is an answer.

    The pod may take `start_seconds` to run. Where it cannot be deleted, the answer keeps what it is and says so, and
    so does `tell`, which is called also where the look is interrupted; the command to delete it repeats `flags`, which
    said which cluster. `may` is asked in place of the workshop. Raises ClusterError where the cluster as a whole gave
    no answer.
    """
    left = _Left(tell, flags)
    return await reading_of(request, _permitted(workshop, request, start_seconds, pause, may or workshop.may, left))


async def _permitted(
    workshop: Workshop, request: LookFromNode, start_seconds: float, pause: Pause, may: May, left: _Left
) -> Answer:
    refusal = await _not_permitted(may, request)
    return refusal or await _look(workshop, request, start_seconds, pause, left)


async def _look(workshop: Workshop, request: LookFromNode, start_seconds: float, pause: Pause, left: _Left) -> Answer:
    run = secrets.token_hex(5)
    making = asyncio.ensure_future(workshop.write(Insert(_manifest(request, run), request.namespace)))
    try:
        made = await asyncio.shield(making)
        if isinstance(made, Denied):
            answer: Answer = _denied(request, made)
        else:
            answer = await _through(workshop, request, run, start_seconds, pause)
    except BaseException:
        await _carried_through(_clear(workshop, request, run, making, left))
        raise
    said = await _carried_through(_clear(workshop, request, run, making, left))
    return _saying(answer, said) if said else answer


async def _through(workshop: Workshop, request: LookFromNode, run: str, start_seconds: float, pause: Pause) -> Answer:
    """Run the command in the pod as soon as it runs."""
    deadline = time.monotonic() + start_seconds
    while True:
        listing = List("pods", request.namespace, label_selector=f"{RUN_LABEL}={run}")
        pod = _pod((await workshop.read(listing)).answer)
        if isinstance(pod, Refused):
            return pod
        status = next((each for each in pod.status.container_statuses or () if each.name == _CONTAINER), None)
        if is_running(status):
            break
        if reason := why_not(status, request.image) or _rejected(pod):
            return Refused(GapReason.DIED, f"the pod for the look from node {request.node} is not running: {reason}")
        if time.monotonic() >= deadline:
            return Refused(
                GapReason.TIMED_OUT,
                f"the pod for the look from node {request.node} did not start within {start_seconds:g} s",
            )
        await pause(_ASK_EVERY)
    look = Exec(request.namespace, _name(run), _CONTAINER, request.command, request.seconds)
    return (await workshop.read(look)).answer


async def _clear(workshop: Workshop, request: LookFromNode, run: str, making: Awaitable[Outcome], left: _Left) -> str:
    """Delete the pod within a bounded time; give, and tell, what to do where it is still there.

    That it fails must hide no other error: what it leaves is over soon, and the next look deletes it.
    """
    with suppress(TimeoutError):
        if await asyncio.wait_for(_remove(workshop, request.namespace, run, making), _REMOVAL_SECONDS):
            return ""
    name = _name(run)
    delete = left.flags.kubectl("delete", "pod", name, namespace=request.namespace)
    said = f"the pod {name} is still there: {delete}; it exits by itself within {_deadline(request)} s"
    left.tell(said)
    return said


async def _remove(workshop: Workshop, namespace: str, run: str, making: Awaitable[Outcome]) -> bool:
    """Delete the pod, and try again where that fails; tell whether there is none any more."""
    made: Outcome | None = None
    with suppress(ClusterError):
        made = await making
    if isinstance(made, Denied):
        return True
    for attempt in range(_REMOVAL_TRIES):
        if attempt:
            await asyncio.sleep(_TRY_AGAIN)
        with suppress(ClusterError):
            if await _is_gone(workshop, namespace, run, made):
                return True
    return False


async def _is_gone(workshop: Workshop, namespace: str, run: str, made: Done | None) -> bool:
    """Delete a pod once; where it is not known whether there is one, see in a list, which may be made anyhow."""
    if made is not None:
        pods = [made.object]
    else:
        found = await workshop.fetch_all("pods", namespace, f"{RUN_LABEL}={run}")
        if isinstance(found, Denied):
            return False
        pods = list(found.object.get("items") or ())
    for pod in pods:
        outcome = await workshop.write(Delete("pods", namespace, _name(run), pod["metadata"]["uid"]))
        if isinstance(outcome, Denied) and not (
            outcome.is_missing or outcome.is_conflict
        ):  # gone, or another has its name
            return False
    return True


async def _carried_through(clearing: Awaitable[str]) -> str:
    """Await it also where this look is cancelled once more."""
    task = asyncio.ensure_future(clearing)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


def _saying(answer: Answer, left: str) -> Answer:
    """Add to an answer that the pod is still there."""
    if isinstance(answer, Refused):
        return replace(answer, message=f"{answer.message}; {left}")
    if isinstance(answer, Output):
        return replace(answer, detail=f"{answer.detail}; {left}" if answer.detail else left)
    return answer


async def _not_permitted(may: May, request: LookFromNode) -> Refused | None:
    allowed = await asyncio.gather(*(may(*each, request.namespace) for each in _NEEDED))
    missing = [each for each, does in zip(_NEEDED, allowed, strict=True) if does is False]
    if not missing:
        return None
    resources = dict.fromkeys(resource for _, resource in missing)
    rules = [rule_text(each, [verb for verb, resource in missing if resource == each]) for each in resources]
    return Refused(
        GapReason.FORBIDDEN,
        f"not permitted to {describe(request)}: you may not {', '.join(map(' '.join, missing))} there; nothing was "
        f"changed. A role there with {'this rule' if len(rules) == 1 else 'these rules'} added would allow it: "
        f"{'; '.join(rules)}",
    )


def _denied(request: LookFromNode, outcome: Denied) -> Refused:
    message = printable(outcome.message)
    if outcome.reason is GapReason.FORBIDDEN and "PodSecurity" in message:
        said = (
            f"namespace {request.namespace} does not admit the pod for a look from a node, which has to see the node's "
            "processes (hostPID: the Pod Security level `privileged`); nothing was changed. "
            f"`--node-namespace NAMESPACE` runs it in a namespace that does. The cluster says: {message}"
        )
        return Refused(GapReason.FORBIDDEN, said, outcome.status)
    said = f"the cluster refused the pod for the look from node {request.node}: {message}; nothing was changed"
    return Refused(outcome.reason, said, outcome.status)


def _pod(answer: Answer) -> Pod | Refused:
    if isinstance(answer, Refused):
        return answer
    pods = [item for item in answer.items if isinstance(item, Pod)] if isinstance(answer, Objects) else []
    return pods[0] if pods else Refused(GapReason.DIED, "somebody deleted the pod before the look was finished")


def _rejected(pod: Pod) -> str | None:
    """Give the reason why the node does not take the pod, as where it is full, or why it ended it."""
    if pod.status.phase not in _OVER:
        return None
    return f"the node stopped it ({pod.status.reason or pod.status.phase})"


def _name(run: str) -> str:
    return f"grpclb-{NODE_LOOK}-{run}"


def _deadline(request: LookFromNode) -> int:
    return math.ceil(request.seconds) + _LAST_RESORT


def _manifest(request: LookFromNode, run: str) -> Manifest:
    asleep = ("sh", "-c", f"sleep {math.ceil(request.seconds) + _SPARE}")
    container: dict[str, Any] = looking_container(_CONTAINER, request.image, asleep)
    container["resources"] = {
        "requests": {"cpu": "10m", "memory": "16Mi"},
        "limits": {"cpu": "1", "memory": "64Mi"},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": _name(run), "labels": {**LABELS, RUN_LABEL: run}},
        "spec": {
            "nodeName": request.node,
            "hostPID": True,
            "restartPolicy": "Never",
            "activeDeadlineSeconds": _deadline(request),
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "tolerations": [{"operator": "Exists"}],
            "containers": [container],
        },
    }
