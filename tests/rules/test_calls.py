"""Calls, where a source counts them, decide before bytes and connections."""

import pytest
from msgspec.structs import replace

from kubectl_grpclb.model.facts import Pod
from kubectl_grpclb.rules import analyse
from kubectl_grpclb.rules.assess import assess
from tests.rules.builders import (
    UNREADABLE,
    behind,
    calls,
    carrying,
    channelz,
    codes,
    connection,
    facts,
    from_envoy,
    lasting,
    metered,
    pod,
    sockets,
    the,
    told,
)


def test_uneven_calls_over_even_connections_are_unbalanced() -> None:
    load = assess(facts([told(11, carrying(900)), told(12, carrying(50)), told(13, carrying(50))]))

    assert (load.verdict, load.balance.signal, load.confidence) == ("unbalanced", "requests", "high")
    assert load.balance.sources == ("channelz",)
    assert load.reason == "the 3 ready pods do the work of 1.2; the busiest has 90% of the requests"


def test_even_calls_over_uneven_connections_are_balanced() -> None:
    report = analyse(facts([metered(11, 100, lasting(6)), metered(12, 98, lasting(1)), metered(13, 102, lasting(1))]))

    assert (report.verdict, report.balance.signal) == ("balanced", "requests")
    assert codes(report) == ["GLB107"]


def test_too_few_calls_leave_it_to_connections_and_make_nobody_sure() -> None:
    load = assess(facts([metered(11, 3, lasting(4)), metered(12, 1, lasting(0)), metered(13, 0, lasting(0))]))

    assert (load.verdict, load.balance.signal, load.confidence) == ("unbalanced", "connections", "low")


def test_calls_of_all_pods_tell_although_nobody_saw_a_connection() -> None:
    load = assess(facts([metered(11, 300, UNREADABLE), metered(12, 290, UNREADABLE), metered(13, 310, UNREADABLE)]))

    assert (load.verdict, load.confidence, load.unread) == ("balanced", "high", ())
    assert load.balance.chance is None


def test_no_call_and_no_connection_that_could_be_seen_is_not_called_idle() -> None:
    load = assess(facts([metered(11, 0, UNREADABLE), metered(12, 0, UNREADABLE)]))

    assert load.verdict == "inconclusive"
    assert load.reason.startswith("no request came to 2 ready pods meanwhile")


def test_no_call_and_no_connection_is_idle() -> None:
    assert assess(facts([metered(11, 0, lasting(0)), metered(12, 0, lasting(0))])).verdict == "idle"


def test_a_single_call_to_a_pod_that_nobody_can_look_into_is_too_few() -> None:
    load = assess(facts([metered(11, 1, UNREADABLE), metered(12, 0, UNREADABLE)]))

    assert load.reason.startswith("only 1 request came to 2 ready pods")


def test_a_single_pod_has_whatever_calls_there_are() -> None:
    assert assess(facts([metered(11, 1, lasting(1))])).verdict == "balanced"


def test_calls_of_fewer_pods_than_connections_leave_it_to_connections() -> None:
    load = assess(facts([metered(11, 110, lasting(2)), metered(12, 100, lasting(2)), pod(13, lasting(2))]))

    assert (load.verdict, load.balance.signal) == ("balanced", "connections")


def test_calls_that_are_uneven_are_not_passed_over_because_one_pod_did_not_tell() -> None:
    known = [metered(11, 5000, lasting(3)), *(metered(number, 10, lasting(3)) for number in range(12, 20))]

    load = assess(facts([*known, pod(20, lasting(3))]))

    assert (load.verdict, load.balance.signal, load.balance.unread) == ("unbalanced", "requests", 1)


def test_uneven_calls_that_one_unknown_pod_could_change_make_no_verdict() -> None:
    load = assess(facts([metered(11, 320, lasting(2)), metered(12, 100, lasting(2)), pod(13, lasting(2))]))

    assert (load.verdict, load.balance.signal) == ("inconclusive", "requests")


