from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Blob, Output
from kubectl_grpclb.probes.sockets import Looks, Seen, parse_look

DATA = Path(__file__).parent / "data"
GREETER = frozenset({50051})
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

DUAL_STACK = {
    ("198.18.192.10", "198.18.128.9", 41960),
    ("198.18.192.10", "198.18.192.10"),
    ("fd00:198:18:192:8c3a:51ff:fe0e:77d2", "fd00:198:18:128:42f1:9aff:fe3c:b6a", 41966),
    ("fd00:198:18:192:8c3a:51ff:fe0e:77d2", "fd00::1:8c3a:51ff:fe0e", 41968),
    ("fe80::8c3a:51ff:fe0e:77d2", "fe80::8c3a:51ff:fe0e:77d2", 41970),
}
"""The connections of the dual-stack server whose sockets the data files show; one has a port of chance."""

SS_WITH_BYTES = ["4.3.0", "4.9.0", "4.20.0", "6.1.0", "6.1.0-oneline"]
SS_WITH_SEGMENTS = ["4.9.0", "4.20.0", "6.1.0", "6.1.0-oneline"]
SS_WITHOUT_BYTES = ["2.6.38", "3.16.0"]


def framed(tool: str, listing: str) -> Output:
    text = f"#grpclb script 1\n#grpclb look 1 {tool}\n#grpclb sockets\n{listing}\n#grpclb status 0\n#grpclb end\n"
    return Output(stdout=Blob(text=text), exit_code=0)


def read(tool: str, listing: str, ports: frozenset[int] = GREETER) -> Looks:
    looks = parse_look(framed(tool, listing), ports)
    assert isinstance(looks, Looks), looks
    return looks


def recorded(name: str) -> Looks:
    looks = parse_look(Output(stdout=Blob(text=(DATA / name).read_text()), exit_code=0), GREETER)
    assert isinstance(looks, Looks), looks
    return looks


def ends(looks: Looks) -> set[tuple[object, ...]]:
    """Give the ends of each connection, without the port that the kernel chose."""
    return {
        (seen.local, seen.peer, seen.peer_port)
        if seen.local != seen.peer or seen.peer_port == 41970
        else (seen.local, seen.peer)
        for seen in looks.seen
    }


@pytest.mark.parametrize("version", SS_WITHOUT_BYTES + SS_WITH_BYTES)
def test_every_version_of_ss_shows_the_connections_of_a_dual_stack_server(version: str) -> None:
    looks = read("ss", (DATA / f"ss-iproute2-{version}.txt").read_text())

    assert ends(looks) == DUAL_STACK
    assert looks.listens_on == (9090, 50051)


@pytest.mark.parametrize(
    ("tool", "name"),
    [
        ("proc", "proc-net-tcp-dual-stack.txt"),
        ("netstat-narrow", "netstat-busybox-1.35.txt"),
        ("netstat-wide", "netstat-net-tools-2.10-wide.txt"),
    ],
)
def test_the_other_tools_show_the_same_connections_without_bytes(tool: str, name: str) -> None:
    looks = read(tool, (DATA / name).read_text())

    assert ends(looks) == DUAL_STACK
    assert looks.listens_on == (9090, 50051)
    assert {(seen.received, seen.segments) for seen in looks.seen} == {(None, None)}


@pytest.mark.parametrize("version", SS_WITH_BYTES)
def test_bytes_received_are_read_and_a_silent_connection_has_zero(version: str) -> None:
    looks = read("ss", (DATA / f"ss-iproute2-{version}.txt").read_text())

    assert sorted((seen.received, seen.peer) for seen in looks.seen) == [
        (0, "198.18.192.10"),
        (72, "198.18.128.9"),
        (72, "fd00:198:18:128:42f1:9aff:fe3c:b6a"),
        (72, "fd00::1:8c3a:51ff:fe0e"),
        (72, "fe80::8c3a:51ff:fe0e:77d2"),
    ]


@pytest.mark.parametrize("version", SS_WITH_SEGMENTS)
def test_data_segments_are_read_where_this_ss_knows_them(version: str) -> None:
    looks = read("ss", (DATA / f"ss-iproute2-{version}.txt").read_text())

    assert sorted(seen.segments or 0 for seen in looks.seen) == [0, 1, 1, 1, 1]
    assert None not in {seen.segments for seen in looks.seen}


@pytest.mark.parametrize("version", [*SS_WITHOUT_BYTES, "4.3.0"])
def test_what_an_old_ss_does_not_show_is_unknown_and_not_zero(version: str) -> None:
    looks = read("ss", (DATA / f"ss-iproute2-{version}.txt").read_text())

    assert {seen.segments for seen in looks.seen} == {None}


