"""Envoy's pods: what runs in them, and how it begins and ends."""

from hashlib import sha256
from typing import Any

from kubectl_grpclb.remedies.envoy.config import config_text
from kubectl_grpclb.remedies.envoy.parts import Parts, pod_labels

__all__ = ["CHECKSUM", "RENEWED", "container_ports", "pod_template"]

CHECKSUM = "grpclb/config-sha256"
"""Annotation of Envoy's pods: with a new configuration come new pods."""

RENEWED = "grpclb/renewed-at"
"""Annotation of Envoy's pods, where others had to take the place of drained ones."""

_GRACE = 30
"""Seconds beyond the drain before the kubelet kills an Envoy."""

_NOBODY = 65532
"""The distroless images' unprivileged user."""


def pod_template(parts: Parts) -> dict[str, Any]:
    """Give the template of the Deployment."""
    metadata = {"labels": pod_labels(parts), "annotations": _pod_annotations(parts)}
    return {"metadata": metadata, "spec": _pod(parts)}


def _pod_annotations(parts: Parts) -> dict[str, str]:
    noted = {CHECKSUM: sha256(config_text(parts.upstream).encode()).hexdigest()}
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
