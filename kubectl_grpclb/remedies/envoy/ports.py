"""The Service's ports, each with the number that the servers have for it and the one that Envoy listens on."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any

from msgspec.structs import replace

from kubectl_grpclb.model import facts, kube
from kubectl_grpclb.model.bundle import ADMIN_PORT
from kubectl_grpclb.remedies.envoy.options import Port

__all__ = ["free_ports", "one_each", "resolve_ports"]

_LOWEST = 1024
"""Ports below are not for programs without privileges."""

_SHIFT = 10_000
_OWN = range(19_001, 19_100)
"""Where Envoy's other listeners look for free ports."""


def resolve_ports(
    specification: Mapping[str, Any], known: facts.Facts, pods: Sequence[kube.Pod]
) -> tuple[Port, ...] | str:
    """Resolve the TCP ports of a Service's spec; or say which one cannot be, and why.

    Envoy listens where the servers do, so that the Service's targetPort stays as it is; only where it may not is
    the port moved.
    """
    resolved: list[Port] = []
    for port in specification.get("ports") or ():
        if port.get("protocol", "TCP") != "TCP":
            continue  # the preflight refuses it, in words
        target = port.get("targetPort", port["port"])
        grpc = known.service.port is not None and port["port"] == known.service.port.number
        number = _number(target, pods, _grpc_target(known) if grpc else None)
        if isinstance(number, str):
            return f"port {port['port']}: {number}"
        resolved.append(
            Port(
                name=port.get("name", ""),
                number=port["port"],
                target=number,
                target_name=target if isinstance(target, str) else None,
                listen=number,
                grpc=grpc,
                app_protocol=port.get("appProtocol"),
            )
        )
    listens = _listens({port.target for port in resolved})
    return tuple(replace(port, listen=listens[port.target]) for port in resolved)


def _listens(targets: set[int]) -> dict[int, int]:
    """Give Envoy's port for each of the servers': the same where it may be, else one that is nobody's."""
    listens = {target: target for target in targets if target >= _LOWEST and target != ADMIN_PORT}
    for target in sorted(targets - listens.keys()):
        listens[target] = next(port for port in count(target + _SHIFT) if port not in listens.values())
    return listens


def free_ports(taken: Iterable[int], wanted: int) -> list[int]:
    """Give ports for Envoy's own listeners that the Service does not need."""
    used = set(taken)
    return [port for port in _OWN if port not in used][:wanted]


def one_each(ports: Iterable[Port]) -> tuple[Port, ...]:
    """Give one port for each number of the servers; where the Service has several for it, the gRPC one goes first."""
    first: dict[int, Port] = {}
    for port in sorted(ports, key=lambda port: not port.grpc):
        first.setdefault(port.target, port)
    return tuple(first.values())


def _grpc_target(known: facts.Facts) -> int | None:
    target = known.target.target_port
    return target if isinstance(target, int) else None


def _number(target: int | str, pods: Sequence[kube.Pod], known: int | None) -> int | str:
    if isinstance(target, int):
        return target
    numbers = {number for pod in pods for number in _declared(pod, target)}
    if known is not None:
        numbers.add(known)
    if len(numbers) == 1:
        return numbers.pop()
    if not numbers:
        return f"no pod declares a container port named {target}"
    return f"{target} is a different number in different pods ({', '.join(map(str, sorted(numbers)))})"


def _declared(pod: kube.Pod, name: str) -> Iterable[int]:
    containers = (*(pod.spec.containers or ()), *(pod.spec.init_containers or ()))
    return (
        port.container_port
        for container in containers
        for port in container.ports or ()
        if port.name == name and port.protocol == "TCP"
    )
