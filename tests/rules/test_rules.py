"""What each rule claims, in the cases that decide it. Whole diagnoses are in tests/cases."""

import pytest
from msgspec.structs import replace

from kubectl_grpclb.model.command import Aim
from kubectl_grpclb.model.facts import Ended, Lookalike, Pod, PodSockets, Refusal, ServicePort
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.need import CONNECTION
from kubectl_grpclb.model.rbac import rule_text
from kubectl_grpclb.rules import RULES, analyse
from tests.rules.builders import (
    CLUSTER_IP,
    HEADLESS,
    UNREADABLE,
    codes,
    connection,
    facts,
    lasting,
    metered,
    of_counts,
    pod,
    sockets,
    the,
)


def test_codes_are_unique_and_in_order() -> None:
    assert [rule.code for rule in RULES] == sorted({rule.code for rule in RULES})


def test_connections_that_all_landed_on_one_pod_are_named_with_who_gets_nothing() -> None:
    found = the(analyse(of_counts(2, 0, 0)), "GLB101")

    assert "Both connections of caller-5d6c7b8f9-21 landed on greeter-7c9f8d5b6-00011" in found.message
    assert "2 of 3 ready pods get nothing (greeter-7c9f8d5b6-00012 and greeter-7c9f8d5b6-00013)" in found.message


def test_a_pod_that_had_a_passing_connection_is_not_said_to_get_nothing() -> None:
    report = analyse(facts([pod(11, lasting(2)), pod(12, sockets(passed=1)), pod(13, lasting(0))]))
    found = the(report, "GLB101")

    assert "Both lasting connections of caller-5d6c7b8f9-21 landed on greeter-7c9f8d5b6-00011" in found.message
    assert "1 of 3 ready pods gets nothing (greeter-7c9f8d5b6-00013)" in found.message
    assert the(report, "GLB102").message.startswith("2 lasting connections for 3 ready pods")
    assert [row.passed for row in report.pods] == [0, 1, 0]


def test_pods_that_got_calls_meanwhile_are_not_said_to_get_nothing() -> None:
    called = metered(12, 25, lasting(0))

    report = analyse(facts([metered(11, 3, lasting(6)), called, pod(13, lasting(0)), pod(14, lasting(0))]))
    found = the(report, "GLB101")

    assert "2 of 4 ready pods get nothing (greeter-7c9f8d5b6-00013 and greeter-7c9f8d5b6-00014)" in found.message
    assert report.balance.idle == 2


def test_sticking_leads_over_too_few_connections() -> None:
    assert codes(analyse(of_counts(2, 0, 0))) == ["GLB101", "GLB102"]


def test_as_many_connections_as_pods_are_not_too_few() -> None:
    assert codes(analyse(of_counts(3, 0, 0))) == ["GLB101"]


def test_unread_pods_make_counting_connections_impossible() -> None:
    report = analyse(facts([pod(11, lasting(1)), *(pod(n, lasting(0)) for n in range(12, 19)), pod(19, UNREADABLE)]))

    assert [skipped.code for skipped in report.skipped] == ["GLB102"]


def test_what_random_placement_would_hardly_do_is_not_called_random() -> None:
    found = the(analyse(of_counts(40, 0, 0)), "GLB101")

    assert found.confidence == "low"
    assert "less than once in a million" in found.message


def test_a_headless_service_whose_client_stays_on_one_address_does_not_stick_by_itself() -> None:
    assert codes(analyse(of_counts(2, 0, 0, service=HEADLESS))) == ["GLB103", "GLB102"]


def test_a_headless_service_with_even_load_is_let_be() -> None:
    assert codes(analyse(of_counts(1, 1, 1, service=HEADLESS))) == []


def test_pods_added_later_lead_and_take_the_place_of_random_placement() -> None:
    young = [pod(number, lasting(0), age=60.0) for number in (12, 13, 14)]

    report = analyse(facts([pod(11, lasting(8)), *young]))

    assert codes(report) == ["GLB104"]
    assert report.findings[0].confidence == "medium"


def test_a_younger_pod_with_a_little_less_than_its_share_is_no_finding() -> None:
    pods = [pod(11, lasting(400)), pod(12, lasting(400)), pod(13, lasting(300), age=3590.0)]

    assert codes(analyse(facts(pods))) == []


def test_a_younger_pod_that_carries_its_part_is_not_called_idle_where_another_is() -> None:
    calm, busy = connection(received=100), connection(received=4_000)
    old = [pod(11, sockets([busy] * 60)), pod(12, sockets([calm] * 60))]

    assert codes(analyse(facts([*old, pod(13, sockets([busy] * 40), age=600.0)]))) == ["GLB106"]


def test_a_younger_pod_that_carries_most_of_its_part_does_not_hide_that_an_old_one_has_most() -> None:
    def held(count: int, received: int) -> PodSockets:
        return sockets([connection(received=received)] * count, tool="ss")

    old = [pod(11, held(30, 4_000)), pod(12, held(30, 300)), pod(13, held(30, 300))]

    assert codes(analyse(facts([*old, pod(14, held(5, 6_500), age=600.0)]))) == ["GLB106"]


