"""This machine as a cluster: what is asked of a cluster is answered from processes and their sockets."""

import asyncio
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from kubectl_grpclb.cluster.local import LocalCluster
from kubectl_grpclb.lab.lab import Lab
from kubectl_grpclb.model import kube
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Answer, Exec, Get, List, Objects, Output, Refused, Request
from kubectl_grpclb.model.topology import LabClient, LabServer, Topology
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.derive import derive
from kubectl_grpclb.probes.gather import gather
from kubectl_grpclb.probes.sockets import Looks, look_request, parse_look

GREETER = "greeter-6d8f9c7b54-4x2kp"
CALLER = "caller-5b7c9d8f6-m7vqz"


def topology(target_port: int = 50051, pid: int | None = None, cluster_ip: str | None = "127.0.0.10") -> Topology:
    """A lab whose one server and one client are the process of this test."""
    pid = os.getpid() if pid is None else pid
    return Topology(
        namespace="lab",
        service="greeter",
        cluster_ip=cluster_ip,
        port=80,
        target_port=target_port,
        servers=(LabServer(GREETER, "127.0.0.11", pid),),
        clients=(LabClient(CALLER, "127.0.1.11", pid),),
    )


def answer(request: Request, lab: Topology | None = None) -> Answer:
    return asyncio.run(LocalCluster(lab or topology()).read(request)).answer


def names(request: Request) -> list[str]:
    answered = answer(request)
    assert isinstance(answered, Objects)
    return [item.metadata.name for item in answered.items]


def looks(lab: Topology, window: float = 0.0) -> Looks | Gap:
    answered = answer(look_request("lab", GREETER, "greeter", window, 10.0), lab)
    assert isinstance(answered, Output)
    return parse_look(answered, frozenset({lab.target_port}))


@pytest.fixture
def ended() -> int:
    """The number of a process that has ended and been reaped."""
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def connected() -> Iterator[tuple[int, int]]:
    """A connection from 127.0.1.11 to a listener of this process: the listener's port and the client's."""
    with socket.create_server(("127.0.0.11", 0)) as listener, socket.socket() as client:
        client.bind(("127.0.1.11", 0))
        client.connect(listener.getsockname())
        accepted, _ = listener.accept()
        with accepted:
            yield listener.getsockname()[1], client.getsockname()[1]


def test_the_service_tells_its_ports_and_that_they_carry_grpc() -> None:
    port = kube.ServicePort(port=80, name="grpc", app_protocol="grpc", target_port=50051)
    answered = answer(Get("services", "greeter", "lab"))
    assert isinstance(answered, Objects)
    (service,) = answered.items
    assert isinstance(service, kube.Service)
    assert (service.spec.type, service.spec.cluster_ip, service.spec.ports) == ("ClusterIP", "127.0.0.10", (port,))


def test_a_headless_service_has_no_cluster_ip() -> None:
    answered = answer(Get("services", "greeter", "lab"), topology(cluster_ip=None))
    assert isinstance(answered, Objects)
    (service,) = answered.items
    assert isinstance(service, kube.Service)
    assert service.spec.cluster_ip == "None"


def test_the_slices_of_the_service_are_found_by_its_label() -> None:
    of_greeter = List("endpointslices", "lab", label_selector="kubernetes.io/service-name=greeter")
    of_another = List("endpointslices", "lab", label_selector="kubernetes.io/service-name=checkout")
    assert (names(of_greeter), names(of_another)) == (["greeter-lab"], [])


def test_a_client_is_found_by_its_address_in_any_namespace() -> None:
    assert names(List("pods", field_selector="status.podIP=127.0.1.11")) == [CALLER]


def test_pods_are_found_by_their_labels() -> None:
    assert names(List("pods", "lab", label_selector="app=greeter")) == [GREETER]


def test_another_namespace_is_empty() -> None:
    assert names(List("pods", "shop")) == []


def test_the_machine_is_the_only_node() -> None:
    assert names(List("nodes")) == ["localhost"]


