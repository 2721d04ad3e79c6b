"""The objects of an Envoy bundle, as manifests that `kubectl apply` takes."""

from typing import Any

from kubectl_grpclb.model.plan import Create, Manifest
from kubectl_grpclb.remedies.envoy.config import config_text
from kubectl_grpclb.remedies.envoy.parts import Parts, object_labels
from kubectl_grpclb.remedies.envoy.pod import pod_template
from kubectl_grpclb.remedies.headless_ports import headless_ports

__all__ = ["creations", "headless_service"]

_NEVER_BELOW = 2


def creations(parts: Parts) -> tuple[Create, ...]:
    """Give every object in the order in which it is brought about."""
    made = [
        Create(
            manifest=headless_service(parts),
            why="DNS gives Envoy the address of every ready server; the Service's own name gives only one address",
        ),
        Create(manifest=_config_map(parts), why="Envoy's configuration: which servers, how calls are spread, retries"),
    ]
    if parts.own_budget:
        made.append(Create(manifest=_disruption_budget(parts), why="drains of nodes take one Envoy at a time"))
    made.append(Create(manifest=_deployment(parts), why="the proxies that balance every request over all servers"))
    if parts.options.network_policy:
        made.append(Create(manifest=_network_policy(parts), why="Envoy's ports, open to whoever may be a client"))
    if parts.options.autoscaling:
        made.append(Create(manifest=_autoscaler(parts), why="more Envoys when their CPU gets scarce"))
    return tuple(made)


def headless_service(parts: Parts) -> Manifest:
    """Give the Service whose DNS name has the address of every ready server."""
    spec: dict[str, Any] = {
        "clusterIP": "None",
        "selector": parts.selector,
        "ports": headless_ports(parts.ports),
    }
    if parts.families:
        spec |= {"ipFamilies": list(parts.families)}
    if parts.family_policy:
        spec |= {"ipFamilyPolicy": parts.family_policy}
    return _object(parts, "v1", "Service", parts.bundle.headless, {"spec": spec})


def _config_map(parts: Parts) -> Manifest:
    return _object(parts, "v1", "ConfigMap", parts.bundle.envoy, {"data": {"envoy.yaml": config_text(parts.upstream)}})


def _disruption_budget(parts: Parts) -> Manifest:
    return _object(
        parts,
        "policy/v1",
        "PodDisruptionBudget",
        parts.bundle.envoy,
        {"spec": {"maxUnavailable": 1, "selector": {"matchLabels": parts.bundle.envoy_pods}}},
    )


def _deployment(parts: Parts) -> Manifest:
    spec: dict[str, Any] = {
        "selector": {"matchLabels": parts.bundle.envoy_pods},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": pod_template(parts),
    }
    if not parts.options.autoscaling and not parts.scaled:
        spec = {"replicas": parts.options.replicas, **spec}
    return _object(parts, "apps/v1", "Deployment", parts.bundle.envoy, {"spec": spec})


def _network_policy(parts: Parts) -> Manifest:
    """Let anybody reach what clients dial, and the kubelet and Prometheus the status; drains come from nodes only.

    The kubelet of a pod's own node may always reach it, whatever a policy says.
    """
    ports = sorted({port.listen for port in parts.ports} | {parts.upstream.status_port})
    spec = {
        "podSelector": {"matchLabels": parts.bundle.envoy_pods},
        "policyTypes": ["Ingress"],
        "ingress": [{"ports": [{"port": port, "protocol": "TCP"} for port in ports]}],
    }
    return _object(parts, "networking.k8s.io/v1", "NetworkPolicy", parts.bundle.envoy, {"spec": spec})


def _autoscaler(parts: Parts) -> Manifest:
    scaling = parts.options.autoscaling
    if scaling is None:
        raise ValueError("no autoscaler was asked for")
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": parts.bundle.envoy},
        "minReplicas": max(_NEVER_BELOW, parts.options.replicas),
        "maxReplicas": scaling.most,
        "metrics": [
            {
                "type": "Resource",
                "resource": {
                    "name": "cpu",
                    "target": {"type": "Utilization", "averageUtilization": scaling.target_percent},
                },
            }
        ],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 300}},
    }
    return _object(parts, "autoscaling/v2", "HorizontalPodAutoscaler", parts.bundle.envoy, {"spec": spec})


def _object(parts: Parts, version: str, kind: str, name: str, rest: dict[str, Any]) -> Manifest:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": parts.namespace,
            "labels": object_labels(parts),
            "annotations": {"grpclb/tool": parts.tool},
        },
        **rest,
    }
