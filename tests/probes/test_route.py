"""Where the Service leads after a fix: through its Envoys to the servers, or past them."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from kubectl_grpclb.model import facts
from kubectl_grpclb.model.errors import NotPermittedError
from kubectl_grpclb.model.facts import Facts, Tier
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Get, List, Refused, Snapshot, decode_snapshot, encode_snapshot
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.derive import derive
from kubectl_grpclb.probes.gather import gather
from tests.fake_cluster import FakeCluster
from tests.shop import (
    CALLERS,
    CUT_OVER,
    ENVOYS,
    HEADLESS,
    PODS,
    bypassed,
    endpoint,
    envoys,
    headless,
    proxied,
    servers,
    service,
    slice_of,
    sticky,
)

FORBIDDEN = Refused(GapReason.FORBIDDEN, 'User "ann" cannot do that', 403)
BRIEF = 0.01
GUARDED = {f"services/{HEADLESS}": FORBIDDEN}


def read(cluster: FakeCluster, **ask: Any) -> Snapshot:
    return asyncio.run(gather(cluster, Ask(namespace="shop", service="greeter", window=BRIEF, **ask)))


def facts_of(cluster: FakeCluster) -> Facts:
    return derive(read(cluster))


def the_tier(found: Facts) -> Tier:
    (tier,) = found.tiers
    return tier


def test_without_a_fix_the_services_endpoints_are_the_servers_and_there_is_no_tier() -> None:
    found = facts_of(sticky())

    assert (found.bundle, found.tiers) == ("none", ())
    assert [pod.requests for pod in found.pods] == [None, None, None]


def test_without_a_fix_its_headless_service_is_asked_for_beside_the_first_reads_and_nothing_else_is() -> None:
    cluster = sticky()

    read(cluster)

    first, rest = cluster.requests[:4], cluster.requests[4:]
    assert Get("services", HEADLESS, "shop") in first
    assert not [each for each in rest if isinstance(each, Get | List) and each.resource == "services"]


def test_behind_a_fix_the_servers_are_the_headless_services_endpoints() -> None:
    found = facts_of(proxied())

    assert found.bundle == "in use"
    assert sorted(pod.name for pod in found.pods) == sorted(PODS)
    assert (found.target.port, found.target.target_port) == (80, 50051)
    assert all(pod.ready for pod in found.pods)


def test_a_fixs_envoys_are_a_tier_with_their_clients() -> None:
    tier = the_tier(facts_of(proxied()))

    assert (tier.name, tier.kind) == ("Deployment/greeter-grpclb-envoy", "Envoy")
    assert [(pod.name, pod.ready, pod.age, pod.node, pod.zone, pod.connections) for pod in tier.pods] == [
        (ENVOYS[0], True, 300.0, "node-a", "zone-a", 1),
        (ENVOYS[1], True, 300.0, "node-a", "zone-a", 2),
    ]


def test_the_envoys_are_no_clients_of_the_servers() -> None:
    assert facts_of(proxied()).clients == ()
    assert [client.name for client in facts_of(proxied(["10.244.1.21:40001"])).clients] == [CALLERS[0]]


def test_requests_of_all_envoys_are_added_up() -> None:
    assert [pod.requests for pod in facts_of(proxied()).pods] == [100, 100, 100]


def test_the_replicas_that_are_wanted_are_those_of_the_servers() -> None:
    assert facts_of(proxied()).replicas == 3


def test_a_snapshot_of_a_fix_that_went_through_a_file_gives_the_same_facts() -> None:
    snapshot = read(proxied())

    assert derive(decode_snapshot(encode_snapshot(snapshot))) == derive(snapshot)


def test_a_snapshot_has_the_oldest_schema_that_can_hold_it() -> None:
    by_exec = {"via": ("exec",)}

    assert (read(sticky(), **by_exec).schema, read(proxied(), **by_exec).schema, read(sticky()).schema) == (1, 2, 3)


def test_a_service_that_selects_its_servers_again_leads_past_the_fix() -> None:
    found = facts_of(bypassed())

    assert (found.bundle, found.tiers) == ("bypassed", ())
    assert [pod.name for pod in found.pods] == sorted(PODS)
    assert [client.name for client in found.clients] == list(CALLERS)


def test_a_service_that_selects_other_pods_leads_past_the_fix_too() -> None:
    other = servers()
    for each in other:
        each["metadata"]["labels"]["app"] = "greeter-v2"
    slices = [slice_of([endpoint(each) for each in other])]

    found = facts_of(bypassed(services=[service(selector={"app": "greeter-v2"}), headless()], pods=other,
                              endpointslices=slices))  # fmt: skip

    assert (found.bundle, len(found.pods)) == ("bypassed", 3)


def test_a_service_of_that_name_without_the_labels_is_none_of_ours() -> None:
    stranger = headless()
    stranger["metadata"] = {"name": HEADLESS, "namespace": "shop"}

    assert facts_of(sticky(services=[service(), stranger])).bundle == "none"


def test_where_the_headless_service_is_gone_the_servers_are_unknown_and_the_tier_is_told() -> None:
    found = facts_of(proxied(services=[service(selector=CUT_OVER)]))

    assert (found.bundle, found.pods) == ("in use", ())
    assert the_tier(found).servers is None
    assert [pod.name for pod in the_tier(found).pods] == list(ENVOYS)


def test_where_the_headless_service_may_not_be_read_the_servers_are_a_gap() -> None:
    found = facts_of(proxied(refused=GUARDED))

    assert the_tier(found).servers == Gap(GapReason.FORBIDDEN, FORBIDDEN.message)
    assert [each.request for each in found.refusals] == [f"get services {HEADLESS} in namespace shop"]


def test_a_headless_service_that_may_not_be_read_does_not_keep_from_looking() -> None:
    assert len(facts_of(sticky(refused=GUARDED)).pods) == 3


def test_the_service_itself_must_be_readable_as_before() -> None:
    with pytest.raises(NotPermittedError, match="services greeter "):
        read(sticky(refused={"services": FORBIDDEN}))


def test_a_cut_over_service_without_an_envoy_has_an_empty_tier() -> None:
    slices = [slice_of([endpoint(each) for each in servers()], name="behind", of=HEADLESS)]

    found = facts_of(proxied(pods=servers(), endpointslices=slices))

    assert (found.bundle, the_tier(found).pods, len(found.pods)) == ("in use", (), 3)


def test_an_envoy_that_is_not_ready_is_told_as_such() -> None:
    proxies = envoys()
    slices = [
        slice_of([endpoint(proxies[0]), endpoint(proxies[1], ready=False)]),
        slice_of([endpoint(each) for each in servers()], name="behind", of=HEADLESS),
    ]

    assert [pod.ready for pod in the_tier(facts_of(proxied(endpointslices=slices))).pods] == [True, False]


def test_of_several_ports_the_one_behind_has_the_name_of_the_one_that_is_diagnosed() -> None:
    two = [{"name": "admin", "port": 9090, "targetPort": 9090}, {"name": "grpc", "port": 80, "targetPort": 50051}]
    behind = [{"name": "admin", "port": 9090}, {"name": "grpc", "port": 50051}]

    found = facts_of(proxied(services=[service(selector=CUT_OVER, ports=two), headless(ports=behind)]))

    tier = the_tier(found)
    assert isinstance(tier.servers, facts.Service)
    assert tier.servers.port == facts.ServicePort(name="grpc", number=50051, target=50051, app_protocol=None)


def test_the_same_readings_in_another_order_give_the_same_facts() -> None:
    snapshot = read(proxied(["10.244.1.21:40001"]))
    first_looks_last = sorted(snapshot.readings, key=lambda reading: not isinstance(reading.request, Get | List))

    assert derive(replace(snapshot, readings=tuple(first_looks_last))) == derive(snapshot)
