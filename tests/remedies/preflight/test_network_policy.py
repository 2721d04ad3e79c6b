"""NetworkPolicies: every connection that the cut-over brings about, and who would cut it."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.kube import NetworkPolicy
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.remedies.preflight.network_policy import check
from tests.remedies.builders import INTENT, around, known, policy
from tests.rules.builders import connection, facts, pod, sockets
from tests.shop import callers

ENVOY = {"matchLabels": {"grpclb/part": "envoy"}}
SERVERS = {"matchLabels": {"app": "greeter"}}
CALLERS = {"podSelector": {"matchLabels": {"app": "caller"}}}
DNS = {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}
SAME = {"podSelector": ENVOY}
"""Envoy's own pods: the proof goes from one of them to another."""
DENY_INGRESS = policy("default-deny", podSelector={}, policyTypes=["Ingress"])


def found(*policies: NetworkPolicy, **changes: Any) -> list[Check]:
    return list(check(known(), around(policies=policies, **changes), INTENT))


def refusals(*policies: NetworkPolicy, **changes: Any) -> list[str]:
    return [each.message for each in found(*policies, **changes) if each.level == "refuse"]


def warnings(*policies: NetworkPolicy, **changes: Any) -> list[str]:
    return [each.message for each in found(*policies, **changes) if each.level == "warn"]


def admits(name: str, selector: object, *peers: object, port: object = 50051) -> NetworkPolicy:
    rule = {"from": list(peers), "ports": [{"port": port}]}
    return policy(name, podSelector=selector, policyTypes=["Ingress"], ingress=[rule])


def lets_out(selector: object, *rules: object) -> NetworkPolicy:
    return policy("egress", podSelector=selector, policyTypes=["Egress"], egress=list(rules))


def test_the_proof_is_shut_out_of_envoy_where_only_clients_are_let_in() -> None:
    let_in, to_servers = admits("envoy", ENVOY, CALLERS), admits("servers", SERVERS, {"podSelector": ENVOY})

    (said,) = [each for each in found(DENY_INGRESS, let_in, to_servers) if each.level == "refuse"]

    assert "no rule lets Envoy's pods reach each other on port 50051" in said.message
    assert (
        '{"from":[{"podSelector":{"matchLabels":{"grpclb/service":"greeter","grpclb/part":"envoy"}}}],'
        '"ports":[{"port":50051,"protocol":"TCP"}]}' in said.do
    )


def test_the_proof_is_kept_from_getting_out_where_envoy_may_only_reach_servers_and_dns() -> None:
    (said,) = found(lets_out(ENVOY, {"to": [{"podSelector": SERVERS}]}, DNS))

    assert (said.level, "no rule lets Envoy's pods reach each other on port 50051" in said.message) == ("refuse", True)
    assert (
        '{"to":[{"podSelector":{"matchLabels":{"grpclb/service":"greeter","grpclb/part":"envoy"}}}],'
        '"ports":[{"port":50051,"protocol":"TCP"}]}' in said.do
    )


def test_what_is_advised_for_clients_lets_the_proof_in_too() -> None:
    first = next(each for each in found(DENY_INGRESS) if "in on port 50051" in each.message)

    assert '{"matchLabels":{"app":"caller"}}},{"podSelector":{"matchLabels":{"grpclb/service":"greeter"' in first.do


def test_an_address_block_may_be_envoys_whose_addresses_are_not_known_yet() -> None:
    blocks = {"ipBlock": {"cidr": "10.0.0.0/8"}}
    shut = found(DENY_INGRESS, admits("all", {}, blocks, CALLERS))

    assert [each.level for each in shut] == ["warn", "warn"]


def test_without_policies_nothing_is_in_the_way() -> None:
    assert found() == []


def test_policies_that_could_not_be_read_are_warned_of() -> None:
    refused = around(policies=Gap(GapReason.FORBIDDEN, "networkpolicies is forbidden"))

    (warning,) = check(known(), refused, INTENT)

    assert (warning.level, "networkpolicies is forbidden" in warning.message) == ("warn", True)


def test_a_policy_that_isolates_every_pod_shuts_clients_out_of_envoy() -> None:
    first = refusals(DENY_INGRESS)[0]

    assert "NetworkPolicy default-deny would isolate Envoy's pods" in first
    assert "no rule lets caller-5d6c7b8f9-aaaaa and caller-5d6c7b8f9-bbbbb in on port 50051" in first


def test_a_rule_for_the_clients_that_selects_envoy_is_enough() -> None:
    let_in = admits("envoy", ENVOY, SAME, CALLERS)
    to_servers = admits("servers", SERVERS, {"podSelector": ENVOY})

    assert refusals(DENY_INGRESS, let_in, to_servers) == []


@pytest.mark.parametrize(("port", "shut"), [("grpc", True), (50051, False), (8080, True)])
def test_a_named_port_is_resolved_in_envoys_pods_and_a_wrong_one_opens_nothing(port: object, shut: bool) -> None:
    said = refusals(admits("envoy", ENVOY, SAME, CALLERS, port=port))

    assert bool(said) is shut


def test_a_named_port_that_envoys_container_has_too_opens_it() -> None:
    intent = replace(INTENT, port_names={"grpc": 50051})
    here = around(policies=(admits("envoy", ENVOY, SAME, CALLERS, port="grpc"),))

    assert [each for each in check(known(), here, intent) if each.level == "refuse"] == []


def test_a_range_of_ports_opens_those_within() -> None:
    ranged = {"from": [CALLERS, SAME], "ports": [{"port": 50000, "endPort": 51000}]}

    assert refusals(policy("envoy", podSelector=ENVOY, ingress=[ranged])) == []


