"""Ports of the Service, of the servers and of Envoy: named, numbered, several, low, and in each other's way."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubectl_grpclb.model.plan import Plan
from tests.remedies.builders import live, pods
from tests.remedies.envoy.builders import container_of, listeners_of, made, planned
from tests.shop import Data, servers

UNHURRIED = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
GRPC = {"name": "grpc", "port": 80, "targetPort": "grpc", "protocol": "TCP"}


def service(*ports: Data) -> Data:
    """A Service with these ports; 80 is the one that carries gRPC."""
    return live(ports=list(ports))


def port(number: int, target: int | str, name: str = "grpc") -> Data:
    """One port."""
    return {"name": name, "port": number, "targetPort": target, "protocol": "TCP"}


def declaring(*ports: Data) -> Any:
    """Servers whose containers declare these ports."""
    found = servers()
    for each in found:
        each["spec"]["containers"][0]["ports"] = list(ports)
    return pods(found)


def moved(plan: Plan) -> dict[str, Any]:
    """What the cut-over changes besides the selector."""
    assert plan.change is not None
    return {field.path: field.after for field in plan.change.fields[1:]}


def containers(plan: Plan) -> dict[str, int]:
    """Envoy's container ports by name."""
    return {each["name"]: each["containerPort"] for each in container_of(plan)["ports"]}


def test_a_named_target_port_stays_and_envoys_container_port_takes_its_name() -> None:
    plan = planned(service=service(port(80, "grpc")))

    assert moved(plan) == {}
    assert containers(plan)["grpc"] == 50051


def test_a_numbered_target_port_stays_where_envoy_may_listen_on_it() -> None:
    plan = planned(service=service(port(80, 50051)))

    assert moved(plan) == {}
    assert listeners_of(plan)["grpc"]["port_value"] == 50051


def test_a_port_below_1024_is_moved_and_the_service_follows() -> None:
    plan = planned(service=service(port(80, 443)))

    assert moved(plan) == {"/spec/ports/0/targetPort": 10443}
    assert listeners_of(plan)["grpc"]["port_value"] == 10443
    assert made(plan, "Service")["spec"]["ports"][0]["port"] == 443


def test_a_target_port_that_is_left_out_is_the_services_own() -> None:
    plan = planned(service=service({"port": 50051, "protocol": "TCP"}, GRPC))

    assert listeners_of(plan)["grpc"]["port_value"] == 50051


def test_a_target_port_that_is_envoys_admin_port_is_moved() -> None:
    plan = planned(service=service(port(80, 19000)))

    assert moved(plan) == {"/spec/ports/0/targetPort": 29000}


@pytest.mark.parametrize("taken", [19001, 19002, 19003, 19099])
def test_envoys_own_listeners_make_room_for_the_service(taken: int) -> None:
    plan = planned(service=service(port(80, taken)))

    numbers = [each["port_value"] for each in listeners_of(plan).values()]
    assert listeners_of(plan)["grpc"]["port_value"] == taken
    assert len(set(numbers)) == len(numbers)


def test_every_port_of_the_service_is_passed_through() -> None:
    plan = planned(service=service(port(80, 50051), port(9090, 9090, "metrics")))

    assert listeners_of(plan)["tcp-9090"]["port_value"] == 9090
    assert set(containers(plan).values()) >= {50051, 9090}
    assert [each["port"] for each in made(plan, "Service")["spec"]["ports"]] == [50051, 9090]


def test_two_ports_of_the_service_that_lead_to_one_of_the_servers_are_one_of_envoys() -> None:
    plan = planned(service=service(port(80, 50051), port(8080, 50051, "legacy")))

    numbers = [each["port_value"] for each in listeners_of(plan).values()]
    assert numbers.count(50051) == 1
    assert [each["port"] for each in made(plan, "Service")["spec"]["ports"]] == [50051]


def test_a_name_that_no_pod_declares_is_refused_with_its_reason() -> None:
    plan = planned(service=service(port(80, 50051), port(9090, "metrics", "metrics")))

    assert [check.name for check in plan.refused] == ["ports"]
    assert "no pod declares a container port named metrics" in plan.refused[0].message
    assert plan.changes_nothing


def test_a_name_that_is_different_numbers_is_refused_with_both() -> None:
    mixed = declaring({"name": "grpc", "containerPort": 50051}, {"name": "grpc", "containerPort": 50052})

    plan = planned(service=service(port(80, "grpc")), pods=mixed)

    assert "(50051, 50052)" in plan.refused[0].message


def test_a_port_that_follows_one_of_another_protocol_is_moved_itself() -> None:
    dns = {"name": "dns", "port": 53, "targetPort": 5353, "protocol": "UDP"}

    plan = planned(service=service(dns, port(80, 443)))

    assert moved(plan) == {"/spec/ports/1/targetPort": 10443}


def test_a_port_of_another_protocol_is_refused() -> None:
    plan = planned(service=service(port(80, 50051), {"name": "dns", "port": 53, "targetPort": 5353, "protocol": "UDP"}))

    assert "ports" in [check.name for check in plan.refused]


@pytest.mark.parametrize(("low", "in_the_way", "moved_to"), [(443, 10443, 10444), (19000, 29000, 29001)])
def test_a_port_is_not_moved_to_one_that_the_service_has_already(low: int, in_the_way: int, moved_to: int) -> None:
    plan = planned(service=service(port(80, low), port(81, in_the_way, "other")))

    assert moved(plan) == {"/spec/ports/0/targetPort": moved_to}
    assert listeners_of(plan)[f"tcp-{in_the_way}"]["port_value"] == in_the_way


TARGETS = st.one_of(st.integers(1, 65535), st.sampled_from([80, 443, 10080, 10443, 19000, 19001, 19002, 29000]))


@UNHURRIED
@given(st.lists(TARGETS, min_size=1, max_size=8, unique=True))
def test_envoys_listeners_never_collide(targets: list[int]) -> None:
    ports = [port(80 + place, target, f"p{place}") for place, target in enumerate(targets)]
    plan = planned(service=service(*ports))

    numbers = [each["port_value"] for each in listeners_of(plan).values()]
    names = [each["name"] for each in container_of(plan)["ports"]]
    assert len(set(numbers)) == len(numbers)
    assert len(set(names)) == len(names)
    assert min(numbers) >= 1024
    assert max(numbers) <= 65535
    assert 19000 not in numbers


def test_two_names_for_one_container_port_are_declared_once() -> None:
    both = declaring({"name": "grpc", "containerPort": 50051}, {"name": "alias", "containerPort": 50051})

    plan = planned(service=service(port(80, "grpc"), port(81, "alias", "alias")), pods=both)

    numbers = [each["containerPort"] for each in container_of(plan)["ports"]]
    assert len(set(numbers)) == len(numbers)
