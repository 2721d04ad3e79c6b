"""From what a cluster answers to facts, by way of a snapshot."""

import asyncio
from typing import Any

import pytest

from kubectl_grpclb.model.errors import ClusterError, NotPermittedError
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Exec, Refused, decode_snapshot, encode_snapshot
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.derive import derive
from kubectl_grpclb.probes.gather import gather
from tests.fake_cluster import printed
from tests.probes.asked import facts_of, gap, peers, read
from tests.shop import (
    CALLERS,
    OLD,
    PODS,
    callers,
    cluster_of,
    endpoint,
    look,
    pod,
    servers,
    service,
    slice_of,
    sticky,
)

FORBIDDEN = Refused(GapReason.FORBIDDEN, 'User "ann" cannot do that', 403)


def test_each_connection_is_counted_on_the_pod_that_holds_it() -> None:
    facts = facts_of(sticky())

    assert peers(facts, PODS[0]) == ["10.244.1.21", "10.244.1.22"]
    assert peers(facts, PODS[1]) == []


def test_clients_are_named_with_their_owner_and_the_pods_they_reach() -> None:
    facts = facts_of(sticky())

    assert [(client.name, client.owner, client.pods) for client in facts.clients] == [
        (CALLERS[0], "Deployment/caller", (PODS[0],)),
        (CALLERS[1], "Deployment/caller", (PODS[0],)),
    ]


def test_a_snapshot_that_went_through_a_file_gives_the_same_facts() -> None:
    snapshot = read(sticky())

    assert derive(decode_snapshot(encode_snapshot(snapshot))) == derive(snapshot)


def test_a_pod_tells_its_age_node_zone_and_owner() -> None:
    first = facts_of(sticky()).pods[0]

    assert (first.age, first.node, first.zone, first.owner) == (3600.0, "node-a", "zone-a", "Deployment/greeter")


def test_the_cluster_domain_is_asked_of_a_pods_search_list() -> None:
    elsewhere = printed(look("10.244.0.11", []).replace("cluster.local", "corp.example"))

    assert facts_of(cluster_of(servers((OLD,)), {PODS[0]: elsewhere})).cluster_domain == "corp.example"


def test_a_snapshot_says_that_a_probe_runs_a_command_and_not_which() -> None:
    backends = servers((OLD,))
    backends[0]["spec"]["containers"][0]["readinessProbe"] = {"exec": {"command": ["/bin/check", "--token=s3cret"]}}

    file = encode_snapshot(read(cluster_of(backends, {}))).decode()

    assert '"exec": {}' in file
    assert "/bin/check" not in file


def test_a_pod_whose_exec_is_denied_is_a_gap_with_the_rule_that_allows_it() -> None:
    facts = facts_of(sticky(looks={PODS[0]: FORBIDDEN}))

    rule = 'apiGroups: [""], resources: ["pods/exec"], verbs: ["get", "create"]'
    assert gap(facts, PODS[0]) == Gap(GapReason.FORBIDDEN, FORBIDDEN.message, rule)


def test_a_pod_that_goes_away_meanwhile_is_a_gap_and_the_others_are_read() -> None:
    facts = facts_of(sticky(looks={PODS[2]: Refused(GapReason.DIED, "pod is gone", 404)}))

    assert gap(facts, PODS[2]).reason is GapReason.DIED
    assert len(peers(facts, PODS[0])) == 2


def test_where_one_container_has_no_shell_the_next_is_asked() -> None:
    backends = servers()
    backends[0]["status"]["containerStatuses"].append({"name": "helper", "state": {"running": {}}})
    cluster = cluster_of(
        backends,
        {
            f"{PODS[0]}/main": Refused(GapReason.NO_SHELL, "no such file: sh"),
            f"{PODS[0]}/helper": printed(look("10.244.0.11", ["10.244.1.21:40001"])),
        },
    )

    assert peers(facts_of(cluster), PODS[0]) == ["10.244.1.21"]


