"""Calls and connections set against each other, and the clients that make the difference."""

from msgspec.structs import replace

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.rules import analyse
from tests.rules.builders import (
    HEADLESS,
    UNREADABLE,
    behind,
    carrying,
    codes,
    connection,
    facts,
    lasting,
    metered,
    pod,
    sockets,
    the,
    tier,
    told,
)

ONE, TWO, THREE = "10.244.1.21", "10.244.1.22", "10.244.1.23"


def of_clients(*counts: int) -> Facts:
    """Pods with a client each, which makes so many calls."""
    return facts([told(number, carrying(count, f"10.244.1.{number + 10}")) for number, count in enumerate(counts, 11)])


def test_a_client_that_calls_far_more_than_the_others_is_named() -> None:
    report = analyse(of_clients(900, 50, 50))
    found = the(report, "GLB106")

    assert codes(report) == ["GLB106"]
    assert (found.severity, found.confidence) == ("error", "high")
    assert found.message.startswith(
        "The connections are spread evenly, and the calls over them are not: greeter-7c9f8d5b6-00011 gets 90% of the "
        "calls. caller-5d6c7b8f9-21 makes 90% of all calls, about 18 times as many as the median of the other clients. "
        "A channel sends "
    )


def test_a_client_that_sends_far_more_than_the_others_over_even_connections_is_named() -> None:
    sent = {11: 90_000, 12: 5_000, 13: 5_000}
    pods = [
        pod(number, sockets([connection(f"10.244.1.{number + 10}", received=received)], tool="ss"))
        for number, received in sent.items()
    ]

    report = analyse(facts(pods))
    found = the(report, "GLB106")

    assert (codes(report), found.confidence) == (["GLB106"], "medium")
    assert found.message.startswith(
        "The connections are spread evenly, and the bytes over them are not: greeter-7c9f8d5b6-00011 gets 90% of the "
        "bytes. caller-5d6c7b8f9-21 sends 90% of all bytes, about 18 times as many as the median of the other clients. "
    )
    assert found.evidence[0] == "greeter-7c9f8d5b6-00011: 90,000 bytes over 1 lasting connection (ss)"
    assert found.evidence[3] == "caller-5d6c7b8f9-21 (10.244.1.21): 90,000 bytes over 1 connection, to 1 pod"


def test_bytes_over_connections_that_stick_are_left_to_the_connections() -> None:
    busy, calm = connection(ONE, received=90_000), connection(TWO, received=900)

    report = analyse(facts([pod(11, sockets([busy, calm], tool="ss")), pod(12, sockets(tool="ss"))]))

    assert codes(report) == ["GLB101"]


def test_of_two_clients_one_can_be_heavy() -> None:
    assert "caller-5d6c7b8f9-21 makes 99% of all calls" in the(analyse(of_clients(1000, 10)), "GLB106").message


def test_a_client_beside_others_that_make_no_call_is_heavy() -> None:
    found = the(analyse(of_clients(300, 0, 0)), "GLB106")

    assert "caller-5d6c7b8f9-21 makes 100% of all calls, many times as many as the median" in found.message


def test_a_client_that_reaches_several_pods_is_not_said_to_have_one_connection() -> None:
    report = analyse(facts([told(11, carrying(900)), told(12, carrying(50)), told(13, carrying(50))]))

    assert "over the connection that it has" not in the(report, "GLB106").message


def test_several_heavy_clients_are_named_together() -> None:
    pods = [
        told(11, carrying(500, ONE), carrying(500, TWO)),
        told(12, carrying(10, THREE), carrying(10, "10.244.1.24")),
        told(13, carrying(10, "10.244.1.25"), carrying(10, "10.244.1.26")),
    ]

    found = the(analyse(facts(pods)), "GLB106")

    assert (
        "caller-5d6c7b8f9-21 and caller-5d6c7b8f9-22 make 96% of all calls, each about 50 times as many as the "
        "median of the other clients." in found.message
    )