def test_a_pod_is_as_old_as_its_process() -> None:
    reading = asyncio.run(LocalCluster(topology()).read(List("pods", "lab")))
    assert isinstance(reading.answer, Objects)
    created = {item.metadata.creation_timestamp for item in reading.answer.items}
    assert len(created) == 1
    assert None not in created
    assert max(filter(None, created)) < reading.at


def test_what_owns_the_pods_wants_as_many() -> None:
    answered = answer(Get("deployments", "greeter", "lab"))
    assert isinstance(answered, Objects)
    (deployment,) = answered.items
    assert isinstance(deployment, kube.Workload)
    assert deployment.spec.replicas == 1


@pytest.mark.parametrize(
    "request_",
    [
        Get("services", "checkout", "lab"),
        Get("services", "greeter", "shop"),
        Get("statefulsets", "greeter", "lab"),
        Exec("lab", "greeter-6d8f9c7b54-zzzzz", "greeter", ("sh", "-c", "", "grpclb", "0"), 5.0),
    ],
)
def test_what_is_not_there_is_not_found(request_: Request) -> None:
    answered = answer(request_)
    assert isinstance(answered, Refused)
    assert (answered.reason, answered.status) == (GapReason.DIED, 404)


def test_a_field_that_is_not_known_is_refused() -> None:
    answered = answer(List("pods", "lab", field_selector="spec.nodeName=localhost"))
    assert isinstance(answered, Refused)
    assert answered.status == 400


def test_a_single_look_shows_the_connection_and_who_made_it(connected: tuple[int, int]) -> None:
    port, client_port = connected
    looked = looks(topology(port))
    assert isinstance(looked, Looks)
    assert [(seen.local, seen.peer, seen.peer_port) for seen in looked.seen] == [
        ("127.0.0.11", "127.0.1.11", client_port)
    ]


def test_two_looks_show_that_a_connection_lasts(connected: tuple[int, int]) -> None:
    looked = looks(topology(connected[0]), window=0.05)
    assert isinstance(looked, Looks)
    assert (looked.waited, [seen.lasting for seen in looked.seen]) == (0.05, [True])


def test_a_look_that_takes_too_long_is_cut_off() -> None:
    answered = answer(look_request("lab", GREETER, "greeter", window=60.0, seconds=0.05))
    assert isinstance(answered, Output)
    assert answered.gap is GapReason.TIMED_OUT


def test_any_other_command_is_refused() -> None:
    answered = answer(Exec("lab", GREETER, "greeter", ("cat", "/proc/net/tcp"), 5.0))
    assert isinstance(answered, Refused)
    assert answered.reason is GapReason.NO_SHELL


def test_the_look_at_a_process_that_has_ended_is_a_gap_and_not_an_idle_pod(ended: int) -> None:
    answered = answer(look_request("lab", GREETER, "greeter", 0.0, 5.0), topology(pid=ended))
    assert isinstance(answered, Refused)
    assert answered.reason is GapReason.DIED


def test_a_process_that_has_ended_is_no_ready_endpoint(ended: int) -> None:
    answered = answer(List("endpointslices", "lab"), topology(pid=ended))
    assert isinstance(answered, Objects)
    (slice_,) = answered.items
    assert isinstance(slice_, kube.EndpointSlice)
    assert [endpoint.conditions.ready for endpoint in slice_.endpoints or ()] == [False]


@pytest.mark.parametrize(("headless", "connections"), [(False, 2), (True, 6)])
def test_the_diagnosis_sees_the_connections_that_the_answers_prove(headless: bool, connections: int) -> None:
    async def look() -> tuple[Lab, Counter[tuple[str, str]]]:
        async with Lab(servers=3, clients=2, headless=headless, policy="round_robin") as lab:
            snapshot = await gather(LocalCluster(lab.topology), Ask("lab", "greeter", window=0.2))
            clients = derive(snapshot).clients
            return lab, Counter((client.name, pod) for client in clients for pod in client.pods)

    lab, seen = asyncio.run(look())
    proven = {(client, pod) for client, counts in lab.answers().items() for pod, count in counts.items() if count}
    assert len(proven) == connections
    assert seen == Counter(proven)