@pytest.mark.parametrize("version", SS_WITHOUT_BYTES)
def test_bytes_of_an_ss_from_before_linux_4_1_are_unknown(version: str) -> None:
    looks = read("ss", (DATA / f"ss-iproute2-{version}.txt").read_text())

    assert {seen.received for seen in looks.seen} == {None}


def test_a_netstat_that_cuts_ipv6_addresses_is_a_gap_and_not_a_wrong_address() -> None:
    answer = parse_look(framed("netstat-narrow", (DATA / "netstat-net-tools-2.10.txt").read_text()), GREETER)

    assert isinstance(answer, Gap)
    assert answer.reason is GapReason.GARBLED
    assert "cuts IPv6 addresses" in answer.detail


def test_a_netstat_that_cuts_addresses_is_believed_where_none_of_them_matters() -> None:
    looks = read("netstat-narrow", (DATA / "netstat-net-tools-2.10.txt").read_text(), frozenset({9090}))

    assert looks.seen == (Seen("198.18.192.10", "198.18.128.9", 41972),)


def test_the_brackets_that_toybox_gives_to_every_address_are_no_part_of_it() -> None:
    listing = (
        "Active Internet connections (servers and established)\n"
        "Proto Recv-Q Send-Q Local Address           Foreign Address         State      \n"
        "tcp6       0      0 [::]:50051              [::]:*                  LISTEN     \n"
        "tcp6       0      0 fd00::192:a:50051       fd00::128:9:41960       ESTABLISHED\n"
    )

    looks = read("netstat-narrow", listing)

    assert looks.seen == (Seen("fd00::192:a", "fd00::128:9", 41960),)
    assert looks.listens_on == (50051,)


def test_a_pod_with_netstat_as_busybox_prints_it_shows_its_clients() -> None:
    looks = read("netstat-narrow", (DATA / "netstat-busybox-pod.txt").read_text())

    assert len(looks.seen) == 6
    assert looks.listens_on == (9090, 50051)


def test_a_pod_whose_only_tools_are_sh_and_cat_shows_its_clients() -> None:
    looks = recorded("look-shell.txt")

    assert (looks.tool, looks.waited, looks.listens_on) == ("proc", 2.5, (9090, 50051))
    assert [(seen.lasting, seen.established, seen.received) for seen in looks.seen] == [(True, True, None)] * 6
    assert looks.search == ("sockets-dev.svc.cluster.local", "svc.cluster.local", "cluster.local")


def test_a_pod_with_netstat_is_read_from_the_kernels_files() -> None:
    assert (recorded("look-netstat.txt").tool, len(recorded("look-netstat.txt").seen)) == ("proc", 6)


def test_a_pod_with_ss_shows_what_each_client_sent_between_the_looks() -> None:
    looks = recorded("look-ss.txt")

    assert (looks.tool, looks.waited, looks.opened) == ("ss", 2.5, 1)
    assert len(looks.seen) == 6
    assert all(seen.lasting and 500 < (seen.received or 0) < 5000 for seen in looks.seen)
    assert all(10 < (seen.segments or 0) < 200 for seen in looks.seen)


def test_a_single_look_with_ss_shows_what_each_client_sent_in_its_life() -> None:
    looks = recorded("look-ss-single.txt")

    assert (looks.waited, looks.opened) == (0, None)
    assert all(seen.lasting and (seen.received or 0) > 5000 for seen in looks.seen)


def test_an_ephemeral_container_shows_the_clients_of_a_pod_without_a_shell() -> None:
    looks = recorded("look-distroless-ephemeral.txt")

    assert (looks.tool, looks.listens_on) == ("proc", (9090, 50051))
    assert len(looks.seen) == 6


Line = Callable[[str, int, str, int], str]
Address = IPv4Address | IPv6Address
Row = tuple[Address, int, Address, int, bool]

addresses = st.one_of(
    st.ip_addresses(v=4), st.ip_addresses(v=6).filter(lambda address: getattr(address, "ipv4_mapped", None) is None)
)
connections = st.lists(
    st.tuples(addresses, st.sampled_from([50051, 9090]), addresses, st.integers(1, 65535), st.booleans()),
    unique=True,
    max_size=8,
).map(lambda rows: [row for row in rows if row[0].version == row[2].version])


def spelled(address: Address, mapped: bool) -> str:
    return f"::ffff:{address}" if mapped and address.version == 4 else str(address)


def kernel(address: str) -> str:
    packed = ip_address(address).packed
    return "".join(packed[at : at + 4][::-1].hex().upper() for at in range(0, len(packed), 4))