def test_added_pods_that_get_nothing_do_not_hide_that_load_sticks_to_one_of_the_others() -> None:
    old = [pod(11, lasting(30)), pod(12, lasting(0)), pod(13, lasting(0))]

    assert codes(analyse(facts([*old, pod(14, lasting(0), age=60.0)]))) == ["GLB104", "GLB101"]


def test_many_added_pods_with_more_than_half_of_their_part_are_why_load_is_uneven() -> None:
    old = [pod(number, lasting(40)) for number in (11, 12, 13)]
    young = [pod(number, lasting(11), age=60.0) for number in range(14, 21)]

    assert codes(analyse(facts([*old, *young]))) == ["GLB104"]


def test_pods_created_together_are_not_called_added_later() -> None:
    together = [pod(11, lasting(8), age=62.0), pod(12, lasting(0), age=61.0), pod(13, lasting(0), age=60.0)]

    assert "GLB104" not in codes(analyse(facts(together)))


def test_affinity_that_pins_a_client_leads() -> None:
    report = analyse(of_counts(6, 0, service=replace(CLUSTER_IP, session_affinity=True)))

    assert codes(report)[0] == "GLB201"


def test_affinity_is_a_note_where_load_is_even() -> None:
    report = analyse(of_counts(3, 3, service=replace(CLUSTER_IP, session_affinity=True)))

    assert [(finding.code, finding.severity) for finding in report.findings] == [("GLB201", "info")]


def test_a_selector_that_matches_nothing_names_the_label_that_differs() -> None:
    near = Lookalike("greeter-7c9f8d5b6-x2x9k", "Deployment/greeter", {"app": "greeter"})
    wrong = replace(CLUSTER_IP, selector={"app": "greeters"})

    found = the(analyse(facts([], service=wrong, lookalikes=(near,))), "GLB205")

    assert "app=greeters" in found.message
    assert "Deployment/greeter is similar: its pods have app=greeter" in found.message


def test_pods_that_match_but_have_ended_are_not_said_to_lack_the_labels() -> None:
    evicted = tuple(Ended(f"greeter-7c9f8d5b6-{code}", "Failed: Evicted") for code in ("x2x9k", "m4q7t", "b8v2n"))

    found = the(analyse(facts([], ended=evicted)), "GLB205")

    assert found.message.startswith(
        "3 pods have the labels that the Service selects (app=greeter), but all have ended (Failed: Evicted)"
    )
    assert found.next == (
        "kubectl get pods -n shop -l app=greeter",
        "kubectl describe pod greeter-7c9f8d5b6-x2x9k -n shop",
    )


def test_a_target_port_name_that_no_container_has_is_named_with_those_that_exist() -> None:
    found = the(analyse(facts([pod(11, Gap(GapReason.NO_PORT), target_port=None)])), "GLB205")

    assert "port named grpc" in found.message
    assert "they declare grpc 50051" in found.message


def renamed(number: int) -> Pod:
    gap = Gap(GapReason.NO_PORT)
    return pod(number, gap, target_port=None, owner="Deployment/greeter-canary", declares=("rpc 50051",))


def test_ready_pods_without_the_ports_name_are_named_with_those_that_they_have() -> None:
    report = analyse(facts([pod(11, lasting(2)), pod(12, lasting(2)), renamed(13)]))
    found = the(report, "GLB205")

    assert (report.verdict, found.severity) == ("balanced", "error")
    assert "no container of greeter-7c9f8d5b6-00013 has a port of that name; it declares rpc 50051" in found.message
    assert "the Service leads no connection to it, but only to the other 2 that are ready" in found.message
    assert found.next[0] == "kubectl edit deployment/greeter-canary -n shop"


def test_load_that_sticks_leads_over_a_pod_without_the_ports_name() -> None:
    assert codes(analyse(facts([pod(11, lasting(4)), pod(12, lasting(0)), renamed(13)]))) == ["GLB101", "GLB205"]


def test_slices_by_hand_that_lack_the_port_for_some_pods_are_told() -> None:
    number = replace(CLUSTER_IP, port=ServicePort("grpc", 80, 50051, None))

    found = the(analyse(facts([pod(11, lasting(2)), renamed(12)], service=number)), "GLB205")

    assert "EndpointSlices have no port named grpc for greeter-7c9f8d5b6-00012" in found.message
    assert found.next[0].startswith("kubectl get endpointslices")


def test_a_port_on_which_nothing_listens_is_named_with_those_that_are_listened_on() -> None:
    deaf = sockets(listening=False, listens_on=(50051,))

    found = the(analyse(facts([pod(11, deaf, target_port=50052)])), "GLB205")

    assert "port 50052" in found.message
    assert "they listen on 50051" in found.message


