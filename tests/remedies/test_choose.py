"""Which cure is chosen, by the report that the rules really make."""

import pytest
from msgspec.structs import replace

from kubectl_grpclb.model.facts import ClientChannels, Facts
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.remedies.choose import Choice, choose
from kubectl_grpclb.rules import analyse
from tests.rules.builders import (
    CLUSTER_IP,
    HEADLESS,
    UNREADABLE,
    carrying,
    connection,
    facts,
    lasting,
    of_counts,
    pod,
    proxy,
    proxy_host,
    sockets,
    told,
)


def chosen(known: Facts) -> Choice:
    return choose(known, analyse(known))


def test_connections_that_stick_want_a_proxy() -> None:
    choice = chosen(of_counts(2, 0, 0))

    assert choice.strategy == "envoy"
    assert choice.why[0].startswith("Connections stick to a few pods behind a ClusterIP (GLB101).")


def test_pods_that_were_added_later_want_a_proxy() -> None:
    added = [pod(number, lasting(8), age=7200.0) for number in (11, 12)]
    added += [pod(number, lasting(0), age=300.0) for number in (13, 14)]

    choice = chosen(facts(added))

    assert (choice.strategy, "GLB104" in choice.why[0]) == ("envoy", True)


def test_clients_that_stay_on_one_address_of_a_headless_service_want_a_policy() -> None:
    choice = chosen(of_counts(2, 0, 0, service=HEADLESS))

    assert (choice.strategy, "pick_first" in choice.why[0]) == ("client", True)


def test_clients_that_affinity_pins_want_it_gone_with_a_word_on_what_comes_after() -> None:
    choice = chosen(of_counts(6, 0, service=replace(CLUSTER_IP, session_affinity=True)))

    assert choice.strategy == "service"
    assert "caller-5d6c7b8f9-21 has all its connections on one pod" in choice.why[0]
    assert "Load may still stick then" in choice.why[2]


def test_what_a_client_holds_on_a_pod_that_is_not_ready_pins_it_to_no_ready_one() -> None:
    gone = pod(13, lasting(5), ready=False, terminating=True)
    affine = replace(CLUSTER_IP, session_affinity=True)

    assert chosen(facts([pod(11, lasting(1)), pod(12, lasting(0)), gone], service=affine)).strategy == "envoy"


def test_affinity_that_pins_nobody_leaves_the_proxy() -> None:
    spread = [sockets([connection(f"10.244.1.{peer}") for peer in peers]) for peers in ([21, 22], [], [])]
    held = facts([pod(number, each) for number, each in enumerate(spread, 11)])

    assert chosen(replace(held, service=replace(CLUSTER_IP, session_affinity=True))).strategy == "envoy"


def test_a_service_that_leads_nowhere_wants_to_lead_somewhere_first() -> None:
    choice = chosen(facts([pod(11, lasting(0), ready=False, waiting="ImagePullBackOff")]))

    assert (choice.strategy, "GLB205" in choice.why[0]) == ("none", True)


def test_calls_that_are_uneven_over_even_connections_want_a_proxy() -> None:
    choice = chosen(facts([told(n, carrying(count, f"10.244.1.{n}")) for n, count in ((11, 900), (12, 50), (13, 50))]))

    assert (choice.strategy, "GLB106" in choice.why[0]) == ("envoy", True)


def test_a_client_that_says_it_picks_the_first_wants_a_policy() -> None:
    picking = ClientChannels("caller-5d6c7b8f9-21", 1, ("pick_first",), 1, 1, ("dns:///greeter",), ("10.244.0.11",))
    choice = chosen(of_counts(2, 0, 0, service=HEADLESS, channels=(picking,)))

    assert (choice.strategy, "GLB109" in choice.why[0]) == ("client", True)


def test_a_proxy_that_dials_the_service_is_to_be_given_the_pods_by_whoever_owns_it() -> None:
    choice = chosen(of_counts(2, 0, 0, proxies=(proxy(proxy_host(None)),)))

    assert (choice.strategy, "GLB302" in choice.why[0]) == ("none", True)
    assert "STRICT_DNS and ROUND_ROBIN" in choice.why[1]
    assert "--strategy envoy" in choice.why[-1]


def test_a_proxy_that_lacks_pods_is_to_be_told_of_them_by_whoever_owns_it() -> None:
    choice = chosen(of_counts(1, 1, 0, 0, proxies=(proxy(proxy_host(11), proxy_host(12)),)))

    assert (choice.strategy, "GLB303" in choice.why[0]) == ("none", True)


def test_streams_that_stay_open_are_moved_by_nothing() -> None:
    open_one = carrying(0, open_streams=1, held_streams=1, messages=900)
    choice = chosen(facts([told(11, open_one), told(12, carrying(0, "10.244.1.22"))]))

    assert (choice.strategy, "GLB401" in choice.why[0]) == ("none", True)
    assert "Nothing moves a stream that is open" in choice.why[0]
    assert "--strategy envoy" in choice.why[-1]


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (of_counts(3, 3), "There is nothing to fix:"),
        (of_counts(0, 0), "There is nothing to fix now:"),
        (facts([pod(11, UNREADABLE), pod(12, Gap(GapReason.FORBIDDEN, "no"))]), "Too little could be read"),
    ],
)
def test_where_nothing_is_known_to_be_wrong_it_is_said_why_and_how_to_go_on(known: Facts, reason: str) -> None:
    choice = chosen(known)

    assert (choice.strategy, choice.why[0].startswith(reason)) == ("none", True)
    assert "--strategy envoy" in choice.why[-1]


def test_a_note_is_no_reason_to_change_anything() -> None:
    assert chosen(of_counts(3, 3, service=replace(CLUSTER_IP, session_affinity=True))).strategy == "none"


def test_another_name_has_nothing_to_change() -> None:
    named = replace(CLUSTER_IP, type="ExternalName", external_name="greeter.example.com", port=None)

    assert chosen(facts([], service=named)).strategy == "none"
