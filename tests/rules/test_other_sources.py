"""What clients' own channelz, the metrics API and an autoscaler add to the servers' own word."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from kubectl_grpclb.model.facts import Autoscaler, ClientChannels, Facts, Pod, Usage
from kubectl_grpclb.rules import analyse
from tests.rules.builders import (
    HEADLESS,
    behind,
    codes,
    facts,
    from_envoy,
    lasting,
    metered,
    of_counts,
    pod,
    sockets,
    the,
    tier,
)

SCALER = Autoscaler(name="greeter", target=70, current=40, replicas=3, desired=3, most=10)


def channels(**changes: Any) -> ClientChannels:
    """What a client's channelz says: a channel with its own connection to the Service's address."""
    return replace(
        ClientChannels(
            client="caller-5d6c7b8f9-21",
            channels=1,
            policies=("pick_first",),
            subchannels=1,
            connections=1,
            targets=("dns:///greeter.shop:80",),
            picked=("10.96.0.17",),
        ),
        **changes,
    )


def using(*cores: float) -> Facts:
    """Pods that get as many calls each, and use so much CPU."""
    return facts(
        [metered(number, 300, lasting(1), usage=Usage(used, 1 << 26)) for number, used in enumerate(cores, 11)]
    )


def sticky(*cores: float, **changes: Any) -> Facts:
    """Pods of which the first has all connections, with an autoscaler."""
    pods = [pod(11, lasting(3)), *(pod(number, lasting(0)) for number in range(12, 11 + len(cores)))]
    used: Sequence[Pod] = [replace(each, usage=Usage(cpu, 1 << 26)) for each, cpu in zip(pods, cores, strict=True)]
    return facts(used, autoscaler=SCALER, **changes)


def skipped(found: Facts) -> list[str]:
    """The codes of rules that had nothing to go by."""
    return [each.code for each in analyse(found).skipped]


def test_channels_that_share_a_subchannel_are_told_as_a_warning_where_load_sticks() -> None:
    found = the(analyse(of_counts(1, 0, 0, channels=(channels(channels=4),))), "GLB108")

    assert (found.severity, found.confidence) == ("warning", "high")
    assert found.message.startswith(
        "The 4 channels of caller-5d6c7b8f9-21 share one subchannel, and with it one connection: more channels do not"
    )


def test_channels_that_share_a_subchannel_are_a_note_where_load_is_even() -> None:
    assert the(analyse(of_counts(1, 1, channels=(channels(channels=4),))), "GLB108").severity == "info"


def test_channels_that_share_several_subchannels_or_have_no_connection_are_told_so() -> None:
    told = channels(channels=6, subchannels=2, connections=0, policies=())

    assert (
        "share 2 subchannels, and with them no connection:"
        in the(analyse(of_counts(1, 1, channels=(told,))), "GLB108").message
    )


def test_a_channel_of_its_own_connection_shares_nothing() -> None:
    assert "GLB108" not in codes(analyse(of_counts(1, 1, channels=(channels(channels=2, subchannels=2),))))


def test_channels_with_round_robin_spread_their_calls_although_they_share() -> None:
    told = channels(channels=5, subchannels=3, connections=3, policies=("round_robin",))

    assert "GLB108" not in codes(analyse(of_counts(1, 1, 1, service=HEADLESS, channels=(told,))))


def test_channels_that_name_no_policy_may_have_round_robin_where_they_reach_several_pods() -> None:
    told = channels(channels=10, policies=(), subchannels=3, connections=3, picked=("10.244.0.11", "10.244.0.12"))

    assert "GLB108" not in codes(analyse(of_counts(1, 1, 1, service=HEADLESS, channels=(told,))))


def test_channels_that_name_no_policy_and_reach_one_address_share_with_less_confidence() -> None:
    told = channels(channels=10, policies=(), subchannels=2, connections=2)

    assert the(analyse(of_counts(2, 0, 0, channels=(told,))), "GLB108").confidence == "medium"


def test_channels_without_a_subchannel_share_nothing() -> None:
    told = channels(channels=2, subchannels=0, connections=0)

    assert "GLB108" not in codes(analyse(of_counts(1, 1, channels=(told,))))


def test_channels_to_the_only_pod_may_share() -> None:
    assert "GLB108" not in codes(analyse(of_counts(2, channels=(channels(channels=4),))))


def test_channels_to_envoys_may_share() -> None:
    told = behind([pod(11, sockets(from_envoy()))], channels=(channels(channels=4),))

    assert not {"GLB108", "GLB109"} & set(codes(analyse(told)))


def test_where_no_client_was_asked_nothing_is_said_of_channels() -> None:
    report = analyse(of_counts(1, 1, service=HEADLESS))

    assert (codes(report), report.skipped) == ([], ())


def test_a_client_that_picks_the_first_address_says_so_itself() -> None:
    told = channels(picked=("10.244.0.11",))

    report = analyse(of_counts(2, 0, 0, service=HEADLESS, channels=(told,)))
    found = the(report, "GLB109")

    assert codes(report) == ["GLB109", "GLB103", "GLB102"]
    assert (found.severity, found.confidence) == ("warning", "high")
    assert found.message.startswith(
        "caller-5d6c7b8f9-21 itself says that its policy is pick_first: it uses the first address"
    )
    assert found.evidence == (
        "caller-5d6c7b8f9-21's channelz: pick_first for dns:///greeter.shop:80, connected to 10.244.0.11",
    )


def test_several_clients_that_pick_the_first_address_say_so_themselves() -> None:
    told = (channels(), channels(client="batch-6f7d9c-x2x9k"))

    assert (
        "caller-5d6c7b8f9-21 and batch-6f7d9c-x2x9k themselves say that their policy is pick_first: each uses"
        in the(analyse(of_counts(2, 0, 0, service=HEADLESS, channels=told)), "GLB109").message
    )


def test_pick_first_is_a_note_where_load_is_even() -> None:
    report = analyse(of_counts(1, 1, 1, service=HEADLESS, channels=(channels(),)))

    assert [(each.code, each.severity) for each in report.findings] == [("GLB109", "info")]


def test_pick_first_below_round_robin_is_no_fault() -> None:
    told = channels(policies=("pick_first", "round_robin"))

    assert "GLB109" not in codes(analyse(of_counts(2, 0, 0, service=HEADLESS, channels=(told,))))


def test_pick_first_has_no_choice_behind_a_cluster_address_or_with_one_pod() -> None:
    assert "GLB109" not in codes(analyse(of_counts(2, 0, 0, channels=(channels(),))))
    assert "GLB109" not in codes(analyse(of_counts(2, service=HEADLESS, channels=(channels(),))))


def test_equal_calls_with_unequal_cpu_are_unequal_work() -> None:
    report = analyse(using(0.9, 0.2, 0.2))
    found = the(report, "GLB403")

    assert codes(report) == ["GLB403"]
    assert (found.severity, found.confidence) == ("info", "medium")
    assert found.message.startswith(
        "Each pod gets about as many calls, but greeter-7c9f8d5b6-00011 uses 0.90 cores while the others use 0.20 "
        "cores on average."
    )
    assert found.evidence[0] == "greeter-7c9f8d5b6-00011: 0.90 cores (metrics API), 300 calls"


def test_of_two_pods_one_can_do_unequal_work() -> None:
    assert codes(analyse(using(0.9, 0.1))) == ["GLB403"]


def test_pods_beside_which_nothing_uses_cpu_do_unequal_work() -> None:
    assert "0.90 cores while the others use 0 millicores" in the(analyse(using(0.9, 0.0)), "GLB403").message


def test_cpu_that_is_about_equal_is_no_finding() -> None:
    assert codes(analyse(using(0.3, 0.2, 0.25))) == []


def test_cpu_that_is_hardly_any_is_no_finding() -> None:
    assert codes(analyse(using(0.04, 0.001, 0.001))) == []
    assert codes(analyse(using(0.0, 0.0))) == []


def test_one_pod_alone_does_no_unequal_work() -> None:
    alone = using(0.9)

    assert codes(analyse(alone)) == []
    assert "GLB403" not in skipped(alone)


def test_without_every_pods_cpu_unequal_work_is_not_told() -> None:
    assert "GLB403" in skipped(facts([metered(11, 300, lasting(1)), metered(12, 300, lasting(1))]))


def test_unequal_work_shows_behind_envoys_as_well() -> None:
    servers = [
        pod(number, sockets(from_envoy()), requests=100, usage=Usage(used, 1 << 26))
        for number, used in ((11, 0.8), (12, 0.1))
    ]

    assert codes(analyse(behind(servers))) == ["GLB403"]


def test_an_autoscaler_that_sees_the_mean_is_told_beside_what_sticks() -> None:
    report = analyse(sticky(1.0, 0.1, 0.1))
    found = the(report, "GLB404")

    assert codes(report) == ["GLB101", "GLB404"]
    assert found.message.startswith(
        "The autoscaler greeter aims at 70% CPU on average and sees 40%, while greeter-7c9f8d5b6-00011 uses "
        "2.5 times the average, about 100%."
    )
    assert found.evidence[0] == "greeter: 40% of 70%, 3 of 10 pods"


def test_an_autoscaler_over_pods_of_which_none_is_full_is_not_misled() -> None:
    calm = replace(SCALER, current=10)

    assert "GLB404" not in codes(analyse(replace(sticky(0.25, 0.02, 0.03), autoscaler=calm)))


def test_an_autoscaler_that_wants_more_pods_is_not_misled() -> None:
    wanting = replace(SCALER, current=90)

    assert "GLB404" not in codes(analyse(replace(sticky(1.0, 0.1, 0.1), autoscaler=wanting)))


def test_pods_that_use_no_cpu_mislead_no_autoscaler() -> None:
    assert "GLB404" not in codes(analyse(sticky(0.0, 0.0, 0.0)))


def test_an_autoscaler_that_sees_nothing_is_said_to() -> None:
    blind = replace(SCALER, current=None)

    report = analyse(replace(sticky(1.0, 0.1, 0.1), autoscaler=blind))

    assert next(each.reason for each in report.skipped if each.code == "GLB404") == (
        "the autoscaler greeter does not report what CPU it sees"
    )


def test_where_a_pods_cpu_is_not_known_the_autoscaler_is_not_judged() -> None:
    assert "GLB404" in skipped(of_counts(3, 0, 0, autoscaler=SCALER))


def test_an_autoscaler_behind_envoys_is_left_alone() -> None:
    assert "GLB404" not in codes(analyse(sticky(1.0, 0.1, 0.1, tiers=(tier(),))))


def test_an_autoscaler_over_even_load_is_left_alone() -> None:
    assert "GLB404" not in codes(analyse(replace(using(0.3, 0.3, 0.3), autoscaler=SCALER)))
