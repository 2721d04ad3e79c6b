"""The ports of a headless Service, which clients and Envoy dial."""

from collections.abc import Iterable
from typing import Any

from kubectl_grpclb.remedies.envoy.options import Port
from kubectl_grpclb.remedies.envoy.ports import one_each

__all__ = ["headless_ports"]


def headless_ports(ports: Iterable[Port]) -> list[dict[str, Any]]:
    """Give each of the servers' numbers once, to itself: a headless Service maps no ports.

    Kubernetes refuses a number that stands twice, as where two ports of the original lead to one of the servers.
    """
    return [_port(port) for port in one_each(ports)]


def _port(port: Port) -> dict[str, Any]:
    fields: dict[str, Any] = {"port": port.target, "targetPort": port.target, "protocol": "TCP"}
    if port.name:
        fields["name"] = port.name
    if port.app_protocol:
        fields["appProtocol"] = port.app_protocol
    return fields
