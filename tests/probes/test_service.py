"""Which port of a Service carries gRPC, and what the Service does with connections."""

import msgspec
import pytest

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.errors import UsageError
from kubectl_grpclb.probes.service import read_service
from tests.shop import service


def the(**spec: object) -> kube.Service:
    return msgspec.convert(service(**spec), kube.Service)


GRPC = {"name": "grpc", "port": 80, "targetPort": "grpc"}
HTTP = {"name": "http", "port": 8080}
METRICS = {"name": "metrics", "port": 9090}


@pytest.mark.parametrize(
    ("ports", "number"),
    [
        ([METRICS], 9090),
        ([HTTP, GRPC], 80),
        ([HTTP, {"name": "api-grpc", "port": 81}], 81),
        ([HTTP, {"name": "api", "port": 82, "appProtocol": "grpc"}], 82),
        ([HTTP, {"name": "api", "port": 83, "appProtocol": "kubernetes.io/h2c"}], 83),
        ([GRPC, {"name": "api", "port": 84, "appProtocol": "grpc"}], 84),
        ([{"name": "dns", "port": 53, "protocol": "UDP"}, HTTP], 8080),
    ],
)
def test_the_port_that_is_recognisably_grpc_is_chosen_else_the_only_one(ports: list[object], number: int) -> None:
    chosen = read_service(the(ports=ports), None)

    assert chosen.port is not None
    assert chosen.port.number == number


@pytest.mark.parametrize("wanted", ["http", "8080"])
def test_a_port_can_be_named_or_numbered(wanted: str) -> None:
    chosen = read_service(the(ports=[GRPC, HTTP]), wanted)

    assert chosen.port is not None
    assert chosen.port.name == "http"


def test_several_ports_without_a_hint_are_listed_for_the_user_to_choose() -> None:
    with pytest.raises(UsageError, match=r"8080  http\n.*9090  metrics\n.*--port NAME"):
        read_service(the(ports=[HTTP, METRICS]), None)


def test_two_ports_that_both_say_grpc_are_not_guessed_between() -> None:
    with pytest.raises(UsageError, match="several ports"):
        read_service(the(ports=[GRPC, {"name": "grpc-admin", "port": 81}]), None)


def test_a_port_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(UsageError, match=r'has no TCP port "81"; it has:\n  80  grpc'):
        read_service(the(), "81")


def test_a_headless_service_without_ports_takes_the_container_port_from_the_user() -> None:
    chosen = read_service(the(clusterIP="None", ports=[]), "50051")

    assert chosen.port is not None
    assert (chosen.headless, chosen.port.target) == (True, 50051)


def test_a_target_port_that_is_not_given_is_the_port_itself() -> None:
    chosen = read_service(the(ports=[{"port": 50051}]), None)

    assert chosen.port is not None
    assert chosen.port.target == 50051


def test_an_external_name_needs_no_port() -> None:
    chosen = read_service(the(type="ExternalName", externalName="greeter.example.com", ports=None), None)

    assert (chosen.port, chosen.external_name) == (None, "greeter.example.com")


def test_terminal_escapes_in_a_port_name_do_not_reach_the_message() -> None:
    with pytest.raises(UsageError) as raised:
        read_service(the(ports=[{"name": "a\x1b[31m", "port": 1}, {"name": "b", "port": 2}]), None)

    assert "\x1b" not in str(raised.value)