def test_a_policy_of_the_bundle_lets_everybody_in() -> None:
    intent = replace(INTENT, own_policy=True)
    here = around(policies=(DENY_INGRESS, admits("servers", SERVERS, {"podSelector": ENVOY})))

    assert [each for each in check(known(), here, intent) if each.level == "refuse"] == []


def test_servers_that_admit_only_their_clients_shut_envoy_out() -> None:
    (said,) = [each for each in found(admits("greeter", SERVERS, CALLERS)) if each.level == "refuse"]

    assert "greeter-7c9f8d5b6-b8v2n are isolated for ingress by NetworkPolicy greeter" in said.message
    assert (
        '{"from":[{"podSelector":{"matchLabels":{"grpclb/service":"greeter","grpclb/part":"envoy"}}}],'
        '"ports":[{"port":50051,"protocol":"TCP"}]}' in said.do
    )


def test_what_guards_only_the_servers_is_warned_of_as_passed_by() -> None:
    both = admits("greeter", SERVERS, CALLERS, {"podSelector": ENVOY})

    assert ["anybody may reach the servers through Envoy" in said for said in warnings(both)] == [True]


def test_clients_that_may_only_talk_to_the_servers_are_cut_off() -> None:
    restricted = lets_out({"matchLabels": {"app": "caller"}}, {"to": [{"podSelector": SERVERS}]}, DNS)

    (said,) = refusals(restricted)

    assert "caller-5d6c7b8f9-aaaaa and caller-5d6c7b8f9-bbbbb are isolated for egress by NetworkPolicy egress" in said


def test_envoy_without_a_way_to_dns_is_refused() -> None:
    said = refusals(lets_out(ENVOY, {"to": [{"podSelector": SERVERS}, SAME]}))

    assert ["port 53" in each for each in said] == [True]


def test_envoy_without_a_way_to_the_servers_is_refused() -> None:
    said = refusals(lets_out(ENVOY, {"to": [SAME]}, DNS))

    assert ["no rule lets Envoy reach greeter-7c9f8d5b6-x2x9k" in each for each in said] == [True]


def test_dns_over_udp_alone_is_warned_of() -> None:
    udp = {"ports": [{"port": 53, "protocol": "UDP"}]}
    said = found(lets_out(ENVOY, {"to": [{"podSelector": SERVERS}, SAME]}, udp))

    assert [each.level for each in said] == ["warn"]
    assert "UDP only" in said[0].message


def test_dns_at_an_address_may_be_the_clusters_or_not() -> None:
    node_local = {"to": [{"ipBlock": {"cidr": "169.254.20.10/32"}}], **DNS}

    (said,) = warnings(lets_out(ENVOY, {"to": [{"podSelector": SERVERS}, SAME]}, node_local))

    assert "cannot be told" in said


def test_dns_in_its_namespace_by_name_is_known() -> None:
    by_name = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}

    assert found(lets_out(ENVOY, {"to": [{"podSelector": SERVERS}, SAME]}, {"to": [by_name], **DNS})) == []


def elsewhere() -> tuple[kube.Pod, ...]:
    moved = [{**each, "metadata": {**each["metadata"], "namespace": "web"}} for each in callers()]
    return tuple(msgspec.convert(each, kube.Pod) for each in moved)


def test_clients_elsewhere_are_let_in_by_their_namespaces_name() -> None:
    web = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "web"}}}

    assert refusals(admits("envoy", ENVOY, SAME, web), clients=elsewhere()) == []


def test_clients_elsewhere_are_doubtful_where_other_labels_of_their_namespace_decide() -> None:
    team = {"namespaceSelector": {"matchLabels": {"team": "web"}}}
    said = warnings(admits("envoy", ENVOY, SAME, team), clients=elsewhere())

    assert "whether caller-5d6c7b8f9-aaaaa and caller-5d6c7b8f9-bbbbb may come in" in said[0]


def test_a_pod_selector_alone_means_the_policys_own_namespace() -> None:
    assert len(refusals(admits("envoy", ENVOY, SAME, CALLERS), clients=elsewhere())) == 1


def test_policies_of_the_clients_namespaces_are_said_to_be_unread() -> None:
    said = warnings(admits("envoy", ENVOY, SAME), clients=elsewhere())

    assert ["policies there were not read" in each for each in said] == [True]


def test_an_address_block_decides_for_addresses_but_not_for_pods() -> None:
    everywhere = admits("envoy", ENVOY, SAME, {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.9.0.0/16"]}})
    outside = facts([pod(11, sockets([connection("192.0.2.7")]))])
    outside = replace(outside, clients=tuple(replace(each, kind="Address") for each in outside.clients))

    assert list(check(outside, around(policies=(everywhere,), clients=()), INTENT)) == []
    assert ["address blocks" in each for each in warnings(everywhere)] == [True]


def test_without_a_client_to_try_a_rule_that_opens_the_port_is_only_warned_of() -> None:
    here = around(policies=(admits("envoy", ENVOY, SAME, CALLERS),), clients=())

    (said,) = check(known(0, 0, 0), here, INTENT)

    assert (said.level, "none is connected now" in said.message) == ("warn", True)


def test_servers_on_the_nodes_network_are_beyond_policies() -> None:
    hosts = tuple(replace(each, spec=replace(each.spec, host_network=True)) for each in around().pods)

    assert refusals(admits("greeter", SERVERS, CALLERS), pods=hosts) == []
