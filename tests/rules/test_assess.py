"""The verdict: by effect, on the best signal, and never on more than was seen."""

import random

import pytest
from msgspec.structs import replace

from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.rules.assess import assess
from tests.rules.builders import CLUSTER_IP, UNREADABLE, connection, facts, lasting, of_counts, pod, sockets


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ((29, 32, 35), "balanced"),
        ((4, 2, 0), "unbalanced"),
        ((2, 0, 0), "unbalanced"),
        ((1, 1, 0), "unbalanced"),
        ((1, 1, 1), "balanced"),
        ((2, 1, 1), "balanced"),
        ((8,), "balanced"),
        ((0, 0, 0), "idle"),
    ],
)
def test_fewer_effective_pods_than_four_fifths_is_unbalanced_however_likely(
    counts: tuple[int, ...], verdict: str
) -> None:
    assert assess(of_counts(*counts)).verdict == verdict


def test_a_thousand_connections_placed_at_random_on_a_hundred_pods_are_balanced() -> None:
    dice = random.Random(20261123)
    placed = [dice.randrange(100) for _ in range(1000)]

    assert assess(of_counts(*[placed.count(number) for number in range(100)])).verdict == "balanced"


def test_pods_added_later_that_get_nothing_are_unbalanced_even_where_the_effect_is_small() -> None:
    old = [pod(number, lasting(100)) for number in range(11, 21)]
    young = pod(30, lasting(0), age=60.0)

    assert assess(facts([*old, young])).verdict == "unbalanced"


def test_pods_added_later_that_get_next_to_nothing_are_unbalanced_and_said_to() -> None:
    old = [pod(number, lasting(100)) for number in range(11, 21)]
    young = pod(30, lasting(5), age=60.0)

    load = assess(facts([*old, young]))

    assert load.verdict == "unbalanced"
    assert load.reason.endswith("10% of the connections, and pods added later get next to nothing")


def test_a_younger_pod_with_a_little_less_than_its_share_is_balanced() -> None:
    load = assess(facts([pod(11, lasting(400)), pod(12, lasting(400)), pod(13, lasting(300), age=3590.0)]))

    assert (load.verdict, load.reason) == (
        "balanced",
        "the connections are spread over 3 ready pods, which do the work of 3.0",
    )


def test_a_younger_pod_with_fewer_connections_that_carry_as_much_is_balanced() -> None:
    busy, calm = connection(received=3_000), connection(received=1_000)
    old = [pod(number, sockets([calm] * 60)) for number in (11, 12)]

    load = assess(facts([*old, pod(13, sockets([busy] * 20), age=600.0)]))

    assert (load.verdict, load.balance.signal) == ("balanced", "bytes")


def test_a_pod_that_could_not_be_read_is_not_an_idle_pod() -> None:
    load = assess(facts([pod(11, lasting(3)), pod(12, lasting(3)), pod(13, UNREADABLE)]))

    assert load.verdict == "inconclusive"
    assert (load.balance.idle, load.balance.unread) == (0, 1)


def test_unbalanced_stands_where_no_unread_pod_could_mend_it() -> None:
    idle = [pod(number, lasting(0)) for number in range(12, 20)]

    assert assess(facts([pod(11, lasting(9)), *idle, pod(20, UNREADABLE)])).verdict == "unbalanced"


def test_idle_does_not_stand_where_a_pod_is_unread() -> None:
    assert assess(facts([pod(11, lasting(0)), pod(12, UNREADABLE)])).verdict == "inconclusive"


def test_where_no_pod_could_be_read_nothing_is_measured() -> None:
    load = assess(facts([pod(11, UNREADABLE), pod(12, UNREADABLE)]))

    assert load.verdict == "inconclusive"
    assert (load.balance.signal, load.balance.effective_pods, load.balance.idle) == (None, None, None)


def test_without_ready_endpoints_there_is_nothing_to_say() -> None:
    assert assess(facts([pod(11, lasting(2), ready=False)])).verdict == "inconclusive"


def test_bytes_are_the_better_signal_where_every_connection_has_them() -> None:
    hot, cool = connection(received=100_000), connection(received=1_000)
    load = assess(facts([pod(11, sockets([hot, hot, hot])), pod(12, sockets([cool])), pod(13, sockets())]))

    assert (load.verdict, load.balance.signal, load.confidence) == ("unbalanced", "bytes", "high")


def test_a_burst_over_connections_that_are_spread_evenly_is_trusted_less() -> None:
    hot, cool = connection(received=100_000), connection(received=1_000)
    load = assess(facts([pod(11, sockets([hot])), pod(12, sockets([cool])), pod(13, sockets([cool]))]))

    assert (load.verdict, load.confidence) == ("unbalanced", "medium")


def test_too_few_segments_say_nothing_and_connections_are_counted() -> None:
    quiet = connection(received=200)
    load = assess(facts([pod(11, sockets([quiet, quiet])), pod(12, sockets()), pod(13, sockets())]))

    assert (load.verdict, load.balance.signal, load.confidence) == ("unbalanced", "connections", "medium")


