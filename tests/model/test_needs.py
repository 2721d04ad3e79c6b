"""The table of permissions is whole, and the roles that are made of it grant each permission once."""

import pytest

from kubectl_grpclb.model.need import VERBS, Feature, Verb
from kubectl_grpclb.model.needs import NEEDS, lost_without
from kubectl_grpclb.model.prometheus import ProxiedService
from kubectl_grpclb.model.rbac import api_name, rule_for
from kubectl_grpclb.model.roles import Wants, roles_for
from kubectl_grpclb.model.snapshot import (
    AskChannelz,
    AskEnvoy,
    AskPrometheus,
    Exec,
    Get,
    List,
    OpenUp,
    Request,
    Scrape,
)

EVERYTHING = frozenset[Feature](
    {
        "metrics", "monitors", "channelz", "exec", "debug", "node", "prometheus",
        "envoy", "service", "recycle", "autoscale", "network-policy",
    }
)  # fmt: skip
POD = "greeter-7c9f8d5b6-x2x9k"


def wants(service: str | None = None, **others: object) -> Wants:
    everything = {"features": EVERYTHING, "prometheus": ProxiedService("monitoring", "prometheus:9090"), **others}
    return Wants(namespace="shop", service=service, **everything)  # type: ignore[arg-type]  # fields of Wants


def granted(verb: Verb, least: Wants) -> list[tuple[str | None, str, str, str, str]]:
    """Every permission of every role: namespace, group, resource, verb, name."""
    return [
        (role.namespace, rule.group, resource, each, name)
        for role in roles_for(verb, least)
        for rule in role.rules
        for resource in rule.resources
        for each in rule.verbs
        for name in rule.names or ("",)
    ]


@pytest.mark.parametrize("service", [None, "greeter"])
@pytest.mark.parametrize("verb", VERBS)
def test_a_role_grants_each_permission_once(verb: Verb, service: str | None) -> None:
    every = granted(verb, wants(service))

    assert len(every) == len(set(every))


@pytest.mark.parametrize("verb", VERBS)
def test_a_role_for_any_service_names_no_object_of_one(verb: Verb) -> None:
    assert {name for _, _, resource, _, name in granted(verb, wants()) if resource != "services/proxy"} == {""}


def test_a_role_for_one_service_writes_no_object_but_its_own() -> None:
    written = {
        (resource, name)
        for _, _, resource, verb, name in granted("fix", wants("greeter", features=EVERYTHING - {"recycle"}))
        if verb in {"create", "patch", "update", "delete"} and "/" not in resource
    }

    assert {name for _, name in written} - {""} == {
        "greeter",
        "greeter-grpclb",
        "greeter-grpclb-pods",
        "greeter-grpclb-envoy",
    }
    assert {resource for resource, name in written if not name} == {"leases"}


def test_flags_that_are_not_given_add_nothing() -> None:
    plain = wants(features=frozenset[Feature]({"metrics", "channelz", "exec"}), prometheus=None)

    resources = {resource for _, _, resource, _, _ in granted("diagnose", plain)}

    assert resources & {"pods/ephemeralcontainers", "services/proxy", "podmonitors"} == set()
    assert {verb for _, _, resource, verb, _ in granted("diagnose", plain) if resource == "pods"} == {"list"}


def test_a_source_that_is_named_is_no_option() -> None:
    roles = roles_for("diagnose", wants(features=frozenset[Feature]({"exec"}), chosen=frozenset[Feature]({"exec"})))

    (rule,) = (rule for role in roles for rule in role.rules if rule.resources == ("pods/exec",))

    assert rule.without == ()


def test_looks_from_nodes_and_restarts_are_where_their_pods_are() -> None:
    least = wants(node_namespace="looks", clients=("web", "batch"))

    assert {
        where for where, _, resource, verb, _ in granted("diagnose", least) if (resource, verb) == ("pods", "create")
    } == {"looks"}
    assert {where for where, _, resource, _, _ in granted("fix", least) if resource == "daemonsets"} == {"web", "batch"}


@pytest.mark.parametrize(
    "request_",
    [
        Get("services", "greeter", "shop"),
        Get("deployments", "greeter", "shop"),
        List("endpointslices", "shop"),
        List("pods"),
        List("nodes"),
        List("podmetrics", "shop"),
        List("horizontalpodautoscalers", "shop"),
        List("podmonitors", "shop"),
        Exec("shop", POD, "greeter", ("sh",), 5.0),
        AskChannelz("shop", POD, 50051, 0.0, 5.0),
        AskEnvoy("shop", "greeter-grpclb-envoy-6b7f9c8d4-e1e1e", "/clusters", 5.0),
        Scrape("shop", POD, 9090, "/metrics", (), 5.0),
        AskPrometheus("svc/monitoring/prometheus:9090", "up", 5.0),
        OpenUp("shop", POD, "grpclb-look", "busybox:1.37.0"),
    ],
    ids=rule_for,
)
def test_the_rule_of_a_refusal_is_one_of_the_table(request_: Request) -> None:
    rules = {
        f'apiGroups: ["{group}"], resources: ["{name}"], verbs: [' + ", ".join(f'"{verb}"' for verb in need.verbs) + "]"
        for need in NEEDS
        for group, name in map(api_name, need.resources)
    }

    assert rule_for(request_) in rules


def test_every_optional_permission_says_what_is_lost_and_every_reason_is_a_sentence() -> None:
    assert all(need.why.endswith(".") and not need.without.endswith(".") for need in NEEDS)
    assert all(need.without for need in NEEDS if need.comfort)


def test_what_is_lost_of_a_read_is_what_the_table_says() -> None:
    assert lost_without("nodes", "cluster").startswith("zones are taken from EndpointSlices")
    assert lost_without("pods", "cluster") == "clients in other namespaces have no name"
    assert lost_without("pods", "service") == ""
