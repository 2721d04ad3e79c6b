"""Words that several remedies share: labels, commands and data to copy."""

from collections.abc import Sequence
from typing import Any

import msgspec

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.plan import Manifest

__all__ = ["declare_protocol", "flow", "labels", "patch_service"]


def labels(every: dict[str, str]) -> str:
    """Write labels as a selector on kubectl's command line, `app=greeter,tier=back`."""
    return ",".join(f"{key}={value}" for key, value in sorted(every.items()))


def flow(data: object) -> str:
    """Write data on one line as JSON, which is YAML's flow style too."""
    return msgspec.json.encode(data).decode("utf-8")


def patch_service(facts: Facts, operations: Sequence[dict[str, Any]]) -> str:
    """Give the command that changes the Service by a JSON patch (RFC 6902)."""
    options = ("--type=json", "-p", flow(operations))
    return facts.aim.kubectl("patch", "service", facts.target.service, options=options)


def declare_protocol(facts: Facts, service: Manifest, value: str) -> str:
    """Give the command that says of the diagnosed port which protocol it carries (appProtocol, KEP-3726)."""
    number = facts.service.port.number if facts.service.port else None
    ports = service.get("spec", {}).get("ports") or ()
    place = next((place for place, port in enumerate(ports) if port.get("port") == number), 0)
    operation = {"op": "add", "path": f"/spec/ports/{place}/appProtocol", "value": value}
    return patch_service(facts, [operation])
