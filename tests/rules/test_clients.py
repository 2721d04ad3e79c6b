"""Whom the findings name, and of which pods they speak: nobody who is not involved, and no pod that was not read."""

from msgspec.structs import replace

from kubectl_grpclb.rules import analyse
from tests.rules.builders import CLUSTER_IP, HEADLESS, UNREADABLE, connection, facts, lasting, pod, sockets, the


def test_a_client_that_only_keeps_a_pod_that_is_not_ready_is_not_blamed() -> None:
    sticky = pod(11, sockets([connection(), connection()]))
    drained = pod(14, sockets([connection("10.244.1.99")]), ready=False, terminating=True)
    found = facts([sticky, pod(12, lasting(0)), pod(13, lasting(0)), drained])
    innocent = replace(found.clients[1], owner="Deployment/reports")

    report = analyse(replace(found, clients=(found.clients[0], innocent)))

    assert innocent.name not in "".join([*the(report, "GLB101").message, *the(report, "GLB101").evidence])
    assert the(report, "GLB101").next[-1] == "kubectl rollout restart deployment/caller -n shop"
    assert the(report, "GLB102").evidence[0] == "2 connections in total, from caller-5d6c7b8f9-21"
    assert the(report, "GLB206").next == ("kubectl rollout restart deployment/reports -n shop",)


def test_connections_to_a_pod_that_is_not_ready_do_not_count_for_a_ready_one() -> None:
    elsewhere = pod(13, lasting(5), ready=False, terminating=True)

    report = analyse(facts([pod(11, lasting(2)), pod(12, lasting(0)), elsewhere], service=HEADLESS))

    assert the(report, "GLB103").evidence[0] == (
        "caller-5d6c7b8f9-21 (10.244.1.21): 2 connections, only to greeter-7c9f8d5b6-00011 of 2 pods"
    )


def test_with_unread_pods_sticking_is_said_of_those_that_could_be_read() -> None:
    idle = [pod(number, sockets(tool="ss")) for number in range(12, 20)]
    busy = pod(11, sockets([connection(received=90_000)] * 9, tool="ss"))

    found = the(analyse(facts([busy, *idle, pod(20, UNREADABLE)])), "GLB101")

    assert found.message.startswith("Among the 9 ready pods that could be read, all 9 connections of caller")
    assert "8 of the 9 that could be read get nothing" in found.message
    assert "caller-5d6c7b8f9-21 (10.244.1.21): reaches 1 of 9 pods that could be read" in found.evidence
    assert found.confidence == "medium"


def test_with_unread_pods_added_later_is_said_of_those_that_could_be_read() -> None:
    young = [pod(number, sockets(tool="ss"), age=60.0) for number in range(12, 20)]
    busy = pod(11, sockets([connection(received=90_000)] * 9, tool="ss"))

    found = the(analyse(facts([busy, *young, pod(20, UNREADABLE)])), "GLB104")

    assert found.message.startswith("Among the 9 ready pods that could be read, the 8 youngest pods")
    assert found.confidence == "medium"


def test_with_unread_pods_an_address_that_clients_stay_on_is_one_of_those_that_could_be_read() -> None:
    idle = [pod(number, lasting(0)) for number in range(12, 20)]

    found = the(analyse(facts([pod(11, lasting(9)), *idle, pod(20, UNREADABLE)], service=HEADLESS)), "GLB103")

    assert found.message.startswith("Among the 9 ready pods that could be read, caller-5d6c7b8f9-21 stays on one")
    assert "gives all 10 addresses" in found.message


def test_with_unread_pods_affinity_pins_what_could_be_seen() -> None:
    idle = [pod(number, lasting(0)) for number in range(12, 20)]
    affine = replace(CLUSTER_IP, session_affinity=True)

    found = the(analyse(facts([pod(11, lasting(9)), *idle, pod(20, UNREADABLE)], service=affine)), "GLB201")

    assert "all of its connections that could be seen on one pod" in found.message


def test_a_client_that_reaches_pods_over_ipv4_and_ipv6_does_not_stay_on_one_address() -> None:
    sticky = [connection("10.244.1.22") for _ in range(4)]
    pods = [pod(11, sockets([connection("10.244.1.21"), *sticky])), pod(12, sockets([connection("fd00:1::21")]))]
    found = facts([*pods, pod(13, lasting(0))], service=HEADLESS)
    both = replace(found.clients[0], also=("fd00:1::21",), pods=(pods[0].name, pods[1].name), connections=2)

    staying = the(analyse(replace(found, clients=(both, found.clients[1]))), "GLB103")

    assert staying.message.startswith("caller-5d6c7b8f9-22 stays on one pod each")
    assert len([line for line in staying.evidence if ", only to " in line]) == 1
