"""Clients that serve channelz themselves: which of them are asked, and what their channels to the Service are."""

from collections.abc import Sequence
from typing import Any

import pytest

from kubectl_grpclb.model.channelz import ChannelSeen, ChannelzLook, SocketSeen
from kubectl_grpclb.model.facts import ClientChannels
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import Answer, AskChannelz, Channelz, Reading, Refused
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.client_channelz import client_channels
from kubectl_grpclb.probes.endpoints import Backend
from tests.fake_cluster import FakeCluster, printed
from tests.probes.asked import facts_of, read
from tests.shop import CALLERS, PODS, callers, look, pod, servers, sticky

ASK = Ask("shop", "greeter", window=0.0)
SERVERS = [
    Backend(name, (f"10.244.0.{number}",), 50051, True, True, False, None, None, None)
    for number, name in enumerate(PODS, 11)
]
PICK_FIRST, ROUND_ROBIN = 'Created new LB policy "pick_first"', 'Created new LB policy "round_robin"'


def telling(caller: dict[str, Any], port: str, number: int = 50052) -> dict[str, Any]:
    """The same pod with a port of this name."""
    caller["spec"]["containers"][0]["ports"] = [{"name": port, "containerPort": number}]
    return caller


def asked(cluster: FakeCluster, **ask: Any) -> list[AskChannelz]:
    requests = [reading.request for reading in read(cluster, window=0.0, **ask).readings]
    return [each for each in requests if isinstance(each, AskChannelz) and each.role == "client"]


def calling(*clients: dict[str, Any]) -> FakeCluster:
    """A shop whose first server has a connection from each of these pods."""
    peers = [f"{each['status']['podIP']}:40001" for each in clients]
    return sticky(pods=[*servers(), *clients], looks={PODS[0]: printed(look("10.244.0.11", peers))})


def channel(
    number: int, target: str, *below: int, trace: Sequence[str] = (PICK_FIRST,), sockets: Sequence[int] = ()
) -> ChannelSeen:
    return ChannelSeen(number, target, "READY", subchannels=below, sockets=tuple(sockets), trace=tuple(trace))


def subchannel(number: int, *sockets: int) -> ChannelSeen:
    return ChannelSeen(number, "ipv4:10.244.0.11:50051", "READY", sockets=sockets)


def ends(number: int, remote: str) -> SocketSeen:
    return SocketSeen(number, "10.244.1.21:40001", remote)


def told(*looks: ChannelzLook | Answer, namespace: str = "shop") -> tuple[ClientChannels, ...]:
    request = AskChannelz(namespace, CALLERS[0], 50052, 0.0, 10.0, role="client")
    answers = [Channelz((each,)) if isinstance(each, ChannelzLook) else each for each in looks]
    readings = [Reading(request, each, "2026-11-23T12:00:00Z", 0.1) for each in answers]
    return client_channels(readings, ASK, SERVERS)


def of_channels(*channels: ChannelSeen, namespace: str = "shop", **below: Any) -> ClientChannels | None:
    found = told(ChannelzLook(channels=channels, **below), namespace=namespace)
    return found[0] if found else None


def policies(*trace: str) -> tuple[str, ...]:
    found = of_channels(channel(1, "dns:///greeter:80", 2, trace=trace))
    assert found is not None
    return found.policies


def test_only_clients_with_a_port_that_is_named_so_are_asked() -> None:
    one, other = callers()

    assert asked(calling(telling(one, "grpc-channelz"), telling(other, "admin"))) == [
        AskChannelz("shop", CALLERS[0], 50052, 0.0, 10.0, role="client")
    ]


def test_clients_that_declare_nothing_are_left_alone() -> None:
    assert asked(calling(*callers())) == []


def test_all_clients_are_asked_at_the_port_that_the_user_gives() -> None:
    one, other = callers()

    found = asked(calling(telling(one, "channelz"), other), client_channelz_port=9000, tls=True)

    assert [(each.pod, each.port, each.tls) for each in found] == [(CALLERS[0], 9000, True), (CALLERS[1], 9000, True)]


def test_no_client_is_asked_where_the_user_chose_other_sources() -> None:
    one, other = callers()

    assert asked(calling(telling(one, "channelz"), other), via=("exec",), client_channelz_port=9000) == []


def test_clients_of_the_same_name_in_two_namespaces_are_both_asked() -> None:
    one, other = (telling(pod("cart-5d6c7b8f9-0", f"10.244.1.{number}", app="cart"), "channelz") for number in (21, 22))
    other["metadata"]["namespace"] = "shipping"

    assert [(each.namespace, each.pod) for each in asked(calling(one, other))] == [
        ("shop", "cart-5d6c7b8f9-0"),
        ("shipping", "cart-5d6c7b8f9-0"),
    ]


def test_a_client_that_is_not_known_or_has_ended_is_not_asked() -> None:
    one, _ = callers()
    one["status"]["phase"] = "Succeeded"

    assert asked(calling(telling(one, "channelz"))) == []


def test_at_most_twenty_clients_are_asked() -> None:
    crowd = [telling(pod(f"cart-5d6c7b8f9-{n:05}", f"10.244.1.{n}", app="cart"), "channelz") for n in range(30, 70)]

    assert len(asked(calling(*crowd))) == 20