def test_every_running_container_is_asked_the_applications_first_and_a_meshs_proxy_last() -> None:
    def running(name: str) -> dict[str, Any]:
        return {"name": name, "state": {"running": {}}}

    backends = servers((OLD,))
    backends[0]["status"] |= {
        "initContainerStatuses": [running("istio-proxy"), running("vault-agent"), {"name": "migrate", "state": {}}],
        "ephemeralContainerStatuses": [running("debugger-7xk2p")],
    }
    cluster = cluster_of(backends, {PODS[0]: Refused(GapReason.NO_SHELL, "no such file: sh")})

    read(cluster)

    asked = [each.container for each in cluster.requests if isinstance(each, Exec)]
    assert asked == ["main", "vault-agent", "debugger-7xk2p", "istio-proxy"]


def test_a_container_that_answers_is_the_last_one_asked() -> None:
    backends = servers()
    backends[0]["status"]["containerStatuses"].append({"name": "helper", "state": {"running": {}}})
    cluster = cluster_of(backends, {PODS[0]: printed(look("10.244.0.11", []))})

    read(cluster)

    asked = [each.container for each in cluster.requests if isinstance(each, Exec) and each.pod == PODS[0]]
    assert asked == ["main"]


def test_a_named_target_port_is_resolved_pod_by_pod() -> None:
    backends = servers()
    slices = [
        slice_of([endpoint(backends[0])], name="greeter-aaaaa", port=50051),
        slice_of([endpoint(backends[1])], name="greeter-bbbbb", port=50052),
    ]
    looks = {
        PODS[0]: printed(look("10.244.0.11", ["10.244.1.21:40001"])),
        PODS[1]: printed(look("10.244.0.12", ["10.244.1.22:40001"], port=50052)),
    }

    facts = facts_of(cluster_of(backends[:2], looks, endpointslices=slices))

    assert [each.target_port for each in facts.pods] == [50052, 50051]
    assert peers(facts, PODS[1]) == ["10.244.1.22"]


def test_a_pod_without_the_ports_name_says_which_ports_it_declares() -> None:
    backends = servers()
    backends[2]["spec"]["containers"][0]["ports"] = [{"name": "rpc", "containerPort": 50051}]
    slices = [
        slice_of([endpoint(each) for each in backends[:2]]),
        slice_of([endpoint(backends[2])], name="greeter-noport", port=None),
    ]

    found = next(
        each for each in facts_of(cluster_of(backends, {}, endpointslices=slices)).pods if each.name == PODS[2]
    )

    assert (found.target_port, found.declares) == (None, ("rpc 50051",))


def test_a_pod_of_a_headless_service_is_looked_at_on_the_number_that_clients_dial_also_without_the_ports_name() -> None:
    backends = servers()
    slices = [
        slice_of([endpoint(each) for each in backends[:2]]),
        slice_of([endpoint(backends[2])], name="greeter-noport", port=None),
    ]
    looks = {PODS[2]: printed(look("10.244.0.13", ["10.244.1.21:40001"]))}

    facts = facts_of(
        cluster_of(backends, looks, services=[service(clusterIP="None")], endpointslices=slices),
    )

    assert peers(facts, PODS[2]) == ["10.244.1.21"]


def test_both_address_families_of_a_pod_are_one_pod() -> None:
    backends = servers()
    backends[0]["status"]["podIPs"] = [{"ip": "10.244.0.11"}, {"ip": "fd00::b"}]
    six = {**endpoint(backends[0]), "addresses": ["fd00::b"]}
    slices = [slice_of([endpoint(backends[0])]), {**slice_of([six], name="greeter-six"), "addressType": "IPv6"}]
    looks = {PODS[0]: printed(look("10.244.0.11", ["10.244.1.21:40001"]))}

    facts = facts_of(cluster_of(backends[:1], looks, endpointslices=slices))

    assert [each.name for each in facts.pods] == [PODS[0]]


def test_an_endpoint_without_a_pod_is_a_gap() -> None:
    outside = {"addresses": ["192.0.2.10"], "conditions": {"ready": True}}

    facts = facts_of(cluster_of([], {}, services=[service(selector=None)], endpointslices=[slice_of([outside])]))

    assert gap(facts, "192.0.2.10").reason is GapReason.NOT_A_POD