def test_connections_that_stick_tell_where_only_the_busy_pods_count_calls() -> None:
    """A grpc-go server without InitializeMetrics has no counter before its first call."""
    busy = [metered(11, 500, lasting(1)), metered(12, 50, lasting(1))]

    report = analyse(facts([*busy, *(pod(number, lasting(0)) for number in range(13, 21))]))

    assert (report.verdict, report.balance.signal, report.balance.unread) == ("unbalanced", "connections", 0)
    assert codes(report) == ["GLB101", "GLB102"]


def test_pods_whose_calls_are_not_known_are_not_said_to_be_out_of_sight() -> None:
    load = assess(facts([metered(11, 320, lasting(2)), metered(12, 100, lasting(2)), pod(13, lasting(2))]))

    assert load.reason == "the calls of 1 of 3 ready pods are not known, and could change the verdict"


def test_calls_that_are_not_known_of_one_pod_are_not_said_to_be_too_few() -> None:
    known = [metered(number, 500, sockets()) for number in (11, 12)]

    load = assess(facts([*known, pod(13, sockets())]))

    assert (load.verdict, load.balance.unread) == ("inconclusive", 1)
    assert load.reason == "the calls of 1 of 3 ready pods are not known, and could change the verdict"


def test_too_few_calls_are_those_of_the_pods_whose_calls_are_known() -> None:
    load = assess(facts([metered(11, 4, UNREADABLE), metered(12, 3, UNREADABLE), pod(13, UNREADABLE)]))

    assert load.reason.startswith("only 7 requests came to the 2 ready pods whose calls are known meanwhile: too few")


def test_few_calls_over_connections_that_nobody_saw_are_not_called_idle() -> None:
    load = assess(facts([metered(number, 7, lasting(0)) for number in (11, 12, 13)]))

    assert load.verdict == "inconclusive"
    assert "only 21 requests" in load.reason
    assert load.balance.effective_pods is None


def test_what_health_checks_may_explain_is_idle() -> None:
    load = assess(facts([metered(number, 1, lasting(0)) for number in (11, 12, 13)]))

    assert load.verdict == "idle"


def test_lives_of_pods_that_are_not_as_old_are_not_compared() -> None:
    ages = {11: 864_000.0, 12: 864_000.0, 13: 3600.0}
    pods = [
        pod(number, lasting(2), age=age, counted=(replace(calls(int(age), "metrics"), seconds=0.0),))
        for number, age in ages.items()
    ]

    load = assess(facts(pods))

    assert (load.verdict, load.balance.signal) == ("balanced", "connections")


def test_calls_of_some_pods_are_trusted_less_where_nothing_tells_of_the_others() -> None:
    pods = [metered(11, 900, UNREADABLE), *(metered(number, 0, UNREADABLE) for number in range(12, 20))]

    load = assess(facts([*pods, pod(20, UNREADABLE)]))

    assert (load.verdict, load.confidence, load.balance.unread) == ("unbalanced", "medium", 1)


def test_calls_that_unread_pods_could_even_out_make_no_verdict() -> None:
    load = assess(facts([metered(11, 100, UNREADABLE), metered(12, 101, UNREADABLE), pod(13, UNREADABLE)]))

    assert load.verdict == "inconclusive"


def test_calls_of_a_window_are_not_set_beside_those_of_a_life() -> None:
    life = pod(13, UNREADABLE, counted=(calls(90_000, "metrics", seconds=0.0),))

    load = assess(facts([metered(11, 100, UNREADABLE), metered(12, 100, UNREADABLE), life]))

    assert load.loads == {"greeter-7c9f8d5b6-00011": 100.0, "greeter-7c9f8d5b6-00012": 100.0}
    assert [each.name for each in load.unread] == ["greeter-7c9f8d5b6-00013"]


def test_calls_of_lives_are_trusted_less() -> None:
    pods = [pod(number, UNREADABLE, counted=(calls(90, "metrics", seconds=0.0),)) for number in (11, 12)]

    assert assess(facts(pods, window=0.0)).confidence == "medium"


def life(number: int, *counts: int) -> Pod:
    """A single look at channelz, which counts the calls of each connection's life."""
    held = channelz(*map(carrying, counts), waited=0.0)
    return pod(number, held, counted=(calls(sum(counts), seconds=0.0),))


