"""Looks from nodes: the script run by each shell over a /proc whose cgroups are made up, and the reading of it."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Answer, Blob, LookFromNode, Objects, Output, Reading, Refused
from kubectl_grpclb.probes._node_script import SCRIPT
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.endpoints import Backend
from kubectl_grpclb.probes.node import looks_from_nodes, output_of, request_node_looks
from kubectl_grpclb.probes.sockets import Looks, Seen, parse_look

SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}
CART = "c9898622-633b-4f39-9e7e-24ac8da15826"
SHOP = "1f6a0b52-77c1-4d0e-9a55-0c2e6a3b9d41"
HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
TCP = HEADER + "".join(
    f"   {number}: 0A00F40A:C383 {peer:02X}00F40A:9C41 01 00000000:00000000 00:00000000 00000000     0        0 1 1 0\n"
    for number, peer in enumerate((21, 22))
)
SNMP = "Ip: Forwarding\nIp: 1\nTcp: RtoAlgorithm PassiveOpens\nTcp: 1 {}\nUdp: InDatagrams\nUdp: 0\n"
ROUTE = "Iface\tDestination\tGateway\neth0\t00000000\t0100F40A\n"


class Proc:
    """A /proc of files, for the script."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "uptime").parent.mkdir(parents=True)
        (root / "uptime").write_text("5025.17 9000.00\n")

    def process(self, pid: int, cgroup: str, *, tcp: str = TCP, accepted: int = 7) -> Path:
        """Have a process with a network of its own."""
        net = self.root / str(pid) / "net"
        net.mkdir(parents=True)
        files = {
            "tcp": tcp,
            "tcp6": HEADER,
            "snmp": SNMP.format(accepted),
            "route": ROUTE,
            "sockstat": "sockets: used 9\nTCP: inuse 3 orphan 0\n",
            "sockstat6": "TCP6: inuse 0\n",
        }
        for name, text in files.items():
            (net / name).write_text(text)
        (self.root / str(pid) / "cgroup").write_text(cgroup)
        return net

    def same_network(self, pid: int, other: int) -> None:
        """Let two processes share a network."""
        for name in ("tcp", "tcp6"):
            path = self.root / str(pid) / "net" / name
            path.unlink()
            path.hardlink_to(self.root / str(other) / "net" / name)


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    made = Proc(tmp_path / "proc")
    made.process(1, "0::/init.scope\n", tcp=HEADER)
    return made


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> list[str]:
    found = shutil.which(SHELLS[request.param][0])
    if found is None:
        pytest.skip(f"there is no {request.param} on this machine")
    return [found, *SHELLS[request.param][1:]]


def run(shell: list[str], proc: Path, *words: str) -> Output:
    script = SCRIPT.replace("/proc/", f"{proc}/")
    done = subprocess.run(
        [*shell, "-c", script, "grpclb", *words],
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.stderr, done.returncode) == (b"", 0)
    return Output(stdout=Blob.of(done.stdout), exit_code=done.returncode)


def looked(output: Output, uid: str, port: int = 50051) -> Looks:
    piece = output_of(output, uid)
    assert isinstance(piece, Output), piece
    looks = parse_look(piece, frozenset({port}))
    assert isinstance(looks, Looks), looks
    return looks


CGROUPFS = "12:pids:/kubepods/burstable/pod{uid}/8f1c\n0::/kubepods/burstable/pod{uid}/8f1c\n"
SYSTEMD = "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{under}.slice/cri-containerd-8f1c.scope\n"
GUARANTEED = "0::/kubepods.slice/kubepods-pod{under}.slice/crio-8f1c.scope\n"
RELATIVE = "0::/../../pod{uid}/8f1c\n"
KIND = "0::/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{under}.slice/cri-containerd-8f1c.scope\n"
POD_ITSELF = "0::/../kubepods-besteffort-pod{under}.slice\n"


def group(form: str, uid: str = CART) -> str:
    return form.format(uid=uid, under=uid.replace("-", "_"))


@pytest.mark.parametrize("form", [CGROUPFS, SYSTEMD, GUARANTEED, RELATIVE, KIND, POD_ITSELF])
def test_a_pod_is_found_however_its_cgroup_is_spelled(shell: list[str], proc: Proc, form: str) -> None:
    proc.process(4711, group(form))

    looks = looked(run(shell, proc.root, "0", CART), CART)

    assert looks.seen == (Seen("10.244.0.10", "10.244.0.21", 40001), Seen("10.244.0.10", "10.244.0.22", 40001))
    assert (looks.tool, looks.waited, looks.search) == ("proc", 0, ())


def test_two_looks_tell_what_each_pod_accepted_between_them(shell: list[str], proc: Proc) -> None:
    proc.process(4711, group(CGROUPFS))
    proc.process(815, group(SYSTEMD, SHOP), tcp=HEADER, accepted=3)

    output = run(shell, proc.root, "0.01", CART, SHOP)

    assert len(looked(output, CART).seen) == 2
    assert looked(output, SHOP).seen == ()
    assert [looked(output, each).opened for each in (CART, SHOP)] == [0, 0]
    assert [looked(output, each).gateway for each in (CART, SHOP)] == ["10.244.0.1"] * 2