def test_evidence_leads_with_the_heavy_client() -> None:
    evidence = the(analyse(of_clients(900, 50, 50)), "GLB106").evidence

    assert evidence[0] == "greeter-7c9f8d5b6-00011: 900 calls over 1 lasting connection (channelz)"
    assert evidence[3] == "caller-5d6c7b8f9-21 (10.244.1.21): 180.0 calls a second over 1 connection, to 1 pod"


def test_even_calls_over_even_connections_are_no_finding() -> None:
    assert codes(analyse(of_clients(300, 310, 290))) == []


def test_a_single_client_with_one_busy_channel_of_several_is_not_called_heavy() -> None:
    found = the(analyse(facts([told(11, carrying(900)), told(12, carrying(50)), told(13, carrying(50))])), "GLB106")

    assert "median" not in found.message


def test_a_client_that_balances_its_calls_itself_is_not_the_cause() -> None:
    spread = [carrying(300, ONE) for _ in range(3)]
    pods = [told(11, spread[0], carrying(1, TWO)), told(12, spread[1], carrying(1, TWO))]

    report = analyse(facts([*pods, told(13, carrying(3000, ONE), carrying(1, TWO))], service=HEADLESS))

    assert "caller-5d6c7b8f9-21 makes 100% of all calls" in the(report, "GLB106").message
    assert codes(analyse(facts([*pods, told(13, spread[2], carrying(1, TWO))], service=HEADLESS))) == []


def test_calls_over_connections_that_are_gone_count_as_well() -> None:
    gone = of_clients(20, 1, 1)
    busy = replace(gone.pods[0], counted=(replace(gone.pods[0].counted[0], requests=2000),))

    found = the(analyse(replace(gone, pods=(busy, *gone.pods[1:]))), "GLB106")

    assert "of all calls" not in found.message


def test_a_heavy_address_that_is_no_pod_may_be_many_clients() -> None:
    found = of_clients(900, 50, 50)
    node = replace(found.clients[0], kind="Node", name="node-a", owner=None)

    said = the(analyse(replace(found, clients=(node, *found.clients[1:]))), "GLB106").message

    assert "node-a makes 90% of all calls" in said
    assert "Many clients may be behind an address that is not a pod's." in said


def test_metrics_and_sockets_name_only_candidates() -> None:
    report = analyse(facts([metered(11, 900, lasting(1)), metered(12, 50, lasting(1)), metered(13, 50, lasting(1))]))
    found = the(report, "GLB106")

    assert codes(report) == ["GLB106"]
    assert "The servers' metrics do not say who makes them; connected to it is caller-5d6c7b8f9-21." in found.message
    assert found.evidence == (
        "greeter-7c9f8d5b6-00011: 900 calls over 1 lasting connection (metrics)",
        "greeter-7c9f8d5b6-00012: 50 calls over 1 lasting connection (metrics)",
        "greeter-7c9f8d5b6-00013: 50 calls over 1 lasting connection (metrics)",
    )


def test_uneven_calls_whose_connections_nobody_saw_are_told_with_less_confidence() -> None:
    found = the(analyse(facts([metered(11, 900, UNREADABLE), metered(12, 10, UNREADABLE)])), "GLB106")

    assert found.confidence == "medium"
    assert found.message.startswith(
        "greeter-7c9f8d5b6-00011 gets 99% of the calls; over which connections could not be seen. A channel"
    )


def test_uneven_calls_of_some_pods_are_said_to_be_those_of_some() -> None:
    pods = [metered(number, 900 if number == 11 else 0, UNREADABLE) for number in range(11, 20)]

    found = the(analyse(facts([*pods, pod(20, UNREADABLE)])), "GLB106")

    assert found.message.startswith("Among the 9 ready pods whose calls are known, greeter-7c9f8d5b6-00011 gets 100%")


