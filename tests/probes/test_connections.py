"""Whose connections a pod's are: those of clients, and not its own, a sidecar's or the kubelet's."""

from typing import Any

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.gap import GapReason
from tests.fake_cluster import printed
from tests.probes.asked import facts_of, gap, peers, sockets
from tests.shop import OLD, PODS, cluster_of, look, servers, sticky


def test_connections_in_one_look_only_do_not_last() -> None:
    once = look("10.244.0.11", ["10.244.1.21:40001"], later=["10.244.1.21:40001", "10.244.1.21:40009"])

    facts = facts_of(sticky(looks={PODS[0]: printed(once)}))

    assert [connection.lasting for connection in sockets(facts, PODS[0]).connections] == [True, False]
    assert sockets(facts, PODS[0]).passed == 1


def test_a_peer_with_the_pods_own_address_is_not_a_client() -> None:
    own = look("10.244.0.11", ["10.244.0.11:40001", "127.0.0.1:40002", "10.244.1.21:40003"])

    assert peers(facts_of(sticky(looks={PODS[0]: printed(own)})), PODS[0]) == ["10.244.1.21"]


def probed(number: int = 0) -> list[dict[str, Any]]:
    backends = servers()
    probe = {"grpc": {"port": 50051}, "periodSeconds": 5}
    backends[number]["spec"]["containers"][0]["readinessProbe"] = probe
    return backends


def test_a_nodes_short_connection_to_a_probed_port_is_the_kubelets() -> None:
    probe = look("10.244.0.11", [], later=["10.0.0.1:50000"])
    cluster = cluster_of(probed(), {PODS[0]: printed(probe)})

    found = sockets(facts_of(cluster), PODS[0])

    assert (found.connections, found.passed) == ((), 0)


def test_a_short_connection_from_the_pods_gateway_to_a_probed_port_is_the_kubelets() -> None:
    shown = look("10.244.0.11", [], later=["10.244.0.1:50000"]).replace(
        "#grpclb look 1", "#grpclb gateway 0100F40A\n#grpclb look 1"
    )

    found = sockets(facts_of(cluster_of(probed(), {PODS[0]: printed(shown)})), PODS[0])

    assert (found.connections, found.passed) == ((), 0)


def test_a_lasting_connection_from_the_pods_gateway_may_be_a_client() -> None:
    shown = look("10.244.0.11", ["10.244.0.1:50000"]).replace(
        "#grpclb look 1", "#grpclb gateway 0100F40A\n#grpclb look 1"
    )

    assert peers(facts_of(cluster_of(probed(), {PODS[0]: printed(shown)})), PODS[0]) == ["10.244.0.1"]


def test_more_short_connections_from_a_node_than_its_probes_explain_are_clients_behind_source_nat() -> None:
    first, later = ([f"10.0.0.1:{port}" for port in range(start, start + 20)] for start in (40000, 50000))

    found = sockets(
        facts_of(cluster_of(probed(), {PODS[0]: printed(look("10.244.0.11", first, later=later))})), PODS[0]
    )

    assert (len(found.connections), found.passed) == (20, 40)


def test_a_nodes_lasting_connection_may_be_a_client_behind_source_nat() -> None:
    lasting = look("10.244.0.11", ["10.0.0.1:50000"])
    cluster = cluster_of(probed(), {PODS[0]: printed(lasting)})

    facts = facts_of(cluster)

    assert peers(facts, PODS[0]) == ["10.0.0.1"]
    assert [(client.kind, client.name) for client in facts.clients] == [("Node", "node-a")]


def test_a_nodes_short_connection_to_a_port_that_is_not_probed_is_a_client() -> None:
    short = look("10.244.0.11", [], later=["10.0.0.1:50000"])

    assert peers(facts_of(sticky(looks={PODS[0]: printed(short)})), PODS[0]) == ["10.0.0.1"]


def test_what_a_probes_command_dials_inside_the_pod_is_no_client() -> None:
    backends = servers((OLD,))
    command = {"exec": {"command": ["/bin/grpc_health_probe", "-addr=:50051"]}, "periodSeconds": 5}
    backends[0]["spec"]["containers"][0] |= {"readinessProbe": command, "livenessProbe": command}

    facts = facts_of(cluster_of(backends, {PODS[0]: printed(look("10.244.0.11", [], accepted=9))}))

    assert sockets(facts, PODS[0]).opened == 1


def test_a_native_sidecars_probes_are_the_kubelets_too() -> None:
    backends = servers((OLD,))
    probe = {"httpGet": {"port": 15021}, "periodSeconds": 15}
    backends[0]["spec"]["initContainers"] = [{"name": "proxy", "restartPolicy": "Always", "readinessProbe": probe}]

    facts = facts_of(cluster_of(backends, {PODS[0]: printed(look("10.244.0.11", [], accepted=1))}))

    assert sockets(facts, PODS[0]).opened == 0


