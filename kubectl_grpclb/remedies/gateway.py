"""A GRPCRoute, for clusters where somebody runs a Gateway API implementation already."""

from collections.abc import Sequence
from typing import Any

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.model.plan import Advice, Check, Manifest, Plan
from kubectl_grpclb.model.yaml_text import yaml_text
from kubectl_grpclb.remedies.cures import cured_by
from kubectl_grpclb.remedies.words import declare_protocol

__all__ = ["grpc_route", "plan_gateway"]

_GATEWAY = "NAME-OF-YOUR-GATEWAY"
_GATEWAY_NAMESPACE = "NAMESPACE-OF-YOUR-GATEWAY"


def plan_gateway(facts: Facts, report: Report, why: Sequence[str], *, gateway_api: bool, service: Manifest) -> Plan:
    """Plan nothing, and show the route to fill in. Which Gateway is the right one only its owners know."""
    target = facts.target
    route = yaml_text(grpc_route(facts))
    apply = facts.aim.flags.kubectl("apply", namespace=None, options=("-f", "-"))
    return Plan(
        target=target,
        strategy="gateway",
        title=f"Route the calls of {target.service} through a Gateway that is there already",
        findings=cured_by("gateway", report),
        why=tuple(why),
        wont=("It creates nothing: which Gateway is the right one cannot be seen from here.",),
        advice=(
            Advice(title=f"The route: fill in the Gateway's name, then {apply}", lines=tuple(route.splitlines())),
            _needs(facts, service),
        ),
        checks=() if gateway_api else (_missing(),),
    )


def grpc_route(facts: Facts) -> Manifest:
    """Give a GRPCRoute that takes every call of the Gateway's listener to the Service's pods.

    Without matches a rule takes all calls (gateway.networking.k8s.io/v1, GRPCRouteRule).
    """
    target = facts.target
    backend: dict[str, Any] = {"name": target.service}
    if target.port is not None:
        backend["port"] = target.port
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "GRPCRoute",
        "metadata": {"name": target.service, "namespace": target.namespace},
        "spec": {
            "parentRefs": [{"name": _GATEWAY, "namespace": _GATEWAY_NAMESPACE}],
            "hostnames": [f"{target.service}.example.com"],
            "rules": [{"backendRefs": [backend]}],
        },
    }


def _needs(facts: Facts, service: Manifest) -> Advice:
    lines = [
        "A Gateway whose implementation supports GRPCRoute and whose listener admits routes of namespace",
        f"{facts.target.namespace} (allowedRoutes). This shows those that there are:",
        facts.aim.flags.kubectl("get", "gateways", namespace=None, options=("-A",)),
        "A listener of protocol HTTP takes gRPC without TLS, HTTPS takes it with TLS.",
        "The clients dial the Gateway's address with one of the hostnames, not the Service's any more;",
        "put a name there that resolves to it.",
    ]
    if facts.service.port is not None and facts.service.port.app_protocol is None:
        lines += [
            "The Gateway has to speak HTTP/2 to the pods; this says so (KEP-3726):",
            declare_protocol(facts, service, "kubernetes.io/h2c"),
        ]
    return Advice(title="What it needs", lines=tuple(lines))


def _missing() -> Check:
    return Check(
        level="refuse",
        name="gateway",
        message="The cluster does not serve GRPCRoute (gateway.networking.k8s.io/v1), so there is no Gateway to route "
        "through.",
        do="Use --strategy envoy, or install a Gateway API implementation such as Envoy Gateway first.",
    )
