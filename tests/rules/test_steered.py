"""Where the Service's own fields choose among the pods, chance is not said to do it."""

import pytest
from msgspec.structs import replace

from kubectl_grpclb.model.facts import Facts, Service
from kubectl_grpclb.rules import analyse
from tests.rules.builders import CLUSTER_IP, HEADLESS, codes, facts, lasting, of_counts, pod, the

LOCAL = replace(CLUSTER_IP, internal_traffic_policy="Local")
BALANCER = replace(CLUSTER_IP, type="LoadBalancer", external_traffic_policy="Local")
STEERED = [
    (LOCAL, "spec.internalTrafficPolicy of the Service is Local"),
    (replace(CLUSTER_IP, session_affinity=True), "spec.sessionAffinity of the Service is ClientIP"),
    (replace(CLUSTER_IP, traffic_distribution="PreferClose"), "spec.trafficDistribution of the Service is PreferClose"),
    (
        replace(CLUSTER_IP, traffic_distribution="PreferSameNode"),
        "spec.trafficDistribution of the Service is PreferSameNode",
    ),
]


@pytest.mark.parametrize(("service", "evidence"), STEERED)
def test_what_steers_connections_is_named_and_chance_is_not_blamed(service: Service, evidence: str) -> None:
    found = the(analyse(of_counts(4, 0, 0, service=service)), "GLB101")

    assert found.evidence[0] == evidence
    assert (found.confidence, "at random" in found.message) == ("low", False)


def test_pods_that_are_passed_over_on_purpose_are_not_said_to_wait_for_a_client_to_reconnect() -> None:
    found = the(analyse(of_counts(4, 0, 0, service=LOCAL)), "GLB101")

    assert "2 of 3 ready pods get nothing (greeter-7c9f8d5b6-00012 and greeter-7c9f8d5b6-00013). The" in found.message
    assert not [line for line in found.next if "restart" in line]


def test_how_often_chance_would_do_it_is_no_hint_at_something_else_where_that_is_known() -> None:
    assert "something else" not in the(analyse(of_counts(40, 0, 0, service=LOCAL)), "GLB101").message


def test_added_pods_may_be_passed_over_on_purpose_too() -> None:
    young = [pod(number, lasting(0), age=90.0) for number in (12, 13)]

    report = analyse(facts([pod(11, lasting(12)), *young], service=LOCAL))

    assert codes(report) == ["GLB104"]
    assert report.findings[0].confidence == "low"
    assert "internalTrafficPolicy is Local" in report.findings[0].message
    assert "until clients reconnect" not in report.findings[0].message


def from_node(found: Facts) -> Facts:
    return replace(found, clients=tuple(replace(client, kind="Node", name="node-a") for client in found.clients))


def test_the_policy_for_what_comes_from_outside_does_not_act_on_pods() -> None:
    inside, outside = of_counts(4, 0, 0, service=BALANCER), from_node(of_counts(4, 0, 0, service=BALANCER))

    assert the(analyse(inside), "GLB101").confidence == "medium"
    assert the(analyse(outside), "GLB101").evidence[0] == "spec.externalTrafficPolicy of the Service is Local"


def test_no_field_steers_clients_of_a_headless_service() -> None:
    young = [pod(number, lasting(0), age=90.0) for number in (12, 13)]
    held = replace(HEADLESS, internal_traffic_policy="Local", traffic_distribution="PreferClose")
    peers = [pod(number, lasting(0)) for number in (14, 15)]

    report = analyse(facts([pod(11, lasting(1)), *peers, *young], service=held))

    assert not [line for finding in report.findings for line in finding.evidence if line.startswith("spec.")]