def meshed() -> list[dict[str, Any]]:
    backends = servers()
    backends[0]["spec"]["containers"].append({"name": "istio-proxy"})
    return backends


def test_behind_a_sidecar_the_clients_are_unknown_rather_than_none() -> None:
    hops = look("10.244.0.11", ["127.0.0.6:40001"])

    facts = facts_of(cluster_of(meshed(), {PODS[0]: printed(hops)}))

    assert gap(facts, PODS[0]).reason is GapReason.SIDECAR


def test_a_sidecar_that_holds_no_connection_to_the_port_may_still_hold_clients() -> None:
    facts = facts_of(cluster_of(meshed(), {PODS[0]: printed(look("10.244.0.11", []))}))

    assert gap(facts, PODS[0]).reason is GapReason.SIDECAR


def test_clients_that_come_past_a_sidecar_are_counted() -> None:
    facts = facts_of(cluster_of(meshed(), {PODS[0]: printed(look("10.244.0.11", ["10.244.1.21:40001"]))}))

    assert peers(facts, PODS[0]) == ["10.244.1.21"]


def proxied_inside(counts: tuple[int, int, int], *outside: str) -> Facts:
    """Connections from loopback to each pod, of a container whose name says nothing; others to the first pod."""
    backends = servers()
    for backend in backends:
        backend["spec"]["containers"].append({"name": "envoy"})
    inside = [[f"127.0.0.1:4{number}{port:03}" for port in range(count)] for number, count in enumerate(counts)]
    looks = {
        name: printed(look("10.244.0.11", held))
        for name, held in zip(PODS, [[*inside[0], *outside], *inside[1:]], strict=True)
    }
    return facts_of(cluster_of(backends, looks))


def test_what_holds_connections_inside_a_pod_may_take_the_clients_whatever_its_name() -> None:
    facts = proxied_inside((20, 1, 20))

    assert gap(facts, PODS[0]).reason is GapReason.SIDECAR
    assert gap(facts, PODS[0]).detail.startswith("something in the pod itself holds 20 connections to the port")
    assert gap(facts, PODS[1]).detail.startswith("something in the pod itself holds 1 connection to the port")


def test_a_client_that_comes_past_what_is_inside_is_counted_and_makes_the_other_pods_no_idle_ones() -> None:
    facts = proxied_inside((20, 20, 20), "10.244.1.21:40001")

    assert peers(facts, PODS[0]) == ["10.244.1.21"]
    assert gap(facts, PODS[1]).reason is GapReason.SIDECAR


def test_an_applications_own_gateway_beside_its_clients_hides_nobody() -> None:
    facts = proxied_inside((1, 1, 1), "10.244.1.21:40001", "10.244.1.22:40002")

    assert peers(facts, PODS[0]) == ["10.244.1.21", "10.244.1.22"]
    assert peers(facts, PODS[1]) == []


def test_more_inside_than_beside_any_client_may_hide_somebody() -> None:
    facts = proxied_inside((1, 20, 1), "10.244.1.21:40001", "10.244.1.22:40002")

    assert gap(facts, PODS[1]).reason is GapReason.SIDECAR


def test_what_comes_and_goes_inside_a_pod_hides_nobody() -> None:
    short = look("10.244.0.11", ["127.0.0.1:40001"], later=["127.0.0.1:40002"])

    assert peers(facts_of(sticky(looks={PODS[0]: printed(short)})), PODS[0]) == []


def test_peers_with_the_address_of_a_pod_on_its_nodes_network_are_clients_on_that_node() -> None:
    backends = servers((OLD,))
    backends[0]["spec"]["hostNetwork"] = True
    backends[0]["status"]["podIP"] = "10.0.0.1"
    shown = look("10.0.0.1", ["10.0.0.1:40001", "10.0.0.1:40002"], later=["10.0.0.1:40001", "10.0.0.1:40003"])

    facts = facts_of(cluster_of(backends, {PODS[0]: printed(shown)}))

    assert peers(facts, PODS[0]) == ["10.0.0.1"]
    assert [(client.kind, client.name) for client in facts.clients] == [("Node", "node-a")]


def test_a_single_look_makes_every_connection_count() -> None:
    single = look("10.244.0.11", ["10.244.1.21:40001"])
    first, _, rest = single.partition("#grpclb waited 5")
    looks = {PODS[0]: printed(first + rest[rest.index("#grpclb end") :])}

    found = sockets(facts_of(sticky(looks=looks), window=0.0), PODS[0])

    assert [connection.lasting for connection in found.connections] == [True]
    assert found.waited == 0
