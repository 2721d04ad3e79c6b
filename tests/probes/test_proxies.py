"""Envoys of others among the clients: which are asked, where, and what is made of what they say."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from kubectl_grpclb.model.facts import Facts, Proxy, ProxyHost
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import Answer, AskEnvoy, Refused, decode_snapshot, encode_snapshot
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.derive import derive
from kubectl_grpclb.probes.gather import gather
from tests.fake_cluster import FakeCluster, printed
from tests.shop import CALLERS, ENVOYS, PODS, Data, bypassed, callers, look, proxied, servers, sticky

REFUSED = Refused(GapReason.DIED, "connection refused")
FORBIDDEN = Refused(GapReason.FORBIDDEN, 'User "ann" cannot do that', 403)
EDGE = CALLERS[0]


def page(**clusters: Sequence[tuple[str, int, int]]) -> Answer:
    """What an Envoy knows: by cluster each host's address, port and requests; two connections to each."""
    statuses = [
        {
            "name": name,
            "host_statuses": [
                {
                    "address": {"socket_address": {"address": address, "port_value": port}},
                    "stats": [
                        {"name": "rq_total", "value": str(total)},
                        {"name": "rq_active", "value": "1"},
                        {"name": "cx_active", "value": "2"},
                    ],
                }
                for address, port, total in hosts
            ],
        }
        for name, hosts in clusters.items()
    ]
    return printed(json.dumps({"cluster_statuses": statuses}))


VIP = page(greeter=[("10.96.0.10", 80, 250)])


def edge(container: str = "envoy", *ports: tuple[str, int], init: bool = False) -> list[Data]:
    """The servers and clients, the first client with a container of this name and these ports."""
    clients = callers()
    declared = [{"name": name, "containerPort": number} for name, number in ports]
    field = "initContainers" if init else "containers"
    clients[0]["spec"][field] = [*clients[0]["spec"].get(field, ()), {"name": container, "ports": declared}]
    return [*servers(), *clients]


def shop(pods: list[Data] | None = None, **changes: Any) -> FakeCluster:
    """The Service with two clients, of which the first is an Envoy; `pages` are by port."""
    pages = {f"{EDGE}:{port}/clusters": (answer,) for port, answer in changes.pop("pages", {19000: VIP}).items()}
    return sticky(pods=edge() if pods is None else pods, pages=pages, **changes)


def facts_of(cluster: FakeCluster, **ask: Any) -> Facts:
    return derive(asyncio.run(gather(cluster, Ask(namespace="shop", service="greeter", window=0.0, **ask))))


def asked(cluster: FakeCluster) -> list[tuple[str, int]]:
    return [(each.pod, each.port) for each in cluster.requests if isinstance(each, AskEnvoy)]


def test_a_client_that_is_an_envoy_is_asked_once_and_says_that_it_dials_the_service() -> None:
    cluster = shop()

    found = facts_of(cluster)

    assert asked(cluster) == [(EDGE, 19000)]
    assert found.proxies == (
        Proxy(EDGE, "Deployment/caller", (ProxyHost("10.96.0.10", 80, None, 250, 1, 2),), dials_service=True),
    )


@pytest.mark.parametrize(
    ("pods", "ports"),
    [
        (edge("envoy"), [19000, 9901]),
        (edge("envoy-sidecar"), [19000, 9901]),
        (edge("istio-proxy"), [15000]),
        (edge("istio-proxy", init=True), [15000]),
        (edge("kuma-sidecar"), [9901]),
        (edge("consul-dataplane"), [19000]),
        (edge("envoy", ("http", 8080), ("envoy-admin", 8001)), [8001]),
        (edge("proxy", ("admin", 8001)), [8001]),
        (edge("proxy", ("http", 8080)), []),
        (edge("main", ("admin", 8001)), []),
    ],
)
def test_the_port_is_the_declared_one_else_that_of_who_names_a_container_so(pods: list[Data], ports: list[int]) -> None:
    cluster = shop(pods, pages=dict.fromkeys((19000, 9901, 15000, 8001), REFUSED))

    facts_of(cluster)

    assert asked(cluster) == [(EDGE, port) for port in ports]


