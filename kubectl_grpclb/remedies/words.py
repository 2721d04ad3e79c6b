"""Words that several remedies share: lists of names, commands and data to copy."""

import shlex
from collections.abc import Sequence
from typing import Any

import msgspec

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.plan import Manifest

__all__ = ["command", "declare_protocol", "flow", "labels", "names", "patch_service"]


def names(every: Sequence[str], at_most: int = 4) -> str:
    """Join names as a person would, `a, b and c`, the rest as a number."""
    shown = list(every[:at_most])
    if len(every) > at_most:
        return f"{', '.join(shown)} and {len(every) - at_most} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def labels(every: dict[str, str]) -> str:
    """Write labels as a selector on kubectl's command line, `app=greeter,tier=back`."""
    return ",".join(f"{key}={value}" for key, value in sorted(every.items()))


def command(*words: str) -> str:
    """Write a command so that a shell takes each word as it is, whatever a cluster's names hold."""
    return shlex.join(words)


def flow(data: object) -> str:
    """Write data on one line as JSON, which is YAML's flow style too."""
    return msgspec.json.encode(data).decode("utf-8")


def patch_service(namespace: str, service: str, operations: Sequence[dict[str, Any]]) -> str:
    """Give the command that changes a Service by a JSON patch (RFC 6902)."""
    return command("kubectl", "patch", "service", service, "-n", namespace, "--type=json", "-p", flow(operations))


def declare_protocol(facts: Facts, service: Manifest, value: str) -> str:
    """Give the command that says of the diagnosed port which protocol it carries (appProtocol, KEP-3726)."""
    number = facts.service.port.number if facts.service.port else None
    ports = service.get("spec", {}).get("ports") or ()
    place = next((place for place, port in enumerate(ports) if port.get("port") == number), 0)
    operation = {"op": "add", "path": f"/spec/ports/{place}/appProtocol", "value": value}
    return patch_service(facts.target.namespace, facts.target.service, [operation])
