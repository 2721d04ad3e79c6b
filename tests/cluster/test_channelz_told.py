"""Messages of channelz, and what is made of them."""

import pytest
from grpc_channelz.v1 import channelz_pb2

from kubectl_grpclb.cluster import _channelz_told
from tests.cluster.channelz_pods import (
    address,
)


@pytest.mark.parametrize(
    ("ip", "port", "spelled"),
    [
        (bytes([198, 18, 128, 7]), 40112, "198.18.128.7:40112"),
        (b"\0" * 10 + b"\xff\xff" + bytes([198, 18, 128, 7]), 40112, "198.18.128.7:40112"),
        (bytes.fromhex("fd000000000000000000000000000007"), 40112, "[fd00::7]:40112"),
        (b"\x7f", 40112, ""),
        (bytes([198, 18, 128, 7]), -1, ""),
    ],
)
def test_addresses_are_spelled_as_in_the_clusters_objects(ip: bytes, port: int, spelled: str) -> None:
    assert _channelz_told.address(address(ip, port)) == spelled


def test_a_unix_socket_has_no_address() -> None:
    unix = channelz_pb2.Address(uds_address=channelz_pb2.Address.UdsAddress(filename="/run/greeter.sock"))

    assert _channelz_told.address(unix) == ""


@pytest.mark.parametrize(
    ("moment", "spelled"),
    [({"seconds": 1_795_543_226}, "2026-11-24T18:00:26Z"), ({}, ""), ({"seconds": 2**62}, "")],
)
def test_a_moment_that_never_was_or_cannot_be_is_empty(moment: dict[str, int], spelled: str) -> None:
    socket = channelz_pb2.Socket(data={"last_remote_stream_created_timestamp": moment})

    assert _channelz_told.socket(socket, of_client=False).last_stream == spelled


def test_a_trace_is_bounded_and_keeps_its_policy() -> None:
    events = ['Channel switches to new LB policy "round_robin"', *["x" * 9000 for _ in range(29)]]
    told = channelz_pb2.Channel(data={"trace": {"events": [{"description": each} for each in events]}})

    trace = _channelz_told.channel(told).trace

    assert trace == (events[0], *["x" * 200 for _ in range(10)])


def test_counters_and_states_that_cannot_be_are_none() -> None:
    told = channelz_pb2.Channel(data={"calls_started": -5, "state": {"state": 77}})

    seen = _channelz_told.channel(told)

    assert (seen.started, seen.state) == (0, "")
