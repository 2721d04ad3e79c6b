"""The Service's ports: which can go through Envoy, and as what."""

from collections.abc import Iterable, Mapping
from typing import Any

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.model.words import names
from kubectl_grpclb.remedies.preflight.intent import Intent

__all__ = ["check_all", "check_named"]


def check_named(facts: Facts, _: Surroundings, __: Intent) -> Iterable[Check]:
    """Refuse a named target port that is not the same number in all pods: the headless Service has but one."""
    numbers = sorted({pod.target_port for pod in facts.pods if pod.target_port is not None})
    if len(numbers) < 2:
        return
    name = facts.service.port.target if facts.service.port else ""
    yield Check(
        level="refuse",
        name="named-ports",
        message=f"The target port {name} is a different number in different pods ({names(list(map(str, numbers)))}). "
        "Envoy finds the servers' addresses in DNS, which gives no ports, so it can dial only one number.",
        do="Let the container port have the same number in all pods that the Service selects.",
    )


def check_all(facts: Facts, around: Surroundings, _: Intent) -> Iterable[Check]:
    """Refuse what is not TCP; warn of what becomes TCP through Envoy."""
    ports: list[Mapping[str, Any]] = around.service.get("spec", {}).get("ports") or []
    foreign = [port for port in ports if port.get("protocol", "TCP") != "TCP"]
    grpc = facts.service.port.number if facts.service.port else None
    others = [port for port in ports if port.get("protocol", "TCP") == "TCP" and port.get("port") != grpc]
    if foreign:
        yield Check(
            level="refuse",
            name="ports",
            message=f"The Service has {_ports(foreign)}. A Service's selector holds for all its ports, and this one "
            "cannot be passed through Envoy, so it would lead nowhere.",
            do="Give it a Service of its own with the same selector, and let its clients use that.",
        )
    if others:
        yield Check(
            level="warn",
            name="ports",
            message=f"{_ports(others)} of the Service {'goes' if len(others) == 1 else 'go'} through Envoy too, as "
            "plain TCP. What reached one pod by it reaches any pod now, and a scrape of metrics through the Service's "
            "endpoints finds Envoys instead of servers.",
            do="Let such scrapes go to the pods themselves (a PodMonitor), or give the port a Service of its own.",
        )


def _ports(ports: Iterable[Mapping[str, Any]]) -> str:
    return names([" ".join(filter(None, ("port", str(each.get("port")), _called(each)))) for each in ports])


def _called(port: Mapping[str, Any]) -> str:
    inside = ", ".join(
        filter(None, (port.get("name", ""), "" if port.get("protocol", "TCP") == "TCP" else port["protocol"]))
    )
    return f"({inside})" if inside else ""
