"""What the controllers of a cluster in memory do: pods for Deployments, endpoints for Services."""

import hashlib
import json
from typing import Any

from kubectl_grpclb.model.plan import Manifest
from tests import fake_parts as parts
from tests import shop
from tests.fake_api import ApiObjects

__all__ = ["Controllers"]


class Controllers:
    """Brings the objects of an API server to what their specs say, at once."""

    def __init__(self) -> None:
        self.api = ApiObjects()
        self.waiting: dict[str, Any] | None = None
        """The state in which Envoy's containers wait in place of running."""
        self.refused_pods = ""
        """Why no pod of Envoy's Deployment is made."""
        self.busy = 0
        """How often the controllers are looked at before they get to what is being deleted."""

    def reconcile(self) -> None:
        """Do what the cluster's controllers do, to the end."""
        for deployment in self.api.of("deployments"):
            if "deletionTimestamp" in deployment["metadata"]:
                self._collect(deployment)
            else:
                self._roll_out(deployment)
        for service in self.api.of("services"):
            self.api.put("endpointslices", self._slice(service))
        names = {service["metadata"]["name"] for service in self.api.of("services")}
        for item in self.api.of("endpointslices"):
            if parts.labels_of(item)["kubernetes.io/service-name"] not in names:
                self.api.held.pop(parts.key_of("endpointslices", item))
        for pod in self.api.of("pods"):
            owner = pod["metadata"].get("annotations", {}).get("fake/deployment")
            if owner and ("deployments", "shop", owner) not in self.api.held:
                self.api.held.pop(parts.key_of("pods", pod))

    def _collect(self, deployment: Manifest) -> None:
        """Delete what is being deleted, once there is time for it; its pods go with it."""
        if self.busy > 0:
            self.busy -= 1
        else:
            self.api.held.pop(parts.key_of("deployments", deployment))

    def _roll_out(self, deployment: Manifest) -> None:
        wanted = deployment["spec"].get("replicas", 1)
        ready = wanted
        if parts.labels_of(deployment).get("grpclb/service"):
            ready = self._make_envoys(deployment, wanted)
        generation = deployment["metadata"]["generation"]
        status: Manifest = {
            "observedGeneration": generation,
            "replicas": wanted,
            "updatedReplicas": wanted,
            "readyReplicas": ready,
        }
        if self.refused_pods and ready < wanted:
            failure = {"type": "ReplicaFailure", "status": "True", "message": self.refused_pods}
            status |= {"replicas": 0, "updatedReplicas": 0, "conditions": [failure]}
        self.api.change(parts.key_of("deployments", deployment), lambda held: held.update(status=status))

    def _make_envoys(self, deployment: Manifest, wanted: int) -> int:
        """Replace the pods of another template; give how many are ready."""
        template, name = deployment["spec"]["template"], deployment["metadata"]["name"]
        digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]
        names = [] if self.refused_pods else [f"{name}-{digest}-e{number}e1e" for number in range(1, wanted + 1)]
        for pod in self.api.of("pods"):
            if parts.labels_of(pod).get("grpclb/part") == "envoy" and pod["metadata"]["name"] not in names:
                self.api.held.pop(parts.key_of("pods", pod))
        for number, each in enumerate(names, 31):
            self.api.put("pods", parts.envoy_pod(each, f"10.244.2.{number}", deployment, self.waiting))
        return 0 if self.waiting else len(names)

    def _slice(self, service: Manifest) -> Manifest:
        name, spec = service["metadata"]["name"], service["spec"]
        pods = [self.api.held["pods", "shop", each] for each in self.selected(spec.get("selector") or {})]
        ports = [
            {"name": port.get("name", ""), "port": parts.number_of(port, pods), "protocol": "TCP"}
            for port in spec.get("ports", [])
            if pods
        ]
        return {
            **shop.slice_of(
                [shop.endpoint(pod, ready=parts.is_ready(pod)) for pod in pods], name=f"{name}-abcde", of=name
            ),
            "ports": ports,
        }

    def selected(self, selector: dict[str, str]) -> list[str]:
        """Give the names of the pods with these labels; of all or none, none."""
        if not selector:
            return []
        return [
            pod["metadata"]["name"] for pod in self.api.of("pods") if selector.items() <= parts.labels_of(pod).items()
        ]
