"""Who the clients are: pods, whatever addresses they connect from."""

from typing import Any

from kubectl_grpclb.model.snapshot import List
from tests.fake_cluster import FakeCluster, printed
from tests.probes.asked import facts_of, read
from tests.shop import PODS, callers, cluster_of, look, pod, servers

FIRST, SECOND = "10.244.1.21", "fd00:1::21"
BY_IPV6 = printed(
    look("10.244.0.12", ["PEER"]).replace("tcp 0 0 10.244.0.12:50051 PEER", f"tcp6 0 0 fd00::12:50051 {SECOND}:40002")
)


def dual_stack(client: dict[str, Any]) -> FakeCluster:
    """A client that is connected to the first pod over IPv4, and to the second over IPv6."""
    client["status"]["podIPs"] = [{"ip": FIRST}, {"ip": SECOND}]
    looks = {
        PODS[0]: printed(look("10.244.0.11", [f"{FIRST}:40001"])),
        PODS[1]: BY_IPV6,
        PODS[2]: printed(look("10.244.0.13", [])),
    }
    backends = servers()
    return cluster_of(backends, looks, pods=[*backends, client])


def elsewhere() -> dict[str, Any]:
    client = pod("checkout-6b7f9c8d4-k2k2k", FIRST, app="checkout")
    client["metadata"]["namespace"] = "shipping"
    return client


def test_a_pod_that_connects_over_ipv4_and_ipv6_is_one_client() -> None:
    (client,) = facts_of(dual_stack(callers()[0])).clients

    assert (client.ip, client.also, client.pods) == (FIRST, (SECOND,), (PODS[1], PODS[0]))
    assert (client.connections, client.lasting) == (2, 2)


def test_a_pod_of_another_namespace_is_found_by_its_second_address_too() -> None:
    (client,) = facts_of(dual_stack(elsewhere())).clients

    assert (client.namespace, client.addresses) == ("shipping", (FIRST, SECOND))


def test_all_pods_are_asked_for_only_where_an_address_may_be_a_second_one() -> None:
    cluster = dual_stack(elsewhere())
    strange = printed(look("10.244.0.12", ["203.0.113.7:40002"]))
    without = cluster_of(
        servers(), {name: strange if name == PODS[1] else printed(look("10.244.0.11", [])) for name in PODS}
    )

    asked, spared = ([each.request for each in read(one).readings] for one in (cluster, without))

    assert List(resource="pods") in asked
    assert List(resource="pods") not in spared
