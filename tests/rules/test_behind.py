"""The verdict behind a fix: by requests, and never on what Envoy's own connections look like."""

import pytest
from msgspec.structs import replace

from kubectl_grpclb.model.finding import ProxyHostRow
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.rules import analyse
from kubectl_grpclb.rules.assess import assess
from tests.rules.builders import (
    UNREADABLE,
    behind,
    connection,
    from_envoy,
    pod,
    proxy_host,
    served,
    sockets,
    tier,
)


@pytest.mark.parametrize(
    ("requests", "verdict"),
    [
        ((100, 100, 100), "balanced"),
        ((300, 0, 0), "unbalanced"),
        ((18, 6, 6), "unbalanced"),
        ((14, 10, 6), "balanced"),
        ((0, 0, 0), "idle"),
    ],
)
def test_requests_decide_by_effect_and_beyond_chance(requests: tuple[int, ...], verdict: str) -> None:
    load = assess(served(*requests))

    assert (load.verdict, load.balance.signal) == (verdict, "requests")


@pytest.mark.parametrize("requests", [0, None], ids=["none through Envoy", "unknown of Envoy"])
@pytest.mark.parametrize("passed", [0, 4])
def test_servers_that_clients_dial_anew_for_every_call_past_envoy_are_not_idle(
    requests: int | None, passed: int
) -> None:
    dialled = sockets((), opened=500, passed=passed, waited=5.0)

    load = assess(behind([pod(number, dialled, requests=requests) for number in (11, 12, 13)]))

    assert load.verdict == "inconclusive"


def test_a_scrape_of_servers_without_clients_is_no_client() -> None:
    scraped = sockets((), opened=1, passed=0, waited=5.0)

    assert assess(behind([pod(number, scraped, requests=0) for number in (11, 12, 13)])).verdict == "idle"


def test_requests_that_are_uneven_by_chance_alone_are_balanced() -> None:
    assert assess(served(16, 5)).verdict == "balanced"
    assert assess(served(160, 50)).verdict == "unbalanced"


def test_requests_are_trusted_where_nothing_goes_past_envoy() -> None:
    load = assess(served(100, 100, 100))

    assert load.confidence == "high"
    assert load.reason == (
        "the requests that come through Envoy are spread over 3 ready pods, which do the work of 3.0"
    )


def test_servers_that_get_a_few_requests_through_envoy_are_not_said_to_get_nothing() -> None:
    load = assess(served(8, 8, 0, past=1))

    assert load.reason == (
        "the 3 ready pods do the work of 1.0; the busiest has 100% of the connections that bypass Envoy, and 1 gets "
        "nothing"
    )


def test_how_many_connections_an_envoy_holds_says_nothing() -> None:
    held = [pod(11, sockets(from_envoy(9)), requests=100), pod(12, sockets(from_envoy(1)), requests=100)]

    assert assess(behind(held)).verdict == "balanced"


def test_servers_that_could_not_be_looked_into_are_judged_by_what_comes_through_envoy() -> None:
    load = assess(served(300, 2, 1, held=UNREADABLE))

    assert (load.verdict, load.confidence, load.balance.unread) == ("unbalanced", "medium", 0)
    assert load.reason.endswith("of the requests that come through Envoy; connections that bypass it could not be seen")


def test_what_goes_past_envoy_is_said_beside_the_verdict() -> None:
    load = assess(served(100, 100, 100, past=2))

    assert (load.verdict, load.confidence) == ("balanced", "medium")
    assert load.reason.endswith("; what bypasses it over 2 connections is not counted")


def test_bytes_tell_more_than_requests_where_connections_go_past_envoy() -> None:
    through = [connection("10.244.2.31", received=2_000)]
    first = pod(11, sockets([*through, connection(received=90_000)]), requests=100)

    load = assess(behind([first, *(pod(number, sockets(through), requests=100) for number in (12, 13))]))

    assert (load.verdict, load.balance.signal) == ("unbalanced", "bytes")
    assert load.balance.sources == ("netstat",)


def test_too_few_requests_mean_bytes() -> None:
    through = sockets([connection("10.244.2.31", received=2_000)])

    load = assess(behind([pod(number, through, requests=2) for number in (11, 12, 13)]))

    assert (load.verdict, load.balance.signal) == ("balanced", "bytes")


