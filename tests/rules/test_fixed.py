"""What the rules say of a Service with a fix: in use, gone past, or half gone."""

from msgspec.structs import replace

from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.rules import analyse
from tests.rules.builders import (
    CLUSTER_IP,
    UNREADABLE,
    behind,
    codes,
    connection,
    from_envoy,
    lasting,
    of_counts,
    pod,
    served,
    sockets,
    the,
    tier,
)


def test_a_fix_that_everything_goes_through_has_no_finding() -> None:
    assert codes(analyse(served(100, 100, 100))) == []


def test_connections_past_envoy_are_named_with_their_client_and_how_to_move_them() -> None:
    found = the(analyse(served(100, 100, 100, past=2)), "GLB105")

    assert (found.severity, found.confidence) == ("warning", "high")
    assert "2 connections of caller-5d6c7b8f9-21 still lead straight to greeter-7c9f8d5b6-00011" in found.message
    assert found.next == ("kubectl rollout restart deployment/caller -n shop",)
    assert found.evidence[0] == "caller-5d6c7b8f9-21 (10.244.1.21): 2 connections bypassing Envoy, to 1 pod"


def test_what_a_client_holds_on_a_pod_that_is_not_ready_is_not_said_to_go_past_envoy() -> None:
    gone = pod(13, lasting(4), ready=False, terminating=True)

    found = the(analyse(behind([pod(11, sockets([*from_envoy(), connection()]), requests=100), gone])), "GLB105")

    assert found.evidence[0] == "caller-5d6c7b8f9-21 (10.244.1.21): 1 connection bypassing Envoy, to 1 pod"


def test_one_connection_past_envoy_is_told_in_the_singular() -> None:
    message = the(analyse(served(100, 100, 100, past=1)), "GLB105").message

    assert "1 connection of caller-5d6c7b8f9-21 still leads straight to" in message
    assert "until it closes" in message


def test_load_that_sticks_past_envoy_has_one_cause() -> None:
    through = [connection("10.244.2.31", received=1_000)]
    hot = sockets([*through, connection(received=90_000)])

    report = analyse(behind([pod(11, hot), *(pod(number, sockets(through), age=60.0) for number in (12, 13))]))

    assert (report.verdict, codes(report)) == ("unbalanced", ["GLB105"])


def test_connections_past_envoy_that_do_not_last_move_by_themselves() -> None:
    passing = sockets([*from_envoy(), connection(lasting=False)])

    assert "GLB105" not in codes(analyse(behind([pod(11, passing, requests=100)])))


def test_unread_servers_show_nobody_who_goes_past() -> None:
    assert codes(analyse(served(100, 100, held=UNREADABLE))) == ["GLB901"]


def test_uneven_requests_are_not_put_down_to_kube_proxy() -> None:
    report = analyse(served(300, 0, 0))

    assert (report.verdict, codes(report)) == ("unbalanced", [])


def test_affinity_to_an_envoy_pins_nothing() -> None:
    report = analyse(replace(served(100, 100), service=replace(CLUSTER_IP, session_affinity=True)))

    assert "GLB201" not in codes(report)


def test_envoys_connections_to_a_pod_that_is_not_ready_are_not_held_against_it() -> None:
    gone = pod(12, sockets(from_envoy()), ready=False)
    held = pod(13, sockets([connection()]), ready=False)

    assert "GLB206" not in codes(analyse(behind([pod(11, sockets(from_envoy()), requests=100), gone])))
    assert "GLB206" in codes(analyse(behind([pod(11, sockets(from_envoy()), requests=100), held])))


def test_a_fix_that_the_service_leads_past_is_told_with_the_two_ways_on() -> None:
    report = analyse(of_counts(2, 0, 0, bundle="bypassed"))
    found = the(report, "GLB301")

    assert codes(report) == ["GLB301", "GLB101", "GLB102"]
    assert "greeter-grpclb-pods exists" in found.evidence[0]
    assert found.next == ("kubectl grpclb fix greeter -n shop", "kubectl grpclb rollback greeter -n shop")


def test_a_fix_that_the_service_leads_past_is_told_also_where_load_is_even() -> None:
    assert codes(analyse(of_counts(3, 3, 3, bundle="bypassed"))) == ["GLB301"]


def test_without_an_envoy_that_is_ready_the_service_leads_nowhere() -> None:
    down = tier(pods=1)
    down = replace(down, pods=(replace(down.pods[0], ready=False),))

    found = the(analyse(replace(served(100, 100), tiers=(down,))), "GLB205")

    assert "its only pod is not ready (greeter-grpclb-envoy-6b7f9c8d4-00031)" in found.message
    assert found.next[0] == "kubectl describe deployment greeter-grpclb-envoy -n shop"


def test_a_tier_without_a_pod_leads_nowhere() -> None:
    assert "has no pod" in the(analyse(replace(served(100), tiers=(tier(pods=0),))), "GLB205").message


def test_without_its_headless_service_envoy_finds_no_server() -> None:
    found = the(analyse(behind([], tiers=(tier(servers=None),))), "GLB205")

    assert "Service greeter-grpclb-pods, by whose name Envoy finds the servers, does not exist" in found.message


def test_a_headless_service_that_could_not_be_read_is_not_called_gone() -> None:
    report = analyse(behind([], tiers=(tier(servers=Gap(GapReason.FORBIDDEN, "no")),)))

    assert (report.verdict, codes(report)) == ("inconclusive", [])


def test_a_headless_service_that_matches_nothing_is_what_the_finding_is_about() -> None:
    found = the(analyse(behind([])), "GLB205")

    assert found.subject == "Service/shop/greeter-grpclb-pods"
    assert "No pod has the labels that the Service selects (app=greeter)" in found.message


def test_servers_behind_envoy_that_are_not_ready_are_told_as_without_a_fix() -> None:
    found = the(analyse(behind([pod(11, lasting(0), ready=False, waiting="ImagePullBackOff")])), "GLB205")

    assert "ImagePullBackOff" in found.message
