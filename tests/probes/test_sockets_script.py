"""The look's script, run for real: by each shell, with each set of tools that a container may have."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Blob, Output
from kubectl_grpclb.probes.sockets import Looks, Seen, look_request, parse_look

DATA = Path(__file__).parent / "data"
SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}

Connection = tuple[int, int]


def shell_or_skip(name: str) -> list[str]:
    found = shutil.which(SHELLS[name][0])
    if found is None:
        pytest.skip(f"there is no {name} on this machine")
    return [found, *SHELLS[name][1:]]


def root_or_skip() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may change the root directory")


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A connection on this machine: the port that is listened on, and the client's."""
    with socket.create_server(("", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client, server.accept()[0]:
            yield port, client.getsockname()[1]


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """An empty directory to be the whole PATH."""
    directory = tmp_path / "bin"
    directory.mkdir()
    return directory


def give(tools: Path, *names: str) -> None:
    for name in names:
        found = shutil.which(name)
        if found is None:
            pytest.skip(f"there is no {name} on this machine")
        (tools / name).symlink_to(found)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def run(shell: list[str], window: float, path: str | Path, prefix: tuple[str, ...] = ()) -> Output:
    script = look_request("shop", "greeter-7c9f8d5b6-x2x9k", "greeter", window, 25.0).command[1:]
    done = subprocess.run(
        [*prefix, *shell, *script],
        env={"PATH": str(path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == b""
    return Output(stdout=Blob.of(done.stdout), exit_code=done.returncode)


def looked(output: Output, port: int) -> Looks:
    looks = parse_look(output, frozenset({port}))
    assert isinstance(looks, Looks), looks
    return looks


@pytest.mark.parametrize("name", SHELLS)
def test_every_shell_shows_a_lasting_connection_with_ss(name: str, tools: Path, connection: Connection) -> None:
    shell, (port, peer_port) = shell_or_skip(name), connection
    give(tools, "ss", "sleep")

    looks = looked(run(shell, 0.2, tools), port)

    assert looks.seen == (Seen("127.0.0.1", "127.0.0.1", peer_port, True, True, 0, 0),)
    assert (looks.tool, looks.waited) == ("ss", 0.2)
    assert port in looks.listens_on


@pytest.mark.parametrize("name", SHELLS)
def test_every_shell_shows_a_lasting_connection_with_cat_alone(name: str, tools: Path, connection: Connection) -> None:
    shell, (port, peer_port) = shell_or_skip(name), connection
    give(tools, "cat", "sleep")

    looks = looked(run(shell, 0.2, tools), port)

    assert looks.seen == (Seen("127.0.0.1", "127.0.0.1", peer_port),)
    assert (looks.tool, looks.waited) == ("proc", 0.2)
    assert port in looks.listens_on


@pytest.mark.parametrize("name", SHELLS)
def test_every_shell_shows_a_connection_without_any_tool(name: str, tools: Path, connection: Connection) -> None:
    shell, (port, peer_port) = shell_or_skip(name), connection

    looks = looked(run(shell, 0, tools), port)

    assert looks.seen == (Seen("127.0.0.1", "127.0.0.1", peer_port),)
    assert (looks.tool, looks.waited) == ("proc", 0)


def test_bash_waits_whole_seconds_where_there_is_no_sleep(tools: Path, connection: Connection) -> None:
    looks = looked(run(shell_or_skip("bash"), 0.2, tools), connection[0])

    assert looks.waited == 1


def test_dash_looks_once_where_there_is_no_sleep(tools: Path, connection: Connection) -> None:
    looks = looked(run(shell_or_skip("dash"), 0.2, tools), connection[0])

    assert (looks.waited, looks.opened, len(looks.seen)) == (0, None, 1)


def test_a_sleep_that_takes_whole_seconds_only_is_given_the_next_one(tools: Path, connection: Connection) -> None:
    shell = shell_or_skip("dash")
    write(tools / "sleep", f'#!{shell[0]}\ncase $1 in *.*) exit 1 ;; esac\nexec {shutil.which("sleep")} "$1"\n')

    assert looked(run(shell, 0.2, tools), connection[0]).waited == 1


@pytest.mark.parametrize("answer", ["echo State Recv-Q Send-Q", "exit 1", "kill -9 $$"])
def test_an_ss_that_shows_nothing_gives_way_to_the_kernels_files(
    answer: str, tools: Path, connection: Connection
) -> None:
    shell = shell_or_skip("dash")
    give(tools, "cat")
    write(tools / "ss", f"#!{shell[0]}\n{answer}\n")

    looks = looked(run(shell, 0, tools), connection[0])

    assert (looks.tool, len(looks.seen)) == ("proc", 1)


def test_a_cat_that_dies_half_way_is_a_gap(tools: Path) -> None:
    shell = shell_or_skip("dash")
    write(tools / "cat", f"#!{shell[0]}\necho '  sl  local_address rem_address'\necho '   0: 0AC0'\nkill -9 $$\n")

    answer = parse_look(run(shell, 0, tools), frozenset({50051}))

    assert isinstance(answer, Gap)
    assert answer.reason is GapReason.DIED


@pytest.mark.parametrize("name", SHELLS)
def test_accepted_connections_are_counted_by_the_kernel(name: str, tools: Path, connection: Connection) -> None:
    shell = shell_or_skip(name)
    give(tools, "cat", "sleep")

    assert looked(run(shell, 0.1, tools), connection[0]).opened is not None


@pytest.fixture
def container(tmp_path: Path) -> Path:
    """A root directory with /dev/null and a busybox that is sh and cat."""
    root_or_skip()
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    (root / "dev").mkdir()
    os.mknod(root / "dev" / "null", 0o20666, os.makedev(1, 3))
    busybox = shutil.which("busybox")
    if busybox is None or b"not a dynamic" not in _ldd(busybox):
        pytest.skip("there is no static busybox on this machine")
    shutil.copy(busybox, root / "bin" / "busybox")
    (root / "bin" / "cat").symlink_to("busybox")
    return root


def _ldd(path: str) -> bytes:
    done = subprocess.run(["ldd", path], capture_output=True, check=False)
    return done.stdout + done.stderr


def inside(container: Path, window: float) -> Output:
    return run(
        ["/bin/busybox", "sh"], window, "/bin", prefix=(shutil.which("chroot") or "/usr/sbin/chroot", str(container))
    )


def test_a_container_in_which_nothing_shows_sockets_is_a_gap(container: Path) -> None:
    answer = parse_look(inside(container, 0.1), frozenset({50051}))

    assert isinstance(answer, Gap)
    assert answer.reason is GapReason.NO_SHELL


def test_netstat_is_asked_where_the_shell_cannot_read_the_kernels_first_file(container: Path) -> None:
    _, _, six = (DATA / "proc-net-tcp-dual-stack.txt").read_text().partition("  sl  local_address      ")
    write(container / "proc" / "net" / "tcp6", "  sl  local_address      " + six)
    (container / "bin" / "netstat").symlink_to("busybox")

    looks = looked(inside(container, 0), 50051)

    assert looks.tool == "netstat"
    assert {seen.peer_port for seen in looks.seen} >= {41960, 41966, 41968, 41970}


def test_a_pods_kernel_without_ipv6_shows_its_ipv4_connections(container: Path) -> None:
    four = (DATA / "proc-net-tcp-dual-stack.txt").read_text().partition("  sl  local_address      ")[0]
    write(container / "proc" / "net" / "tcp", four)

    looks = looked(inside(container, 0), 9090)

    assert (looks.tool, looks.seen) == ("proc", (Seen("198.18.192.10", "198.18.128.9", 41972),))


def test_the_search_list_of_resolv_conf_is_shown_without_tricks(container: Path) -> None:
    write(container / "proc" / "net" / "tcp", "  sl  local_address rem_address   st\n")
    write(
        container / "etc" / "resolv.conf",
        "nameserver 198.19.0.10\nsearch shop.svc.cluster.local cluster.local\nsearch x\\n#grpclb end\noptions ndots:5",
    )

    assert looked(inside(container, 0), 50051).search == ("shop.svc.cluster.local", "cluster.local")


ROUTES = (
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    "eth0\t008012C6\t018012C6\t0003\t0\t0\t0\t00C0FFFF\t0\t0\t0\n"
    "eth0\t00000000\t018012C6\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
)
ROUTES_6 = (
    "fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 "
    "00000100 00000001 00000000 00000001     eth0\n"
    "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 "
    "ffffffff 00000001 00000000 00200200       lo\n"
    "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 "
    "00000400 00000001 00000000 00000003     eth0\n"
)


def test_the_pods_gateway_is_told_where_there_are_two_looks(container: Path) -> None:
    write(container / "proc" / "net" / "tcp", "  sl  local_address rem_address   st\n")
    write(container / "proc" / "net" / "route", ROUTES)

    assert looked(inside(container, 0.01), 50051).gateway == "198.18.128.1"


def test_a_pod_without_ipv4_has_its_gateway_in_ipv6_route(container: Path) -> None:
    write(container / "proc" / "net" / "tcp", "  sl  local_address rem_address   st\n")
    write(container / "proc" / "net" / "route", ROUTES.partition("\n")[0] + "\n")
    write(container / "proc" / "net" / "ipv6_route", ROUTES_6)

    assert looked(inside(container, 0.01), 50051).gateway == "fd00::1"


@pytest.mark.parametrize("routes", [ROUTES.replace("\t018012C6\t0003", "\t00000000\t0001"), "", "\x00\xff route\n"])
def test_a_pod_without_a_gateway_has_none(container: Path, routes: str) -> None:
    write(container / "proc" / "net" / "tcp", "  sl  local_address rem_address   st\n")
    write(container / "proc" / "net" / "route", routes)

    assert looked(inside(container, 0.01), 50051).gateway is None


def test_a_single_look_does_not_need_the_gateway(container: Path) -> None:
    write(container / "proc" / "net" / "tcp", "  sl  local_address rem_address   st\n")
    write(container / "proc" / "net" / "route", ROUTES)

    assert looked(inside(container, 0), 50051).gateway is None