def test_a_pod_that_was_deleted_after_its_endpoint_was_read_is_not_ready_any_more() -> None:
    backends = servers()

    facts = facts_of(sticky(pods=[*backends[:2], *callers()]))
    gone = next(each for each in facts.pods if each.name == PODS[2])

    assert (gone.ready, gone.serving, gone.terminating) == (False, False, True)
    assert gone.sockets == Gap(GapReason.DIED, "the pod was deleted meanwhile")


def test_an_endpoint_that_refers_to_a_pod_elsewhere_is_not_one_that_was_deleted() -> None:
    backends = servers((OLD,))
    elsewhere = endpoint(backends[0])
    elsewhere["targetRef"]["namespace"] = "shipping"

    facts = facts_of(
        cluster_of(backends, {}, services=[service(selector=None)], endpointslices=[slice_of([elsewhere])])
    )

    assert (facts.pods[0].ready, gap(facts, PODS[0]).reason) == (True, GapReason.NOT_A_POD)


def test_a_pod_that_is_not_running_is_not_asked() -> None:
    waiting = pod(
        PODS[0],
        "10.244.0.11",
        phase="Pending",
        containerStatuses=[{"name": "main", "state": {"waiting": {"reason": "ImagePullBackOff"}}}],
    )

    facts = facts_of(cluster_of([waiting], {}, endpointslices=[slice_of([endpoint(waiting, ready=False)])]))

    assert gap(facts, PODS[0]).reason is GapReason.UNREAD
    assert facts.pods[0].waiting == "ImagePullBackOff"


def test_where_nothing_matches_the_selector_the_nearest_pods_are_given() -> None:
    cluster = cluster_of(servers(), {}, services=[service(selector={"app": "greeters"})], endpointslices=[])

    facts = facts_of(cluster)

    assert [(like.owner, like.differing) for like in facts.lookalikes] == [("Deployment/greeter", {"app": "greeter"})]


def test_pods_that_match_but_have_ended_are_given_with_how() -> None:
    evicted = pod(PODS[0], "10.244.0.11", phase="Failed", reason="Evicted", containerStatuses=[])
    state = {"terminated": {"reason": "Completed"}}
    done = pod(PODS[1], "10.244.0.12", phase="Succeeded", containerStatuses=[{"name": "main", "state": state}])

    facts = facts_of(cluster_of([evicted, done], {}, endpointslices=[]))

    assert (facts.pods, [each.how for each in facts.ended]) == ((), ["Succeeded: Completed", "Failed: Evicted"])


def test_the_owners_replicas_are_read() -> None:
    assert facts_of(sticky()).replicas == 3


def test_clients_are_looked_for_in_the_services_namespace_where_no_other_may_be_read() -> None:
    facts = facts_of(sticky(refused={"*/pods": FORBIDDEN, "*/nodes": FORBIDDEN}))

    assert [client.name for client in facts.clients] == list(CALLERS)
    assert [refusal.request for refusal in facts.refusals] == ["list nodes", "list pods in every namespace"]


def test_a_service_that_does_not_exist_is_answered_with_the_nearest_names() -> None:
    cluster = sticky()

    with pytest.raises(ClusterError, match='"greter" does not exist in namespace "shop"; did you mean greeter'):
        asyncio.run(gather(cluster, Ask(namespace="shop", service="greter")))


def test_a_namespace_that_does_not_exist_is_answered_with_the_nearest_names() -> None:
    with pytest.raises(ClusterError, match='namespace "shopp" does not exist; did you mean shop'):
        asyncio.run(gather(sticky(), Ask(namespace="shopp", service="greeter")))


def test_a_service_that_may_not_be_read_names_the_rule_that_would_allow_it() -> None:
    with pytest.raises(NotPermittedError, match="endpointslices"):
        read(sticky(refused={"endpointslices": FORBIDDEN}))


def test_pods_are_listed_ready_first() -> None:
    backends = servers()
    slices = [slice_of([endpoint(backends[0], ready=False), endpoint(backends[1]), endpoint(backends[2])])]

    facts = facts_of(cluster_of(backends, {}, endpointslices=slices))

    assert [each.ready for each in facts.pods] == [True, True, False]


def test_an_age_is_measured_from_creation() -> None:
    assert [each.age for each in facts_of(cluster_of(servers((OLD,)), {})).pods] == [3600.0]