def test_the_wait_is_measured_where_the_kernel_has_a_clock(shell: list[str], proc: Proc) -> None:
    proc.process(4711, group(CGROUPFS))
    (proc.root / "uptime").unlink()
    (proc.root / "uptime").symlink_to("/proc/uptime")

    assert 0.1 <= looked(run(shell, proc.root, "0.12", CART), CART).waited < 5


@pytest.mark.parametrize("uptime", ["0.35 0.10\n", "", "soon\n"])
def test_the_wait_is_what_was_asked_for_where_there_is_no_clock(shell: list[str], proc: Proc, uptime: str) -> None:
    proc.process(4711, group(CGROUPFS))
    (proc.root / "uptime").write_text(uptime)

    assert looked(run(shell, proc.root, "0.02", CART), CART).waited == 0.02


def test_the_first_process_is_taken_by_its_number(shell: list[str], proc: Proc) -> None:
    proc.process(10000, group(CGROUPFS), tcp=HEADER)
    proc.process(9000, group(CGROUPFS))
    proc.process(11, group(CGROUPFS, SHOP))

    assert len(looked(run(shell, proc.root, "0", CART), CART).seen) == 2


def test_conmon_is_not_in_its_pods_network(shell: list[str], proc: Proc) -> None:
    proc.process(600, group("0::/kubepods.slice/kubepods-pod{under}.slice/crio-conmon-8f1c.scope\n"), tcp=HEADER)
    proc.process(700, group(GUARANTEED))

    assert len(looked(run(shell, proc.root, "0", CART), CART).seen) == 2


def test_a_process_in_the_nodes_network_is_the_last_choice(shell: list[str], proc: Proc) -> None:
    proc.process(600, group(GUARANTEED))
    proc.same_network(600, 1)
    proc.process(700, group(GUARANTEED))

    assert len(looked(run(shell, proc.root, "0", CART), CART).seen) == 2


def test_a_pod_with_the_nodes_network_is_seen(shell: list[str], proc: Proc) -> None:
    (proc.root / "1" / "net" / "tcp").write_text(TCP)
    proc.process(600, group(GUARANTEED))
    proc.same_network(600, 1)

    assert len(looked(run(shell, proc.root, "0", CART), CART).seen) == 2


def test_a_pod_that_is_not_there_is_a_gap_of_its_own(shell: list[str], proc: Proc) -> None:
    proc.process(4711, group(CGROUPFS))

    output = run(shell, proc.root, "0.01", SHOP, CART)

    assert output_of(output, SHOP) == Gap(GapReason.DIED, "the pod's processes are not to be found on the node")
    assert len(looked(output, CART).seen) == 2


def test_cgroups_that_are_named_to_confuse_run_nothing(shell: list[str], proc: Proc, tmp_path: Path) -> None:
    proc.process(4711, f"0::/kubepods/pod$(touch {tmp_path}/run)/x\n0::/pod`touch {tmp_path}/run`;touch run\n")
    proc.process(4712, f"0::/kubepods/pod* {CART}=x/y\n")

    output = run(shell, proc.root, "0", CART)

    assert isinstance(output_of(output, CART), Gap)
    assert not (tmp_path / "run").exists()


def test_a_full_node_is_searched_without_a_search_for_each_process(shell: list[str], proc: Proc) -> None:
    uids = [f"c9898622-633b-4f39-9e7e-{number:012}" for number in range(250)]
    for pid, uid in enumerate(uids, 100):
        proc.process(pid, group(SYSTEMD, uid))
    start = time.monotonic()

    output = run(shell, proc.root, "0", *uids)

    assert {len(looked(output, uid).seen) for uid in uids} == {2}
    assert time.monotonic() - start < 15


