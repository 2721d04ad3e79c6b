"""The rules of NetworkPolicies that let through what a cut-over brings about, as they are advised."""

from collections.abc import Sequence
from typing import Any

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.remedies.preflight.ends import own_labels
from kubectl_grpclb.remedies.preflight.intent import Intent
from kubectl_grpclb.remedies.preflight.policies import NAMESPACE_NAME, End
from kubectl_grpclb.remedies.words import flow

__all__ = ["envoys", "from_clients", "in_namespace", "on_port", "to_envoy"]


def from_clients(clients: Sequence[tuple[str, End]], facts: Facts, intent: Intent, port: int) -> str:
    """Give the rule that lets the clients in, and the proof, which comes from Envoy's own pods."""
    peers: list[dict[str, Any]] = []
    for namespace in sorted({end.namespace for _, end in clients}):
        for each in own_labels(end for _, end in clients if end.namespace == namespace):
            elsewhere = {} if namespace == facts.target.namespace else in_namespace(namespace)
            peers.append({**elsewhere, "podSelector": {"matchLabels": each}})
    return flow({"from": [*peers, envoys(intent)] if peers else [{"podSelector": {}}], "ports": [on_port(port)]})


def in_namespace(name: str) -> dict[str, Any]:
    """Select a namespace by its name."""
    return {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: name}}}


def to_envoy(facts: Facts, intent: Intent, port: int) -> dict[str, Any]:
    """Give the rule that lets clients of another namespace out to Envoy."""
    return {"to": [{**in_namespace(facts.target.namespace), **envoys(intent)}], "ports": [on_port(port)]}


def envoys(intent: Intent) -> dict[str, Any]:
    """Select Envoy's pods."""
    return {"podSelector": {"matchLabels": intent.bundle.envoy_pods}}


def on_port(number: int) -> dict[str, Any]:
    """Name a TCP port."""
    return {"port": number, "protocol": "TCP"}
