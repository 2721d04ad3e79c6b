"""Calls that stay open, and connections that carry as many as they may."""

from msgspec.structs import replace

from kubectl_grpclb.model.facts import Connection
from kubectl_grpclb.rules import analyse
from tests.rules.builders import (
    UNREADABLE,
    calls,
    carrying,
    channelz,
    codes,
    facts,
    lasting,
    pod,
    the,
    tier,
    told,
)


def streaming(messages: int, streams: int = 1, peer: str = "10.244.1.21") -> Connection:
    """A connection with streams that began before the window and stay open."""
    return carrying(0, peer, open_streams=streams, held_streams=streams, messages=messages)


def full(count: int, peer: str = "10.244.1.21", *, begun: int = 40) -> Connection:
    """A connection with so many calls open at both looks, while others began."""
    return carrying(begun, peer, open_streams=count, held_streams=count)


def test_messages_in_streams_that_stay_open_are_told_with_who_holds_them() -> None:
    report = analyse(
        facts(
            [
                told(11, streaming(900)),
                told(12, streaming(30, peer="10.244.1.22")),
                told(13, streaming(30, peer="10.244.1.23")),
            ]
        )
    )
    found = the(report, "GLB401")

    assert codes(report) == ["GLB401"]
    assert (found.severity, found.confidence) == ("warning", "high")
    assert found.message.startswith(
        "3 streams stay open on greeter-7c9f8d5b6-00011, greeter-7c9f8d5b6-00012 and greeter-7c9f8d5b6-00013 (3 of 3 "
        "pods) and carry the load. A stream stays"
    )
    assert found.evidence[0] == "greeter-7c9f8d5b6-00011: 1 open, 900 messages (channelz)"
    assert found.evidence[3] == "caller-5d6c7b8f9-21 (10.244.1.21): 1 open, to greeter-7c9f8d5b6-00011"


def test_a_single_stream_carries_the_load_by_itself() -> None:
    found = the(analyse(facts([told(11, streaming(900)), told(12, carrying(0))])), "GLB401")

    assert found.message.startswith("1 stream stays open on greeter-7c9f8d5b6-00011 (1 of 2 pods) and carries the load")


def test_messages_that_are_even_are_no_finding() -> None:
    assert codes(analyse(facts([told(number, streaming(500)) for number in (11, 12, 13)]))) == []


def test_streams_on_connections_that_stick_come_after_them() -> None:
    report = analyse(facts([told(11, streaming(900), streaming(800)), told(12), told(13)]))

    assert codes(report) == ["GLB101", "GLB102", "GLB401"]


def test_streams_whose_messages_nobody_counts_are_told_where_few_calls_come_beside_them() -> None:
    held = [pod(11, lasting(3), counted=(calls(2, "metrics", open_streams=3),))]
    others = [pod(number, lasting(0), counted=(calls(0, "metrics"),)) for number in (12, 13)]

    report = analyse(facts([*held, *others]))

    assert codes(report) == ["GLB101", "GLB401"]
    assert the(report, "GLB401").message.startswith(
        "3 streams stay open on greeter-7c9f8d5b6-00011 (1 of 3 pods); there are few other calls. A stream"
    )


def test_a_call_that_happens_to_be_open_at_the_last_look_stays_nowhere() -> None:
    passing = carrying(1, open_streams=1, held_streams=0)

    assert codes(analyse(facts([told(11, passing, carrying(0), carrying(0)), told(12), told(13)]))) == ["GLB101"]


def test_streams_that_are_spread_evenly_do_not_pin_the_load() -> None:
    one = carrying(0, open_streams=1, held_streams=1, messages=1)
    pods = [told(11, one, *[carrying(0)] * 8), told(12, one), told(13, one)]

    assert "GLB401" not in codes(analyse(facts(pods)))


def test_streams_of_some_pods_say_nothing_of_the_others() -> None:
    pods = [pod(11, lasting(4), counted=(calls(0, "metrics", open_streams=1),)), pod(12, lasting(0))]

    assert codes(analyse(facts(pods))) == ["GLB101"]


def test_streams_are_told_where_nobody_saw_a_connection() -> None:
    pods = [
        pod(number, UNREADABLE, counted=(calls(1, "metrics", open_streams=2, messages=messages),))
        for number, messages in ((11, 900), (12, 10))
    ]

    assert codes(analyse(facts(pods)))[0] == "GLB401"


def test_a_connection_at_a_hundred_open_calls_is_told() -> None:
    report = analyse(facts([told(11, full(100)), told(12, full(30)), told(13, full(31))]))
    found = the(report, "GLB402")

    assert (found.severity, found.confidence) == ("warning", "medium")
    assert found.message.startswith(
        "A connection stands at 100 open calls (caller-5d6c7b8f9-21 to greeter-7c9f8d5b6-00011), which looks like the "
        "server's limit for one connection (MAX_CONCURRENT_STREAMS). At the limit further calls wait in the client"
    )
    assert found.evidence == (
        "greeter-7c9f8d5b6-00011: 100 open calls from caller-5d6c7b8f9-21, no fewer at the first look (channelz)",
    )


def test_a_hundred_open_calls_in_a_single_look_make_nobody_sure() -> None:
    once = [pod(number, channelz(full(100), waited=0.0), counted=(calls(400, seconds=0.0),)) for number in (11, 12, 13)]

    found = the(analyse(facts(once, window=0.0)), "GLB402")

    assert found.confidence == "low"
    assert found.evidence[0].endswith("100 open calls from caller-5d6c7b8f9-21 (channelz)")


def test_several_connections_at_the_same_highest_number_may_be_at_a_limit() -> None:
    report = analyse(facts([told(number, full(32)) for number in (11, 12, 13)]))
    found = the(report, "GLB402")

    assert (found.severity, found.confidence) == ("info", "low")
    assert "unless its clients limit themselves to that many at a time. At the limit" in found.message


def test_streams_that_clients_keep_open_in_equal_numbers_are_no_limit() -> None:
    watching = [told(number, full(20, begun=0)) for number in (11, 12, 13)]

    assert "GLB402" not in codes(analyse(facts(watching)))


def test_equal_numbers_below_a_higher_one_are_no_limit() -> None:
    pods = [told(11, full(14), full(14)), told(12, full(14), full(17)), told(13, full(13), full(12))]

    assert "GLB402" not in codes(analyse(facts(pods)))


def test_a_number_that_has_risen_since_the_first_look_is_no_limit() -> None:
    rising = carrying(90, open_streams=100, held_streams=20)

    assert "GLB402" not in codes(analyse(facts([told(11, rising), told(12, rising)])))


def test_without_calls_by_connection_no_limit_shows() -> None:
    assert "GLB402" not in codes(analyse(facts([pod(11, lasting(3)), pod(12, lasting(3))])))


def test_envoys_own_connections_are_not_said_to_be_full() -> None:
    fixed = facts([told(11, full(100)), told(12, full(100))], tiers=(tier(),))

    assert "GLB402" not in codes(analyse(replace(fixed, clients=())))
