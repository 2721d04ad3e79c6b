"""Wait until a workload has rolled out, and say early why it will not."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from kubectl_grpclb.change.kubelet_reasons import HOPELESS, OF_THE_IMAGE
from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.model.errors import RefusedError
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Denied

__all__ = ["pods_of", "rolled_out", "until_rolled_out"]

_LOOK_EVERY = 0.5

_PATIENCE_WITH_REFUSALS = 4.0
"""Seconds that pods may be refused by quota or admission before it is taken for lasting."""


async def until_rolled_out(
    cluster: Workshop,
    resource: str,
    namespace: str,
    name: str,
    labels: str,
    seconds: float,
    say: Callable[[str], None],
    image_flag: str = "",
) -> None:
    """Wait until all replicas are those of the current template and ready; `image_flag` takes another image, if any.

    Raises RefusedError with the reason as soon as it is known that this will not happen, or after `seconds`.
    """
    until, refused_since, told = time.monotonic() + seconds, None, ""
    while True:
        workload = await _get(cluster, resource, namespace, name)
        if rolled_out(workload):
            return
        pods = await _current_pods(cluster, workload, labels)
        trouble = hopeless(pods)
        if trouble:
            advice = _another_image(workload, pods, image_flag)
            raise RefusedError(f"{workload['kind']} {name} does not start: {trouble}{advice}")
        refusal = _refused_pods(workload) if _is_observed(workload) else ""
        refused_since = (refused_since or time.monotonic()) if refusal else None
        if refused_since and time.monotonic() - refused_since > _PATIENCE_WITH_REFUSALS:
            raise RefusedError(f"the pods of {workload['kind']} {name} cannot be created: {refusal}")
        if time.monotonic() > until:
            state = _state(workload, pods)
            raise RefusedError(f"{workload['kind']} {name} was not ready within {seconds:.0f} s: {state}")
        if _is_observed(workload) and (state := _ready(workload)) != told:
            told = state
            say(f"waiting for {workload['kind']} {name}: {state}")
        await asyncio.sleep(_LOOK_EVERY)


def rolled_out(workload: Manifest) -> bool:
    """Tell whether a Deployment, StatefulSet or DaemonSet is as `kubectl rollout status` wants it."""
    status, spec = workload.get("status") or {}, workload.get("spec") or {}
    if not _is_observed(workload):
        return False
    if workload["kind"] == "DaemonSet":
        wanted = status.get("desiredNumberScheduled", 0)
        return bool(status.get("updatedNumberScheduled", 0) >= wanted and status.get("numberAvailable", 0) >= wanted)
    wanted = spec.get("replicas", 1)
    return bool(
        status.get("updatedReplicas", 0) >= wanted
        and status.get("readyReplicas", 0) >= wanted
        and status.get("replicas", 0) <= status.get("updatedReplicas", 0)
    )


def _is_observed(workload: Manifest) -> bool:
    """Tell whether the status is about the present spec: until its controller looks, it is that of before."""
    observed = (workload.get("status") or {}).get("observedGeneration", 0)
    return bool(observed >= workload["metadata"].get("generation", 0))


async def pods_of(cluster: Workshop, namespace: str, labels: str) -> list[Manifest] | Denied:
    """Read the pods with these labels; that they could not be read is not that there are none."""
    outcome = await cluster.fetch_all("pods", namespace, labels)
    return outcome if isinstance(outcome, Denied) else list(outcome.object.get("items") or ())


async def _current_pods(cluster: Workshop, workload: Manifest, labels: str) -> list[Manifest]:
    """Read the pods of the present template, for what they say; those of an earlier one may fail and go."""
    pods = await pods_of(cluster, workload["metadata"]["namespace"], labels) if labels else []
    template = (workload.get("spec") or {}).get("template") or {}
    return [] if isinstance(pods, Denied) else [pod for pod in pods if _is_of(pod, template)]


def _is_of(pod: Manifest, template: Manifest) -> bool:
    """Tell by annotations and images, which is all that an Envoy of ours differs in; one that ends is of none."""
    wanted = (template.get("metadata") or {}).get("annotations") or {}
    return (
        "deletionTimestamp" not in pod["metadata"]
        and wanted.items() <= (pod["metadata"].get("annotations") or {}).items()
        and _images(template) <= _images(pod)
    )


def _images(holder: Manifest) -> set[tuple[str, str]]:
    containers = (holder.get("spec") or {}).get("containers") or ()
    return {(container.get("name", ""), container.get("image", "")) for container in containers}


def hopeless(pods: Iterable[Manifest]) -> str:
    """Say why a pod's container will not run, in the kubelet's words; empty where nothing is known against it."""
    for status, waiting in _waiting(pods):
        if waiting.get("reason") in HOPELESS:
            last = ((status.get("lastState") or {}).get("terminated") or {}).get("message", "")
            words = last.strip().splitlines()[-3:] if last else [waiting.get("message", "")]
            return printable(f"{waiting['reason']}: {' | '.join(words)}"[:600])
    return ""


def _another_image(workload: Manifest, pods: Iterable[Manifest], flag: str) -> str:
    """Say which flag helps where the nodes do not get the workload's own image; one that was injected has no flag."""
    images = dict(_images(workload["spec"]["template"])) if flag else {}
    for status, waiting in _waiting(pods):
        if waiting.get("reason") in OF_THE_IMAGE and (image := images.get(status.get("name", ""))):
            return f". The image is {printable(image)}; `{flag}` takes another one, which the nodes can pull"
    return ""


def _waiting(pods: Iterable[Manifest]) -> Iterator[tuple[Manifest, Manifest]]:
    """Give the status of each container that waits, and for what."""
    for pod in pods:
        for status in (pod.get("status") or {}).get("containerStatuses") or ():
            if waiting := (status.get("state") or {}).get("waiting"):
                yield status, waiting


async def _get(cluster: Workshop, resource: str, namespace: str, name: str) -> Manifest:
    outcome = await cluster.fetch(resource, namespace, name)
    if isinstance(outcome, Denied):
        raise RefusedError(f"could not read {resource} {name}: {printable(outcome.message)}")
    return outcome.object


def _refused_pods(workload: Manifest) -> str:
    conditions = (workload.get("status") or {}).get("conditions") or ()
    failing = (each for each in conditions if each["type"] == "ReplicaFailure" and each["status"] == "True")
    return next((printable(each.get("message", "")) for each in failing), "")


def _ready(workload: Manifest) -> str:
    status, spec = workload.get("status") or {}, workload.get("spec") or {}
    if workload["kind"] == "DaemonSet":
        return f"{status.get('updatedNumberScheduled', 0)} of {status.get('desiredNumberScheduled', 0)} pods updated"
    new, ready = status.get("updatedReplicas", 0), status.get("readyReplicas", 0)
    return f"{new} of {spec.get('replicas', 1)} pods updated, {ready} ready"


def _state(workload: Manifest, pods: Iterable[Manifest]) -> str:
    """Say what the pods wait for, where they say it."""
    said = [_ready(workload) if _is_observed(workload) else "its controller has not taken up the change"]
    for pod in pods:
        conditions: list[dict[str, Any]] = (pod.get("status") or {}).get("conditions") or []
        unmet = [each["message"] for each in conditions if each["status"] == "False" and each.get("message")][:1]
        reasons = [
            f"{status.get('name')} waits: " + ": ".join(filter(None, (why.get("reason"), why.get("message"))))
            for status, why in _waiting([pod])
        ]
        if unmet or reasons:
            said.append(printable(f"{pod['metadata']['name']}: {', '.join(unmet + reasons)}"[:300]))
    return "; ".join(said[:4])
