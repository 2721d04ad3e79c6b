"""Pages of Envoy's admin interface: what is read of them, and what is kept."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_grpclb.model.admin import HostSeen, hosts_of, only_hosts
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Answer, Blob, Output, Refused


def host(address: str = "10.244.0.11", port: int = 50051, **changes: Any) -> dict[str, Any]:
    """As Envoy 1.40 prints one, cut short; numbers are strings, and what is 0 has no value."""
    whole = {
        "address": {"socket_address": {"address": address, "port_value": port}},
        "stats": [
            {"name": "cx_connect_fail"},
            {"value": "3", "name": "cx_total"},
            {"name": "rq_error"},
            {"value": "250", "name": "rq_total"},
            {"type": "GAUGE", "value": "2", "name": "cx_active"},
            {"type": "GAUGE", "name": "rq_active"},
        ],
        "health_status": {"eds_health_status": "HEALTHY"},
        "weight": 1,
        "locality": {},
    }
    return {**whole, **changes}


def page(**clusters: list[dict[str, Any]]) -> bytes:
    statuses = [{"name": name, "host_statuses": hosts} for name, hosts in clusters.items()]
    return json.dumps({"cluster_statuses": statuses}).encode()


def read(body: bytes) -> tuple[HostSeen, ...] | Gap:
    return hosts_of(Output(stdout=Blob.of(body), exit_code=0))


def test_each_host_is_told_with_its_cluster_its_counters_and_its_health() -> None:
    assert read(page(greeter=[host()])) == (
        HostSeen(
            cluster="greeter",
            address="10.244.0.11",
            port=50051,
            requests=250,
            active_requests=0,
            connections=2,
            opened=3,
            healthy=True,
        ),
    )


def test_a_host_of_two_clusters_is_there_twice() -> None:
    hosts = read(page(greeter=[host()], greeter_v1=[host(), host("::ffff:10.244.0.12")]))

    assert not isinstance(hosts, Gap)
    assert [(each.cluster, each.address) for each in hosts] == [
        ("greeter", "10.244.0.11"),
        ("greeter_v1", "10.244.0.11"),
        ("greeter_v1", "10.244.0.12"),
    ]


@pytest.mark.parametrize(
    "health",
    [
        {"eds_health_status": "UNHEALTHY"},
        {"eds_health_status": "DRAINING"},
        {"eds_health_status": "HEALTHY", "failed_active_health_check": True},
        {"failed_outlier_check": True},
        {"pending_active_hc": True},
        {"pending_dynamic_removal": True},
    ],
)
def test_a_host_that_is_not_chosen_is_not_healthy(health: dict[str, Any]) -> None:
    hosts = read(page(greeter=[host(health_status=health)]))

    assert not isinstance(hosts, Gap)
    assert [each.healthy for each in hosts] == [False]


def test_a_host_without_counters_has_had_nothing() -> None:
    hosts = read(page(greeter=[{"address": {"pipe": {"path": "/run/a.sock"}}}]))

    assert hosts == (HostSeen("greeter", "", 0, 0, 0, 0, 0, healthy=True),)


def test_a_host_whose_counters_are_no_numbers_is_left_out() -> None:
    assert read(page(greeter=[host(stats=[{"name": "cx_active", "value": "-1"}])])) == ()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Refused(GapReason.FORBIDDEN, "no", 403), GapReason.FORBIDDEN),
        (Output(stdout=Blob(text="not found"), exit_code=404), GapReason.DIED),
        (Output(stdout=Blob(text="<html>"), exit_code=0), GapReason.GARBLED),
        (Output(stdout=Blob(base64="?"), exit_code=0), GapReason.GARBLED),
        (Output(gap=GapReason.TOO_LARGE), GapReason.TOO_LARGE),
    ],
)
def test_what_is_no_page_is_a_gap(answer: Answer, reason: GapReason) -> None:
    hosts = hosts_of(answer)

    assert isinstance(hosts, Gap)
    assert hosts.reason is reason


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["cluster_statuses", "name", "host_statuses", "stats", "address", "health_status"]), inner
        )
    ),
    max_leaves=10,
)


@given(body=st.binary(max_size=50) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_give_hosts_or_a_gap_and_are_cut_or_refused(body: bytes) -> None:
    assert isinstance(read(body), tuple | Gap)
    assert isinstance(only_hosts(body, {"10.244.0.11"}), bytes | Gap)


def test_of_a_page_only_the_wanted_hosts_are_kept_and_they_read_the_same() -> None:
    bank = host("10.244.7.7", 443)
    unfit = host("10.244.0.12", health_status={"failed_outlier_check": True})

    kept = only_hosts(page(greeter=[host(), unfit, bank], bank=[bank]), {"10.244.0.11", "10.244.0.12"})

    assert isinstance(kept, bytes)
    assert read(kept) == read(page(greeter=[host(), unfit]))
    assert b"10.244.7.7" not in kept
    assert b"bank" not in kept