def test_pods_whose_named_port_differs_are_told_by_their_own_numbers() -> None:
    deaf = [
        pod(number, sockets(listening=False, listens_on=(9090,)), target_port=port)
        for number, port in ((11, 50051), (12, 50052))
    ]

    found = the(analyse(facts([*deaf, pod(13, lasting(3))])), "GLB205")

    assert found.message.startswith(
        "The Service leads to ports 50051 and 50052, each pod's own, but nothing listens there in 2 of 3 pods; they "
        "listen on 9090."
    )
    assert found.evidence[:2] == (
        "greeter-7c9f8d5b6-00011: no listening socket on port 50051",
        "greeter-7c9f8d5b6-00012: no listening socket on port 50052",
    )


def test_an_endpoint_by_hand_that_is_not_ready_is_no_pod_that_a_service_selects() -> None:
    address = "203.0.113.7"
    away = pod(11, Gap(GapReason.NOT_A_POD), name=address, ip=address, ready=False, serving=False, age=None)

    found = the(analyse(facts([away], service=replace(CLUSTER_IP, selector={}))), "GLB205")

    assert found.message == (
        "The Service has no selector, and the EndpointSlices that somebody wrote for it name 1 endpoint, but none is "
        "ready. New connections have nowhere to go."
    )
    assert found.evidence == ("203.0.113.7: not ready",)
    assert found.next == ("kubectl get endpointslices -n shop -l kubernetes.io/service-name=greeter -o yaml",)


def test_pods_that_are_not_ready_are_said_with_why() -> None:
    found = the(analyse(facts([pod(11, lasting(0), ready=False, waiting="ImagePullBackOff")])), "GLB205")

    assert "ImagePullBackOff" in found.message


def test_a_pod_that_is_not_ready_but_keeps_connections_is_told() -> None:
    kept = pod(12, lasting(3), ready=False, waiting="ContainersNotReady")

    assert "GLB206" in codes(analyse(facts([pod(11, lasting(1)), kept])))


def test_a_pod_that_is_not_ready_and_holds_nothing_is_let_be() -> None:
    assert codes(analyse(facts([pod(11, lasting(1)), pod(12, lasting(0), ready=False)]))) == []


def test_each_reason_for_a_gap_has_its_own_finding() -> None:
    report = analyse(
        facts(
            [
                pod(11, UNREADABLE),
                pod(12, Gap(GapReason.FORBIDDEN, "no")),
                pod(13, Gap(GapReason.TIMED_OUT, "25 s")),
                pod(14, Gap(GapReason.GARBLED, "?")),
            ]
        )
    )

    assert codes(report) == ["GLB901", "GLB902", "GLB903"]
    assert [row.connections for row in report.pods] == [None, None, None, None]


@pytest.mark.parametrize(
    ("gap", "said", "asks"),
    [
        (
            Gap(GapReason.FORBIDDEN, "no", rule_text("pods/exec", CONNECTION)),
            "You are not permitted to run commands in 1 pod",
            2,
        ),
        (
            Gap(GapReason.FORBIDDEN, "no", rule_text("pods/portforward", CONNECTION)),
            "not permitted to forward ports to 1 pod",
            0,
        ),
        (Gap(GapReason.FORBIDDEN, "no hostPID here"), "You are not permitted to look into 1 pod", 0),
    ],
    ids=["exec", "channelz", "node"],
)
def test_a_refused_look_names_what_was_refused_and_its_own_rule(gap: Gap, said: str, asks: int) -> None:
    finding = the(analyse(facts([pod(11, lasting(1)), pod(12, gap)])), "GLB902")

    assert said in finding.message
    assert gap.rule in finding.message
    assert len([line for line in finding.next if "can-i" in line]) == asks


def test_a_refused_look_at_the_surroundings_says_what_follows_and_changes_no_verdict() -> None:
    refusal = Refusal("list nodes", "zones are unknown", 'apiGroups: [""], resources: ["nodes"], verbs: ["list"]')

    report = analyse(of_counts(1, 1, refusals=(refusal,)))

    assert report.verdict == "balanced"
    assert "You are not permitted to list nodes: zones are unknown." in the(report, "GLB902").message


def test_a_name_with_shell_syntax_is_quoted_in_commands() -> None:
    hostile = of_counts(2, 0, 0)
    hostile = replace(
        hostile, aim=Aim("shop", "greeter;reboot"), target=replace(hostile.target, service="greeter;reboot")
    )

    commands = the(analyse(hostile), "GLB101").next

    assert commands[0] == "kubectl grpclb fix 'greeter;reboot' -n shop --dry-run"
    assert commands[1].startswith("kubectl expose service 'greeter;reboot' -n shop ")


def test_churning_connections_do_not_stick() -> None:
    churn = [pod(11, sockets([connection(lasting=False)], opened=200)), pod(12, sockets(opened=190))]

    assert codes(analyse(facts(churn))) == []