def test_calls_of_even_connections_that_are_not_as_old_tell_no_load() -> None:
    report = analyse(facts([life(11, 1_000_000), life(12, 1_000_000), life(13, 700)], window=0.0))

    assert (report.verdict, report.balance.signal, codes(report)) == ("balanced", "connections", [])


def test_calls_of_the_lives_of_connections_that_stick_decide() -> None:
    load = assess(facts([life(11, 900, 800), life(12, 40), life(13)], window=0.0))

    assert (load.verdict, load.balance.signal, load.confidence) == ("unbalanced", "requests", "medium")


def test_all_calls_are_taken_from_the_source_that_tells_of_most_pods() -> None:
    both = (calls(10, "channelz"), calls(100, "metrics"))
    pods = [pod(11, UNREADABLE, counted=both), metered(12, 100, UNREADABLE), metered(13, 100, UNREADABLE)]

    load = assess(facts(pods))

    assert (load.verdict, load.balance.sources) == ("balanced", ("metrics",))


def test_messages_in_open_streams_decide_where_they_outnumber_the_calls() -> None:
    busy = carrying(1, open_streams=1, held_streams=1, messages=900)
    calm = carrying(1, open_streams=1, held_streams=1, messages=30)

    load = assess(facts([told(11, busy), told(12, calm), told(13, calm)]))

    assert (load.verdict, load.balance.signal) == ("unbalanced", "streams")
    assert "94% of the messages in open streams" in load.reason


def test_messages_of_unary_calls_leave_it_to_the_calls() -> None:
    busy = carrying(300, open_streams=2, held_streams=0)

    assert assess(facts([told(11, busy), told(12, busy)])).balance.signal == "requests"


def test_chance_is_that_of_placing_the_same_connections_with_the_calls_on_them() -> None:
    load = assess(facts([told(11, carrying(100), carrying(100)), told(12), told(13)]))

    assert load.balance.chance == pytest.approx(1 / 3)


def test_chance_is_not_known_where_most_calls_came_over_connections_that_are_gone() -> None:
    gone = pod(11, told(11, carrying(100)).sockets, counted=(calls(500),))

    assert assess(facts([gone, told(12, carrying(50)), told(13)])).balance.chance is None


def test_chance_is_not_known_of_calls_that_are_not_told_by_connection() -> None:
    assert assess(facts([metered(11, 500, lasting(2)), metered(12, 0, lasting(0))])).balance.chance is None


def test_calls_on_connections_that_stick_are_said_to_stick() -> None:
    report = analyse(facts([told(11, carrying(200), carrying(200)), told(12), told(13)]))

    assert codes(report) == ["GLB101", "GLB102"]
    assert "11 (" not in the(report, "GLB101").message


def test_behind_envoys_of_a_fix_their_own_counts_decide() -> None:
    servers = [
        pod(number, sockets(from_envoy()), requests=100, request_rate=20.0, counted=(calls(count),))
        for number, count in ((11, 900), (12, 10))
    ]

    report = analyse(behind(servers))

    assert (report.verdict, report.balance.sources) == ("balanced", ("envoy",))
    assert codes(report) == []


def test_calls_are_weighed_where_connections_are_known_of_other_pods() -> None:
    seen = [metered(11, 300, lasting(3)), pod(12, lasting(0), age=60.0)]

    load = assess(facts([*seen, metered(13, 300, UNREADABLE)]))

    assert (load.verdict, load.balance.signal) == ("inconclusive", "requests")


def test_added_pods_without_known_calls_are_weighed_by_what_is_known() -> None:
    old = [metered(number, 300, lasting(30)) for number in (11, 12)]

    load = assess(facts([*old, pod(13, lasting(0), age=60.0), metered(14, 300, UNREADABLE)]))

    assert load.verdict == "inconclusive"


def test_an_idle_service_with_counters_has_no_finding() -> None:
    idle = [told(number, carrying(0)) for number in (11, 12, 13)]

    assert codes(analyse(facts(idle))) == []


def test_connections_in_one_look_only_do_not_make_calls_stick() -> None:
    passing = [metered(11, 900, sockets(passed=3)), metered(12, 10, sockets(passed=3))]

    assert codes(analyse(facts([*passing, metered(13, 10, sockets([connection(lasting=False)]))]))) == ["GLB106"]