@pytest.mark.parametrize("first", [REFUSED, printed("not found", exit_code=404), printed("<html>")])
def test_where_something_else_is_at_the_first_port_the_second_one_tells(first: Answer) -> None:
    cluster = shop(pages={19000: first, 9901: VIP})

    found = facts_of(cluster)

    assert asked(cluster) == [(EDGE, 19000), (EDGE, 9901)]
    assert [proxy.dials_service for proxy in found.proxies] == [True]


def test_where_asking_is_not_permitted_nothing_is_missed_and_no_other_port_is_tried() -> None:
    cluster = shop(pages={19000: FORBIDDEN})

    found = facts_of(cluster)

    assert asked(cluster) == [(EDGE, 19000)]
    assert found.proxies == ()
    assert found.refusals == ()


def test_nobody_is_asked_where_the_user_chose_other_sources() -> None:
    cluster = shop()

    assert facts_of(cluster, via=("exec",)).proxies == ()
    assert asked(cluster) == []


def test_only_this_services_hosts_are_told_and_those_of_several_clusters_are_added_up() -> None:
    known = page(
        all=[("10.244.0.11", 50051, 5), ("10.244.0.12", 50051, 6), ("10.244.0.12", 9090, 7), ("10.244.9.9", 50051, 8)],
        v1=[("10.244.0.11", 50051, 30), ("10.96.0.10", 9090, 1)],
    )

    found = facts_of(shop(pages={19000: known}))

    assert [proxy.dials_service for proxy in found.proxies] == [False]
    assert found.proxies[0].hosts == (
        ProxyHost("10.244.0.11", 50051, PODS[0], 35, 2, 4),
        ProxyHost("10.244.0.12", 50051, PODS[1], 6, 1, 2),
    )


def test_an_envoy_that_knows_nothing_of_this_service_is_no_proxy_of_it() -> None:
    assert facts_of(shop(pages={19000: page(bank=[("10.244.9.9", 443, 5)])})).proxies == ()


def test_the_request_names_the_hosts_that_may_be_kept() -> None:
    cluster = shop()

    facts_of(cluster)

    request = next(each for each in cluster.requests if isinstance(each, AskEnvoy))
    assert request.hosts == ("10.244.0.11", "10.244.0.12", "10.244.0.13", "10.96.0.10")


def test_ten_are_asked_at_most() -> None:
    many = [f"10.244.1.{number}" for number in range(21, 33)]
    clients = [edge()[3] | {"status": {**edge()[3]["status"], "podIP": ip}} for ip in many]
    for number, client in enumerate(clients):
        client["metadata"] = client["metadata"] | {"name": f"edge-6c8f7d9b5-{number:05}"}
    looks = {PODS[0]: printed(look("10.244.0.11", [f"{ip}:40001" for ip in many]))}
    cluster = sticky(pods=[*servers(), *clients], looks=looks)

    facts_of(cluster)

    assert len({pod for pod, _ in asked(cluster)}) == 10


def test_envoys_of_a_fix_are_not_asked_as_proxies_of_others() -> None:
    behind = proxied()
    past = bypassed(looks={PODS[0]: printed(look("10.244.0.11", ["10.244.2.31:40001"]))})

    assert facts_of(behind).proxies == ()
    assert {pod for pod, _ in asked(behind)} == set(ENVOYS)
    assert facts_of(past).proxies == ()
    assert asked(past) == []


def test_what_they_said_is_read_from_a_file_in_the_same_way() -> None:
    snapshot = asyncio.run(gather(shop(), Ask(namespace="shop", service="greeter", window=0.0)))

    assert derive(decode_snapshot(encode_snapshot(snapshot))) == derive(snapshot)
