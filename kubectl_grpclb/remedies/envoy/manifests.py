"""The objects of an Envoy bundle, as manifests that `kubectl apply` takes."""

from hashlib import sha256
from typing import Any

from msgspec import Struct

from kubectl_grpclb.model.bundle import Bundle
from kubectl_grpclb.model.plan import Create, Manifest
from kubectl_grpclb.model.yaml_text import yaml_text
from kubectl_grpclb.remedies.envoy.config import Upstream, bootstrap
from kubectl_grpclb.remedies.envoy.options import EnvoyOptions, Port
from kubectl_grpclb.remedies.headless_ports import headless_ports

__all__ = [
    "CHECKSUM",
    "RENEWED",
    "Parts",
    "container_ports",
    "creations",
    "envoy_labels",
    "headless_service",
    "pod_labels",
]

CHECKSUM = "grpclb/config-sha256"
"""Annotation of Envoy's pods: with a new configuration come new pods."""

RENEWED = "grpclb/renewed-at"
"""Annotation of Envoy's pods, where others had to take the place of drained ones."""

_GRACE = 30
"""Seconds beyond the drain before the kubelet kills an Envoy."""

_NOBODY = 65532
"""The distroless images' unprivileged user."""

_NEVER_BELOW = 2


class Parts(Struct, frozen=True, kw_only=True):
    """Everything that the manifests of one bundle are made from."""

    bundle: Bundle
    namespace: str
    selector: dict[str, str]
    """The original Service's, which the headless one takes over."""
    marked: str
    """The selector's key whose value sets Envoy's pods apart from the servers."""
    ports: tuple[Port, ...]
    families: tuple[str, ...]
    """The Service's ipFamilies."""
    family_policy: str | None
    upstream: Upstream
    options: EnvoyOptions
    tool: str
    """Name and version of this program."""
    renewed: str = ""


def envoy_labels(bundle: Bundle, selector: dict[str, str], marked: str) -> dict[str, str]:
    """Give what the Service selects after the cut-over: the original's keys, one value changed."""
    return {**selector, marked: bundle.envoy}


def creations(parts: Parts) -> tuple[Create, ...]:
    """Give every object in the order in which it is brought about."""
    made = [
        Create(
            manifest=headless_service(parts),
            why="DNS gives Envoy the address of every ready server; the Service's own name gives only one address",
        ),
        Create(manifest=_config_map(parts), why="Envoy's configuration: which servers, how calls are spread, retries"),
        Create(manifest=_disruption_budget(parts), why="drains of nodes take one Envoy at a time"),
        Create(manifest=_deployment(parts), why="the proxies that balance every request over all servers"),
    ]
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
    return _object(parts, "v1", "ConfigMap", parts.bundle.envoy, {"data": {"envoy.yaml": _config(parts)}})


def _config(parts: Parts) -> str:
    return yaml_text(bootstrap(parts.upstream))


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
        "template": {
            "metadata": {
                "labels": pod_labels(parts),
                "annotations": _pod_annotations(parts),
            },
            "spec": _pod(parts),
        },
    }
    if not parts.options.autoscaling:
        spec = {"replicas": parts.options.replicas, **spec}
    return _object(parts, "apps/v1", "Deployment", parts.bundle.envoy, {"spec": spec})


def _pod_annotations(parts: Parts) -> dict[str, str]:
    noted = {CHECKSUM: sha256(_config(parts).encode()).hexdigest()}
    return noted | {RENEWED: parts.renewed} if parts.renewed else noted


def _pod(parts: Parts) -> dict[str, Any]:
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        # As process 1 Envoy would not hear a SIGTERM that comes before it listens for one, and be there for the whole
        # grace: the kernel keeps such signals from the first process of a namespace (pid_namespaces(7)).
        "shareProcessNamespace": True,
        "terminationGracePeriodSeconds": int(parts.upstream.drain_limit) + _GRACE,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _NOBODY,
            "runAsGroup": _NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [_spread(parts, key) for key in _TOPOLOGY],
        "containers": [_container(parts)],
        "volumes": [
            {"name": "config", "configMap": {"name": parts.bundle.envoy}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}},
        ],
    }


_TOPOLOGY = ("kubernetes.io/hostname", "topology.kubernetes.io/zone")


def _spread(parts: Parts, key: str) -> dict[str, Any]:
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": parts.bundle.envoy_pods},
    }


def _container(parts: Parts) -> dict[str, Any]:
    upstream, options = parts.upstream, parts.options
    return {
        "name": "envoy",
        "image": options.image,
        "args": [
            *("--config-path", "/etc/envoy/envoy.yaml"),
            *("--concurrency", str(options.concurrency)),
            *("--drain-time-s", f"{upstream.drain_seconds:g}"),
            *("--drain-strategy", "immediate"),
            *("--log-level", "warning"),
            "--disable-hot-restart",
        ],
        "ports": [
            *({"name": name, "containerPort": number} for name, number in container_ports(parts).items()),
            {"name": "envoy-status", "containerPort": upstream.status_port},
        ],
        "readinessProbe": _probe(upstream.status_port, every=2, failures=2),
        "startupProbe": _probe(upstream.status_port, every=1, failures=60),
        "livenessProbe": _probe(upstream.status_port, every=10, failures=6),
        "lifecycle": {"preStop": {"httpGet": {"path": upstream.drain_path, "port": upstream.drain_port}}},
        "resources": {
            "requests": {"cpu": options.cpu_request, "memory": options.memory_request},
            "limits": {"memory": options.memory_limit},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/envoy", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 -- a path in the container
        ],
    }


def container_ports(parts: Parts) -> dict[str, int]:
    """Name the ports as the servers name theirs, so that the Service's targetPort need not change.

    A number has one name: server-side apply refuses a second.
    """
    names: dict[int, str] = {}
    for port in sorted(parts.ports, key=lambda port: not port.grpc):
        if port.target_name:
            names.setdefault(port.listen, port.target_name)
    for number in sorted({port.listen for port in parts.ports}):
        names.setdefault(number, f"tcp-{number}")
    return {name: number for number, name in names.items()}


def _probe(port: int, *, every: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": "/ready", "port": port},
        "periodSeconds": every,
        "timeoutSeconds": 2,
        "failureThreshold": failures,
    }


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


def pod_labels(parts: Parts) -> dict[str, str]:
    """Give all labels of an Envoy pod; what the Service selects by goes first."""
    selected = envoy_labels(parts.bundle, parts.selector, parts.marked)
    return {**_labels(parts), **parts.bundle.envoy_pods, **selected}


def _labels(parts: Parts) -> dict[str, str]:
    """Give the usual labels."""
    return {
        "app.kubernetes.io/name": "envoy",
        "app.kubernetes.io/instance": parts.bundle.envoy,
        "app.kubernetes.io/component": "grpc-balancer",
        **parts.bundle.labels,
    }


def _object(parts: Parts, version: str, kind: str, name: str, rest: dict[str, Any]) -> Manifest:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": parts.namespace,
            "labels": _labels(parts),
            "annotations": {"grpclb/tool": parts.tool},
        },
        **rest,
    }