def as_proc(local: str, port: int, peer: str, peer_port: int) -> str:
    return (
        f"   4: {kernel(local)}:{port:04X} {kernel(peer)}:{peer_port:04X} 01 00000000:00000000 02:000003A2 00000000"
        " 65532        0 60917 4 00000000eee1e9f5 20 4 1 336 -1\n"
    )


def as_ss(local: str, port: int, peer: str, peer_port: int) -> str:
    shown = [f"[{address}]" if ":" in address else address for address in (local, peer)]
    return f"ESTAB  0      17     {shown[0]}:{port} {shown[1]}:{peer_port}\n\t cubic rto:212 bytes_received:5 \n"


def as_old_ss(local: str, port: int, peer: str, peer_port: int) -> str:
    return f"ESTAB      0      0      {local}%eth0:{port}        {peer}:{peer_port} \n\t cubic rto:204 cwnd:10\n"


def as_netstat(local: str, port: int, peer: str, peer_port: int) -> str:
    return f"tcp        0      0 {local}:{port} {peer}:{peer_port} ESTABLISHED \n"


def as_wide_netstat(local: str, port: int, peer: str, peer_port: int) -> str:
    family = "tcp6" if ":" in local else "tcp "
    return f"{family}       0      0 {local}:{port}     {peer}:{peer_port}      ESTABLISHED 1/greeter\n"


@pytest.mark.parametrize(
    ("tool", "header", "line"),
    [
        ("proc", "  sl  local_address rem_address   st tx_queue rx_queue\n", as_proc),
        ("ss", "State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n", as_ss),
        ("ss", "State      Recv-Q Send-Q        Local Address:Port          Peer Address:Port \n", as_old_ss),
        ("netstat-narrow", "Proto Recv-Q Send-Q Local Address  Foreign Address  State       \n", as_netstat),
        ("netstat-wide", "Proto Recv-Q Send-Q Local Address  Foreign Address  State\n", as_wide_netstat),
    ],
)
@UNHURRIED
@given(rows=connections)
def test_connections_come_back_as_they_were_whatever_tool_prints_them(
    tool: str, header: str, line: Line, rows: list[Row]
) -> None:
    lines = [
        line(spelled(local, mapped), port, spelled(peer, mapped), peer_port)
        for local, port, peer, peer_port, mapped in rows
    ]

    looks = read(tool, header + "".join(lines))

    assert {(seen.local, seen.peer, seen.peer_port) for seen in looks.seen} == {
        (str(local), str(peer), peer_port) for local, port, peer, peer_port, _ in rows if port == 50051
    }


@UNHURRIED
@given(rows=connections)
def test_each_of_several_wanted_ports_is_read(rows: list[Row]) -> None:
    lines = [as_proc(str(local), port, str(peer), peer_port) for local, port, peer, peer_port, _ in rows]

    looks = read("proc", "  sl  local_address rem_address\n" + "".join(lines), frozenset({50051, 9090}))

    assert len(looks.seen) == len({row[:4] for row in rows})


@pytest.mark.parametrize(
    ("tool", "listing"),
    [
        ("ss", "State Recv-Q Send-Q\nESTAB 0 0 198.18.192.10:50051 198.18.128.9:99999\n"),
        ("ss", "State Recv-Q Send-Q\nESTAB 0 0 198.18.192.10:50051 198.18.128:41960\n"),
        ("ss", "State Recv-Q Send-Q\nLISTEN 0 128 198.18.192:50051 0.0.0.0:*\n"),
        ("netstat-wide", "Proto Recv-Q Send-Q\ntcp 0 0 198.18.192.10:50051 198.18.128.9:70000 ESTABLISHED\n"),
        ("proc", "  sl  local_address\n   0: 0AC012C6:C383 098012:A3E8 01 00000000:00000000 00\n"),
    ],
)
def test_an_address_or_port_that_cannot_be_is_a_gap(tool: str, listing: str) -> None:
    answer = parse_look(framed(tool, listing), GREETER)

    assert isinstance(answer, Gap)
    assert answer.reason is GapReason.GARBLED


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "[::1]", "[::ffff:127.0.0.1]", "127.0.0.1%lo"])
def test_a_listener_on_loopback_cannot_be_reached_by_clients(address: str) -> None:
    looks = read("ss", f"State Recv-Q Send-Q\nLISTEN 0 128 {address}:50051 *:*\n")

    assert looks.listens_on == ()


@pytest.mark.parametrize("address", ["*", "0.0.0.0", "[::]", "*%eth0", "198.18.192.10", "[fe80::1]%eth0"])
def test_any_other_listener_can(address: str) -> None:
    looks = read("ss", f"State Recv-Q Send-Q\nLISTEN 0 128 {address}:50051 *:*\n")

    assert looks.listens_on == (50051,)