def test_uneven_calls_without_a_connection_that_lasts_are_told() -> None:
    found = the(analyse(facts([metered(11, 900, sockets(passed=2)), metered(12, 10, sockets(passed=2))])), "GLB106")

    assert "gets 99% of the calls; no connection that was seen lasts. Balance" in found.message


def test_uneven_calls_to_a_pod_whose_connections_nobody_saw_are_told() -> None:
    pods = [metered(11, 50, lasting(2)), metered(12, 900, UNREADABLE), metered(13, 50, UNREADABLE)]

    found = the(analyse(facts(pods)), "GLB106")

    assert found.confidence == "medium"
    assert found.message.startswith("greeter-7c9f8d5b6-00012 gets 90% of the calls; over which connections could not")


def test_uneven_calls_over_uneven_connections_are_left_to_the_connections() -> None:
    assert codes(analyse(facts([metered(11, 900, lasting(3)), metered(12, 0, lasting(0))]))) == ["GLB101"]


def test_a_heavy_client_on_uneven_connections_stands_beside_them() -> None:
    pods = [told(11, carrying(900, ONE), carrying(10, TWO), carrying(10, THREE)), told(12), told(13)]

    assert codes(analyse(facts(pods))) == ["GLB101", "GLB106"]


def test_the_target_to_dial_is_the_service_itself_where_it_is_headless() -> None:
    found = the(analyse(replace(of_clients(900, 50, 50), service=HEADLESS)), "GLB106")

    assert "dns:///greeter.shop.svc.cluster.local:50051" in found.message


def test_behind_envoys_of_a_fix_uneven_calls_are_not_said_to_stick() -> None:
    fixed = replace(of_clients(900, 50, 50), tiers=(tier(),))

    assert not {"GLB106", "GLB107"} & set(codes(analyse(fixed)))


def test_idle_connections_beside_busy_ones_are_said_to_be_idle() -> None:
    idle = [carrying(0, ONE) for _ in range(5)]

    report = analyse(facts([told(11, carrying(100), *idle), told(12, carrying(100)), told(13, carrying(100))]))
    found = the(report, "GLB107")

    assert codes(report) == ["GLB107"]
    assert found.severity == "info"
    assert found.message.startswith(
        "greeter-7c9f8d5b6-00011 holds 6 of the 8 connections, but calls are what loads a pod, and they are spread "
        "over 3 pods. 5 connections carried no call."
    )
    assert found.evidence[0] == (
        "greeter-7c9f8d5b6-00011: 6 connections, 5 of them without a call; 100 calls (channelz)"
    )


def test_a_connection_with_an_open_stream_is_not_said_to_be_idle() -> None:
    open_ = carrying(0, open_streams=1, held_streams=1)

    report = analyse(facts([told(11, carrying(100), *[open_] * 5), told(12, carrying(100)), told(13, carrying(100))]))

    assert "carried no call" not in the(report, "GLB107").message


def test_pods_that_hold_as_many_are_named_together() -> None:
    pods = [metered(11, 100, lasting(1)), metered(12, 100, lasting(1)), metered(13, 100, sockets(passed=1))]

    found = the(analyse(facts(pods)), "GLB107")

    assert found.message.startswith(
        "greeter-7c9f8d5b6-00011 and greeter-7c9f8d5b6-00012 hold 1 each of the 2 lasting connections, but"
    )


def test_connections_of_some_pods_only_are_not_called_uneven() -> None:
    pods = [metered(11, 100, lasting(5)), metered(12, 100, lasting(0)), metered(13, 100, UNREADABLE)]

    assert codes(analyse(facts(pods))) == ["GLB901"]


def test_one_pod_has_nothing_to_be_uneven_with() -> None:
    assert codes(analyse(facts([metered(11, 100, lasting(5))]))) == []


def test_uneven_connections_behind_envoys_are_no_finding() -> None:
    servers = [pod(11, lasting(0), requests=100), pod(12, lasting(0), requests=100)]

    assert codes(analyse(behind(servers))) == []