def test_bytes_of_lives_and_bytes_of_windows_are_not_compared() -> None:
    twice, once = sockets([connection(received=1_000)]), sockets([connection(received=900_000)], waited=0.0)

    assert assess(facts([pod(11, twice), pod(12, once)])).balance.signal == "connections"


def test_connections_that_come_and_go_evenly_are_balanced() -> None:
    churn = [pod(number, sockets(passed=1, opened=opened)) for number, opened in ((11, 130), (12, 121), (13, 118))]

    load = assess(facts(churn))

    assert (load.verdict, load.lasting, load.confidence) == ("balanced", 0, "low")


def test_connections_that_come_and_go_unevenly_are_not_called_sticky() -> None:
    assert assess(facts([pod(11, sockets(opened=250)), pod(12, sockets(opened=0))])).verdict == "inconclusive"


def test_an_affine_clients_connections_are_one_placement_and_no_sign_of_age() -> None:
    affine = replace(CLUSTER_IP, session_affinity=True)

    load = assess(facts([pod(11, lasting(20)), pod(12, lasting(0), age=60.0)], service=affine))

    assert load.age_order is None


def test_a_few_that_come_and_go_are_too_few_to_say() -> None:
    assert assess(facts([pod(11, sockets(passed=1, opened=5)), pod(12, sockets(opened=1))])).verdict == "inconclusive"


def test_a_stray_connection_does_not_make_a_client() -> None:
    assert assess(facts([pod(11, sockets(opened=1)), pod(12, sockets(opened=0))])).verdict == "idle"


def test_what_other_ports_accept_is_no_load_and_no_proof_that_nobody_calls() -> None:
    busy = [pod(number, sockets(opened=80, listens_on=(8080, 50051))) for number in (11, 12, 13)]

    load = assess(facts(busy))

    assert (load.verdict, load.balance.signal, load.balance.idle) == ("inconclusive", None, None)
    assert "accepted 240 connections on some of their ports" in load.reason


def test_one_connection_that_was_seen_does_not_make_what_other_ports_accept_the_target_ports() -> None:
    busy = [pod(number, sockets(opened=500, listens_on=(8080, 50051))) for number in (11, 12)]
    seen = pod(13, sockets(passed=1, opened=500, listens_on=(8080, 50051)))

    load = assess(facts([*busy, seen]))

    assert (load.verdict, load.reason) == (
        "inconclusive",
        "connections come and go, and too few were seen to say where they land",
    )
    assert (load.balance.idle, load.loads) == (None, {})


def test_many_connections_that_were_seen_tell_whatever_other_ports_accept() -> None:
    seen = [pod(number, sockets(passed=20, opened=500, listens_on=(8080, 50051))) for number in (11, 12)]

    assert assess(facts(seen)).verdict == "balanced"


def test_a_passing_connection_beside_a_busy_port_does_not_hide_that_load_sticks() -> None:
    busy = sockets(opened=700, listens_on=(8080, 50051))
    held = replace(busy, connections=lasting(6).connections, passed=1)

    load = assess(facts([pod(11, held), pod(12, busy), pod(13, busy)]))

    assert (load.verdict, load.confidence) == ("unbalanced", "low")


def test_pods_that_listen_on_nothing_else_accept_for_the_target_port() -> None:
    assert assess(facts([pod(11, sockets(opened=90)), pod(12, sockets(opened=80))])).verdict == "balanced"


def test_what_a_pod_accepts_is_not_for_a_port_on_which_nothing_listens() -> None:
    deaf = [pod(number, sockets(opened=80, listening=False, listens_on=(8080,))) for number in (11, 12)]

    assert assess(facts(deaf)).verdict == "idle"


def test_what_only_some_pods_count_is_no_proof_that_nobody_calls() -> None:
    assert assess(facts([pod(11, sockets(opened=90)), pod(12, sockets())])).verdict == "inconclusive"


def test_a_few_strays_a_pod_make_no_client() -> None:
    scraped = [pod(number, sockets(opened=2, listens_on=(8080, 50051))) for number in range(11, 21)]

    assert assess(facts(scraped)).verdict == "idle"


def test_a_connection_that_was_seen_counts_where_probes_explain_all_that_was_accepted() -> None:
    assert assess(facts([pod(11, sockets(passed=1, opened=0))])).verdict == "inconclusive"


def test_a_connection_that_lasts_does_not_tell_the_load_of_many_that_come_and_go_beside_it() -> None:
    debugged = pod(11, sockets([connection()], passed=5, opened=500))
    others = [pod(12, sockets(passed=5, opened=505)), pod(13, sockets(passed=6, opened=495))]

    load = assess(facts([debugged, *others]))

    assert (load.verdict, load.balance.effective_pods, load.loads) == ("inconclusive", None, {})
    assert load.reason == (
        "1 connection lasts and 1,500 came and went meanwhile; which of them carry the load is not known"
    )


def test_bytes_of_what_lasts_do_not_tell_the_load_of_what_comes_and_goes_either() -> None:
    debugged = pod(11, sockets([connection(received=5_000)], passed=5, opened=500, tool="ss"))

    assert assess(facts([debugged, pod(12, sockets(passed=5, opened=505, tool="ss"))])).verdict == "inconclusive"


