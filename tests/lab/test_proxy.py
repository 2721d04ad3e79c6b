"""The configuration that `fix` writes, moved to this machine's addresses."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from kubectl_grpclb.lab.proxy import Json, listener_names, on_loopback
from kubectl_grpclb.remedies.envoy.config import Upstream, bootstrap

LISTENERS = {
    "grpc": ("127.0.2.11", 40001),
    "status": ("127.0.2.11", 40002),
    "proof": ("127.0.2.11", 40003),
    "drain": ("127.0.2.11", 40004),
}
CLUSTERS = {
    "servers": [("127.0.0.11", 40001), ("127.0.0.12", 40001)],
    "service": [("127.0.2.11", 40005)],
    "admin": [("127.0.2.11", 40006)],
    "drain": [("127.0.2.11", 40004)],
}


def in_a_cluster() -> Json:
    return bootstrap(
        Upstream(
            servers="greeter-grpclb-pods.shop.svc.cluster.local.",
            target_port=50051,
            listen_port=50051,
            service="greeter.shop.svc.cluster.local.",
            service_port=80,
            proof_port=19001,
            status_port=19002,
            drain_port=19003,
            drain_path="/drain/4f1c",
        )
    )


def here(config: Json) -> Json:
    return on_loopback(config, admin=("127.0.2.11", 40006), listeners=LISTENERS, clusters=CLUSTERS)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give every value with the names that lead to it; members of a list are called by their name."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, f"{path}/{key}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            name = each.get("name", number) if isinstance(each, dict) else number
            yield from leaves(each, f"{path}/{name}")
    else:
        yield path, value


def clusters(config: Json) -> dict[str, Json]:
    return {cluster["name"]: cluster for cluster in config["static_resources"]["clusters"]}


def test_only_addresses_differ_from_what_fix_writes() -> None:
    before, after = dict(leaves(in_a_cluster())), dict(leaves(here(in_a_cluster())))
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    allowed = ("/address", "/port_value", "/type")
    discovery = tuple(f"/static_resources/clusters/{name}/cluster_type/" for name in ("servers", "service"))
    linux = "/static_resources/clusters/servers/upstream_bind_config/socket_options/"
    assert {
        path for path in changed if not path.endswith(allowed) and not path.startswith((*discovery, linux))
    } == set()


def test_no_socket_option_is_set_by_a_number_that_only_linux_knows() -> None:
    assert "socket_options" in repr(in_a_cluster())
    assert "socket_options" not in repr(here(in_a_cluster()))


def test_dns_gives_way_to_the_addresses_that_it_would_give() -> None:
    servers = clusters(here(in_a_cluster()))["servers"]
    assert servers["type"] == "STATIC"
    assert "cluster_type" not in servers
    assert servers["load_assignment"] == {
        "cluster_name": "servers",
        "endpoints": [
            {
                "lb_endpoints": [
                    {"endpoint": {"address": {"socket_address": {"address": "127.0.0.11", "port_value": 40001}}}},
                    {"endpoint": {"address": {"socket_address": {"address": "127.0.0.12", "port_value": 40001}}}},
                ]
            }
        ],
    }


def test_the_balancing_stays_as_fix_writes_it() -> None:
    config = in_a_cluster()
    assert (
        clusters(here(config))["servers"]["load_balancing_policy"]
        == clusters(config)["servers"]["load_balancing_policy"]
    )


def test_the_admin_cluster_leads_where_the_admin_interface_listens() -> None:
    config = here(in_a_cluster())
    (endpoint,) = clusters(config)["admin"]["load_assignment"]["endpoints"][0]["lb_endpoints"]
    assert endpoint["endpoint"]["address"] == config["admin"]["address"]


def test_what_is_given_stays_as_it_is() -> None:
    config = in_a_cluster()
    untouched = deepcopy(config)
    here(config)
    assert config == untouched


def test_every_listener_needs_an_address() -> None:
    assert listener_names(in_a_cluster()) == list(LISTENERS)
    with pytest.raises(KeyError, match="grpc"):
        on_loopback(in_a_cluster(), admin=("127.0.2.11", 40006), listeners={}, clusters=CLUSTERS)