def test_what_a_client_tells_is_among_the_facts() -> None:
    answer = Channelz(
        (ChannelzLook(channels=(channel(1, "dns:///greeter:80", 2), channel(3, "dns:///greeter:80", 2))),)
    )
    one, other = callers()
    cluster = sticky(pods=[*servers(), telling(one, "channelz"), other], told={f"channelz/{CALLERS[0]}": [answer]})

    (found,) = facts_of(cluster, window=0.0).channels

    assert (found.client, found.channels, found.subchannels, found.policies) == (CALLERS[0], 2, 1, ("pick_first",))


def test_channels_that_share_a_subchannel_are_told_from_those_that_do_not() -> None:
    channels = [channel(number, "dns:///greeter:80", 8) for number in (1, 2, 3)]
    apart = channel(4, "dns:///greeter:80", 9)
    below: dict[str, Any] = {"subchannels": (subchannel(8, 80), subchannel(9, 90))}
    sockets = (ends(80, "10.244.0.11:50051"), ends(90, "10.244.0.12:50051"))

    shared = of_channels(*channels, **below, sockets=sockets)
    both = of_channels(*channels, apart, **below, sockets=sockets)

    assert shared == ClientChannels(CALLERS[0], 3, ("pick_first",), 1, 1, ("dns:///greeter:80",), ("10.244.0.11",))
    assert both is not None
    assert (both.channels, both.subchannels, both.connections) == (4, 2, 2)


def test_subchannels_that_were_not_asked_for_are_not_shared_ones() -> None:
    channels = [channel(number, "dns:///greeter:80", number + 10) for number in (1, 2, 3)]

    found = of_channels(*channels, subchannels=(subchannel(11),), skipped=2)

    assert found is not None
    assert (found.channels, found.subchannels) == (3, 3)


def test_idle_channels_share_nothing() -> None:
    busy = [channel(number, "dns:///greeter:80", number + 10) for number in (1, 2)]
    idle = [channel(number, "dns:///greeter:80") for number in (3, 4)]

    found, asleep = of_channels(*busy, *idle), of_channels(*idle)

    assert found is not None
    assert asleep is not None
    assert (found.channels, found.subchannels) == (2, 2)
    assert (asleep.channels, asleep.subchannels) == (2, 0)


@pytest.mark.parametrize(
    "target",
    [
        "greeter",
        "greeter:80",
        "dns:///greeter:80",
        "dns://198.18.0.10/greeter.shop:80",
        "dns:///greeter.shop.svc.cluster.local.:80",
        "kubernetes:///greeter.shop:grpc",
        "xds:///greeter.shop.svc.cluster.local:80",
    ],
)
def test_a_channel_leads_to_the_service_by_its_name(target: str) -> None:
    found = of_channels(channel(1, target))

    assert found is not None
    assert found.targets == (target,)


@pytest.mark.parametrize(
    "target",
    ["dns:///greeter-canary:80", "dns:///my-greeter:80", "dns:///greeter.billing:80", "dns:///cart.greeter:80", ""],
)
def test_a_channel_to_another_name_leads_elsewhere(target: str) -> None:
    assert of_channels(channel(1, target)) is None


def test_a_bare_name_means_the_service_of_the_clients_own_namespace() -> None:
    assert of_channels(channel(1, "dns:///greeter:80"), namespace="billing") is None
    assert of_channels(channel(1, "dns:///greeter.shop:80"), namespace="billing") is not None


def test_a_channel_leads_to_the_service_by_the_servers_addresses() -> None:
    found = of_channels(
        channel(1, "consul:///hello", 8), channel(2, "dns:///cart:80", 9), channel(3, "unix:/run/x", sockets=[70]),
        subchannels=(subchannel(8, 80), subchannel(9, 90)),
        sockets=(ends(80, "[::ffff:10.244.0.12]:50051"), ends(90, "10.244.7.7:50051"), ends(70, "")),
    )  # fmt: skip

    assert found is not None
    assert (found.channels, found.targets, found.picked) == (1, ("consul:///hello",), ("10.244.0.12",))


def test_the_newest_policy_is_the_one_in_use() -> None:
    assert policies("Channel created", PICK_FIRST, ROUND_ROBIN, "Channel state change to READY") == ("round_robin",)
    assert policies('Channel switches to new LB policy "pick_first"') == ("pick_first",)


def test_a_trace_that_names_no_policy_tells_none() -> None:
    assert policies("Channel created") == ()
    assert policies() == ()


@pytest.mark.parametrize(
    "event",
    [
        'original dial target is: "dns:///greeter-grpclb-pods.shop:50051"',
        "Resolver state updated: priority.shop:80, dns:///rls",
        "fallback to scheme xds-broken",
    ],
)
def test_a_name_within_a_target_is_no_policy(event: str) -> None:
    assert policies(PICK_FIRST, event) == ("pick_first",)


def test_policies_of_several_channels_are_all_told() -> None:
    found = of_channels(channel(1, "greeter:80", 2), channel(3, "greeter:80", 4, trace=[ROUND_ROBIN]))

    assert found is not None
    assert found.policies == ("pick_first", "round_robin")


def test_a_client_that_did_not_answer_or_has_no_channel_there_tells_nothing() -> None:
    assert told(Refused(GapReason.NOT_SERVED, "no channelz"), Channelz(), ChannelzLook()) == ()
