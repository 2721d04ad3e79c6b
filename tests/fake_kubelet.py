"""What the kubelets of a cluster in memory do: they run ephemeral containers and the pods of looks from nodes."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.look import PURPOSE_LABEL
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.snapshot import Answer, Exec, Output
from kubectl_grpclb.model.write import Denied, Done, Insert, Outcome, PatchObject, Write
from tests import fake_parts as parts
from tests.fake_api import ApiObjects
from tests.fake_cluster import printed

__all__ = ["Kubelet"]


class Kubelet:
    """Starts containers at once, or leaves them in the state that a test gives."""

    api: ApiObjects

    def __init__(self) -> None:
        self.states: Mapping[str, Manifest] = {}
        """Images, and the state in which a container of each is, in place of running."""
        self.phases: Mapping[str, Manifest] = {}
        """Nodes, and the status of a pod on each, in place of running."""
        self.prints: Answer | None = None
        """What a look from a node is answered with, in place of what the pods' own looks are."""

    def started(self, write: Write) -> Outcome | None:
        """Carry out what makes a container run; None for every other write."""
        if isinstance(write, PatchObject) and write.subresource == "ephemeralcontainers":
            return self._attached(write)
        if isinstance(write, Insert) and parts.labels_of(write.manifest).get(PURPOSE_LABEL):
            return self._placed(write)
        return None

    def attach(self, pod: str, container: Manifest, state: Manifest) -> None:
        """Let a pod have an ephemeral container."""

        def edit(held: Manifest) -> None:
            held["spec"].setdefault("ephemeralContainers", []).append(copy.deepcopy(container))
            statuses = held["status"].setdefault("ephemeralContainerStatuses", [])
            statuses.append({"name": container["name"], "state": state})

        self.api.change(("pods", "shop", pod), edit)

    def looked_from_node(self, request: Exec, look: Callable[[Exec], Answer]) -> Answer | None:
        """Print for each pod what its own look does; None where the pod is not one of a look from a node."""
        pod = self.api.held.get(("pods", request.namespace, request.pod))
        if pod is None or not parts.labels_of(pod).get(PURPOSE_LABEL):
            return None
        if self.prints is not None:
            return self.prints
        names = {each["metadata"]["uid"]: each["metadata"]["name"] for each in self.api.of("pods")}
        pieces = [self._piece(uid, names, request, look) for uid in request.command[5:]]
        return printed("".join([*pieces, "#grpclb over\n"]))

    def _piece(self, uid: str, names: Mapping[str, str], request: Exec, look: Callable[[Exec], Answer]) -> str:
        answer = look(Exec("shop", names[uid], "", request.command, request.seconds)) if uid in names else None
        return f"#grpclb pod {uid}\n{answer.stdout.text}" if isinstance(answer, Output) else f"#grpclb none {uid}\n"

    def _attached(self, write: PatchObject) -> Outcome:
        key = ("pods", write.namespace, write.name)
        if key not in self.api.held:
            return Denied(404, GapReason.DIED, f'pods "{write.name}" not found')
        body: Any = write.body
        for container in body["spec"]["ephemeralContainers"]:
            self.attach(write.name, container, self._state(container))
        return Done(copy.deepcopy(self.api.held[key]))

    def _placed(self, write: Insert) -> Outcome:
        spec = write.manifest["spec"]
        statuses = [{"name": each["name"], "ready": True, "state": self._state(each)} for each in spec["containers"]]
        status = self.phases.get(spec["nodeName"]) or {"phase": "Running", "containerStatuses": statuses}
        return self.api.carry_out(Insert({**write.manifest, "status": {"conditions": [], **status}}, write.namespace))

    def _state(self, container: Manifest) -> Manifest:
        return self.states.get(container["image"], {"running": {}})