@pytest.fixture
def connection() -> Iterator[tuple[int, int]]:
    with socket.create_server(("", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client, server.accept()[0]:
            yield port, client.getsockname()[1]


def test_the_kernels_own_files_are_read(shell: list[str], tmp_path: Path, connection: tuple[int, int]) -> None:
    (tmp_path / "proc" / "4711").mkdir(parents=True)
    (tmp_path / "proc" / "4711" / "net").symlink_to(f"/proc/{os.getpid()}/net")
    (tmp_path / "proc" / "4711" / "cgroup").write_text(group(CGROUPFS))

    looks = looked(run(shell, tmp_path / "proc", "0.1", CART), CART, connection[0])

    assert looks.seen == (Seen("127.0.0.1", "127.0.0.1", connection[1]),)
    assert connection[0] in looks.listens_on
    assert looks.opened is not None


def test_the_whole_of_this_machine_is_searched_quickly(shell: list[str]) -> None:
    output = run(shell, Path("/proc"), "0", CART)

    assert output.stdout.text == f"#grpclb none {CART}\n#grpclb over\n"


def server(
    name: str, uid: str | None, node: str | None = "node-a", phase: str = "Running", port: int | None = 50051
) -> Backend:
    pod = kube.Pod(kube.Metadata(name, "shop", uid), kube.PodSpec(node), kube.PodStatus(phase=phase))
    return Backend(name, ("10.244.0.10",), port, True, True, False, node, None, pod)


ASK = Ask("shop", "greeter", window=2.5, look_limit=20)


def test_one_look_a_node_is_asked_for() -> None:
    servers = [
        server("greeter-b", SHOP),
        server("greeter-a", CART),
        server("greeter-c", "95fcb436-a888-47b2-989f-0a8589fd2387", "node-b"),
        server("greeter-pending", "0", None),
        server("greeter-over", "1", phase="Failed"),
        server("greeter-portless", "2", port=None),
        server("greeter-strange", "3 $(reboot)"),
    ]

    a, b = request_node_looks(ASK, servers, "grpclb", "busybox:1.37.0")

    assert (a.node, a.namespace, a.image, a.seconds) == ("node-a", "grpclb", "busybox:1.37.0", 22.5)
    assert a.command == ("sh", "-c", SCRIPT, "grpclb", "2.5", SHOP, CART)
    assert b.command[5:] == ("95fcb436-a888-47b2-989f-0a8589fd2387",)


def read(answer: Answer, *uids: str) -> Reading:
    request = LookFromNode("shop", "node-a", "busybox:1", ("sh", "-c", SCRIPT, "grpclb", "0", *uids), 20.0)
    return Reading(request, answer, "2026-11-23T12:00:00Z", 1.0)


def printed(text: str, exit_code: int | None = 0, stderr: str = "") -> Output:
    return Output(stdout=Blob(text=text), stderr=Blob(text=stderr), exit_code=exit_code)


PIECE = f"#grpclb script 1\n#grpclb look 1 proc\n#grpclb sockets\n{TCP}\n#grpclb status 0\n\n#grpclb end\n"


def test_a_servers_look_is_told_from_the_others() -> None:
    answer = printed(f"#grpclb none {SHOP}\n#grpclb pod {CART}\n{PIECE}#grpclb over\n")

    looks = looks_from_nodes([read(answer, CART, SHOP)], server("greeter-a", CART))

    assert isinstance(looks, Looks)
    assert len(looks.seen) == 2


def test_a_server_that_no_look_was_asked_about_has_none() -> None:
    readings = [read(printed("#grpclb over\n"), SHOP)]

    assert looks_from_nodes(readings, server("greeter-a", CART)) is None
    assert looks_from_nodes(readings, server("greeter-a", None)) is None
    assert looks_from_nodes(readings, server("greeter-a", SHOP, port=None)) is None


def test_a_pod_that_ended_between_the_looks_is_a_gap() -> None:
    first = "#grpclb script 1\n#grpclb look 1 proc\n#grpclb sockets\n\n#grpclb status 0\n"
    answer = printed(f"#grpclb pod {CART}\n{first}#grpclb none {CART}\n#grpclb over\n")

    assert output_of(answer, CART) == Gap(GapReason.DIED, "the pod's processes ended during the look")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Refused(GapReason.FORBIDDEN, "no"), GapReason.FORBIDDEN),
        (Objects(()), GapReason.GARBLED),
        (Output(gap=GapReason.TOO_LARGE, detail="more than 8 MB"), GapReason.TOO_LARGE),
        (printed("", 127, "sh: not found"), GapReason.NO_SHELL),
        (printed("#grpclb pod 1\n", 137), GapReason.DIED),
        (printed("#grpclb pod 1\n", None), GapReason.DIED),
        (printed("hello\n"), GapReason.GARBLED),
        (Output(stdout=Blob(base64="!"), exit_code=0), GapReason.GARBLED),
    ],
)
def test_what_is_no_whole_look_is_a_gap(answer: Answer, reason: GapReason) -> None:
    gap = output_of(answer, CART)

    assert isinstance(gap, Gap)
    assert gap.reason is reason


def test_a_look_that_was_cut_off_is_a_gap_of_the_pod_in_which_it_was() -> None:
    answer = printed(f"#grpclb pod {SHOP}\n{PIECE}#grpclb pod {CART}\n{PIECE[:200]}", None)

    assert isinstance(looks_from_nodes([read(answer, SHOP, CART)], server("greeter-b", SHOP)), Looks)
    cut = looks_from_nodes([read(answer, SHOP, CART)], server("greeter-a", CART))
    assert isinstance(cut, Gap)
    assert cut.reason is GapReason.DIED


MARKS = st.sampled_from(
    [f"\n#grpclb pod {CART}\n", f"#grpclb none {CART}\n", "\n#grpclb over\n", PIECE, PIECE[:90], "#grpclb end\n", TCP]
).map(str.encode)


@given(st.lists(MARKS | st.binary(max_size=40), max_size=8).map(b"".join), st.sampled_from([0, 1, 127, None]))
def test_whatever_is_printed_is_read_or_is_a_gap(raw: bytes, exit_code: int | None) -> None:
    answer = Output(stdout=Blob.of(raw), exit_code=exit_code)

    assert isinstance(output_of(answer, CART), Output | Gap)
    assert isinstance(looks_from_nodes([read(answer, CART)], server("greeter-a", CART)), Looks | Gap)