def test_too_few_requests_and_a_connection_past_envoy_mean_that_connection() -> None:
    load = assess(served(1, 1, 0, past=2))

    assert (load.verdict, load.balance.signal, load.confidence) == ("unbalanced", "connections", "low")
    assert "of the connections that bypass Envoy" in load.reason


def test_too_few_requests_alone_say_nothing() -> None:
    load = assess(served(3, 1, 0))

    assert (load.verdict, load.reason) == (
        "inconclusive",
        "only 4 requests through Envoy: too few to say how they are spread",
    )


def test_a_single_server_has_whatever_comes_through_envoy() -> None:
    load = assess(served(1))

    assert (load.verdict, load.reason) == ("balanced", "there is only one ready pod, so it gets everything")


def test_requests_that_are_not_known_are_not_none() -> None:
    assert assess(served(100, 100, None)).verdict == "inconclusive"


def test_idle_needs_a_look_past_envoy() -> None:
    assert assess(served(0, 0, 0)).verdict == "idle"
    assert assess(served(0, 0, 0, held=UNREADABLE)).verdict == "inconclusive"


def test_connections_that_come_and_go_past_envoy_keep_from_calling_it_idle() -> None:
    passing = sockets([connection(lasting=False)])

    assert assess(behind([pod(11, passing, requests=0)])).verdict == "inconclusive"


def test_where_nobody_at_all_is_connected_it_is_idle_without_any_count() -> None:
    assert assess(behind([pod(11, sockets()), pod(12, sockets())])).verdict == "idle"


def test_a_young_server_that_gets_little_through_envoy_is_not_called_added_later() -> None:
    old = [pod(number, sockets(from_envoy(9)), requests=100) for number in range(11, 21)]

    load = assess(behind([*old, pod(30, sockets(), requests=60, age=60.0)]))

    assert (load.verdict, load.age_order) == ("balanced", None)


def test_without_the_headless_service_nothing_can_be_said_of_the_servers() -> None:
    gone, refused = tier(servers=None), tier(servers=Gap(GapReason.FORBIDDEN, "no"))

    assert "does not exist" in assess(behind([], tiers=(gone,))).reason
    assert "could not be read" in assess(behind([], tiers=(refused,))).reason


def test_an_envoy_that_is_not_ready_leads_nowhere() -> None:
    down = tier()
    down = replace(down, pods=tuple(replace(each, ready=False) for each in down.pods))

    load = assess(replace(served(100, 100), tiers=(down,)))

    assert (load.verdict, load.reason) == ("inconclusive", "the Service leads to Envoy, and no Envoy is ready")


def test_the_report_gives_each_servers_requests_and_where_they_were_counted() -> None:
    row = analyse(served(100, 50, 50)).pods[0]

    assert (row.requests_per_second, row.share, row.sources) == (20.0, 0.5, ("netstat", "envoy"))


def test_a_server_that_could_not_be_looked_into_keeps_its_gap_beside_its_requests() -> None:
    row = analyse(served(100, 100, held=UNREADABLE)).pods[0]

    assert (row.connections, row.requests_per_second, row.share, row.sources) == (None, 20.0, 0.5, ("envoy",))
    assert row.gap == "no-shell: no such file: sh"


def test_the_report_lists_the_servers_that_each_envoy_knows() -> None:
    known = ((proxy_host(11),), (), Gap(GapReason.TIMED_OUT, "no answer"))
    pods = [replace(each, hosts=hosts) for each, hosts in zip(tier(3).pods, known, strict=True)]

    rows = analyse(replace(served(100, 100), tiers=(replace(tier(), pods=tuple(pods)),))).tiers[0].pods

    assert rows[0].hosts == (ProxyHostRow("10.244.0.11", "greeter-7c9f8d5b6-00011", 250, 1, 2),)
    assert [row.hosts for row in rows[1:]] == [(), None]


def test_the_report_lists_the_tier_with_its_pods() -> None:
    unasked = replace(tier().pods[1], connections=Gap(GapReason.FORBIDDEN, "no"))
    half = replace(tier(), pods=(tier().pods[0], unasked))

    rows = analyse(replace(served(100, 100), tiers=(half,))).tiers

    assert [(row.name, row.kind) for row in rows] == [("Deployment/greeter-grpclb-envoy", "Envoy")]
    assert [(pod.connections, pod.gap) for pod in rows[0].pods] == [(1, None), (None, "forbidden: no")]
