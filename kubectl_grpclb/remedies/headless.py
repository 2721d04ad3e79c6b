"""A headless Service beside the Service, for clients that balance by themselves."""

from collections.abc import Iterator, Sequence
from typing import Any

from kubectl_grpclb.model.bundle import FOR_CLIENTS, PART_LABEL, Bundle, bundle_of
from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.model.plan import Check, Create, Manifest, Plan
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.remedies.client import client_advice
from kubectl_grpclb.remedies.cures import cured_by
from kubectl_grpclb.remedies.envoy.options import Port
from kubectl_grpclb.remedies.envoy.ports import resolve_ports
from kubectl_grpclb.remedies.headless_ports import headless_ports

__all__ = ["plan_headless"]


def plan_headless(facts: Facts, report: Report, around: Surroundings, tool: str, why: Sequence[str]) -> Plan:
    """Plan the headless Service and say what clients have to change; the Service itself stays as it is.

    `tool` is this program's name and version.
    """
    bundle = bundle_of(facts.target.service)
    ports = resolve_ports(around.service["spec"], facts, around.pods)
    checks = tuple(_checks(facts, around, bundle, ports))
    made = () if checks or isinstance(ports, str) else (_create(facts, around, bundle, ports, tool),)
    return Plan(
        target=facts.target,
        strategy="headless",
        title=f"Make a headless Service beside {facts.target.service}, for clients that balance by themselves",
        findings=cured_by("headless", report),
        why=tuple(why),
        create=made,
        wont=(
            f"It does not touch Service {facts.target.service}: clients that dial it go on as before.",
            "It balances nothing by itself: the clients have to dial the new name, with round_robin.",
        ),
        advice=client_advice(facts, exists=True),
        checks=checks,
    )


def _create(facts: Facts, around: Surroundings, bundle: Bundle, ports: Sequence[Port], tool: str) -> Create:
    return Create(
        manifest=_manifest(facts, around, bundle, ports, tool),
        why="DNS gives the address of every ready server by its name",
    )


def _manifest(facts: Facts, around: Surroundings, bundle: Bundle, ports: Sequence[Port], tool: str) -> Manifest:
    original = around.service["spec"]
    spec: dict[str, Any] = {
        "clusterIP": "None",
        "selector": original["selector"],
        "ports": headless_ports(ports),
    }
    spec |= {key: original[key] for key in ("ipFamilies", "ipFamilyPolicy") if key in original}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": bundle.headless,
            "namespace": facts.target.namespace,
            "labels": {**bundle.labels, PART_LABEL: FOR_CLIENTS},
            "annotations": {"grpclb/tool": tool},
        },
        "spec": spec,
    }


def _checks(facts: Facts, around: Surroundings, bundle: Bundle, ports: tuple[Port, ...] | str) -> Iterator[Check]:
    if not facts.service.selector:
        yield _refuse(
            "type",
            "The Service has no selector, so a headless one beside it would find no pods.",
            "Let clients dial what its endpoints are made from.",
        )
    elif facts.service.headless:
        yield Check(
            level="warn",
            name="type",
            message="The Service is headless already, so there is nothing to make: its own name gives every address.",
            do="Change the clients as this plan says for each language.",
        )
    if isinstance(ports, str):
        yield _refuse(
            "ports",
            f"Clients have to dial the pods' own port, and it cannot be told: {ports}",
            "Let the container port have the same number in all pods.",
        )
    if f"Service/{bundle.headless}" in around.taken:
        yield _refuse(
            "names",
            f"Service/{bundle.headless} exists already and is not of this tool's making.",
            "Rename or delete it.",
        )


def _refuse(name: str, message: str, do: str) -> Check:
    return Check(level="refuse", name=name, message=message, do=do)