def test_what_comes_and_goes_counts_also_where_no_look_caught_it_and_the_pods_have_no_other_port() -> None:
    debugged = pod(11, sockets([connection()], opened=500))

    assert assess(facts([debugged, pod(12, sockets(opened=505))])).verdict == "inconclusive"


def test_lasting_connections_that_are_even_stay_balanced_whatever_comes_and_goes() -> None:
    held = [connection(), connection()]

    assert (
        assess(facts([pod(number, sockets(held, passed=5, opened=500)) for number in (11, 12)])).verdict == "balanced"
    )


def test_what_comes_and_goes_is_found_by_pods_that_were_added_later() -> None:
    old = [pod(number, sockets([connection()] * 20, passed=3, opened=90)) for number in range(11, 21)]
    young = pod(30, sockets(passed=3, opened=90), age=60.0)

    assert assess(facts([*old, young])).verdict == "balanced"


def test_channels_that_last_tell_the_load_beside_what_comes_and_goes_more_slowly_than_their_calls() -> None:
    sticky = [pod(11, sockets([connection(), connection()], opened=34)), pod(12, sockets(opened=33))]

    load = assess(facts([*sticky, pod(13, sockets(passed=1, opened=33))]))

    assert (load.verdict, load.confidence) == ("unbalanced", "low")


def test_bytes_are_trusted_less_where_what_comes_and_goes_outnumbers_what_lasts() -> None:
    held = sockets([connection(received=5_000)], passed=1, opened=34, tool="ss")

    load = assess(facts([pod(11, held), pod(12, sockets(opened=33, tool="ss"))]))

    assert (load.verdict, load.confidence) == ("unbalanced", "medium")


def test_many_that_last_tell_the_load_beside_fewer_that_come_and_go() -> None:
    held = [pod(11, sockets([connection()] * 40, passed=2, opened=12)), pod(12, sockets(opened=10))]

    assert assess(facts(held)).verdict == "unbalanced"


def test_what_other_ports_accept_does_not_hide_that_load_sticks() -> None:
    held = pod(11, sockets([connection()], opened=80, listens_on=(8080, 50051)))

    assert assess(facts([held, pod(12, sockets(opened=80, listens_on=(8080, 50051)))])).verdict == "unbalanced"


def test_a_pod_with_a_passing_connection_does_not_get_nothing() -> None:
    load = assess(facts([pod(11, lasting(4)), pod(12, sockets(passed=1)), pod(13, lasting(0))]))

    assert load.balance.idle == 1
    assert load.reason.endswith("100% of the connections, and 1 gets nothing")


def test_a_pod_that_accepted_connections_meanwhile_does_not_get_nothing() -> None:
    stuck = pod(11, sockets([connection()] * 10, opened=30, passed=1))
    others = [pod(number, sockets(opened=30)) for number in (12, 13)]

    load = assess(facts([stuck, *others]))

    assert (load.verdict, load.balance.idle) == ("unbalanced", 0)
    assert load.reason.endswith("the busiest has 100% of the connections")


def test_a_single_look_is_never_fully_trusted() -> None:
    once = [pod(11, sockets([connection(received=50_000)], waited=0.0)), pod(12, sockets(waited=0.0))]

    load = assess(facts(once, window=0.0))

    assert (load.verdict, load.balance.signal, load.confidence) == ("unbalanced", "connections", "medium")


def test_bytes_of_connections_that_are_not_as_old_tell_no_load() -> None:
    old, new = connection(received=86_400_000), connection(received=60_000)
    once = [pod(number, sockets([old], tool="ss", waited=0.0)) for number in (11, 12)]

    load = assess(facts([*once, pod(13, sockets([new], tool="ss", waited=0.0))], window=0.0))

    assert (load.verdict, load.balance.signal) == ("balanced", "connections")


def test_chance_is_that_of_placing_the_same_connections_at_random() -> None:
    assert assess(of_counts(2, 0, 0)).balance.chance == pytest.approx(1 / 3)


def test_pods_that_are_not_ready_do_not_weigh() -> None:
    waiting = pod(13, lasting(0), ready=False)

    assert assess(facts([pod(11, lasting(2)), pod(12, lasting(2)), waiting])).verdict == "balanced"


def test_a_ready_pod_that_the_service_leads_no_connection_to_does_not_weigh() -> None:
    renamed = pod(13, Gap(GapReason.NO_PORT), target_port=None)

    load = assess(facts([pod(11, lasting(2)), pod(12, lasting(2)), renamed]))

    assert (load.verdict, load.balance.pods, load.balance.unread) == ("balanced", 2, 0)
    assert load.reason.endswith("the Service sends no connection to 1 other, whose endpoint carries no port")


def test_an_external_name_says_where_it_leads() -> None:
    outside = of_counts()
    outside = replace(outside, service=replace(outside.service, external_name="greeter.example.com"))

    assert "greeter.example.com" in assess(outside).reason
