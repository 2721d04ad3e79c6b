"""What channelz tells of a server: its calls, its connections, and what of them is not its clients'."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.channelz import ChannelzLook, ServerSeen, SocketSeen
from kubectl_grpclb.model.facts import Counted
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Answer, AskChannelz, Channelz, Objects, Reading, Refused
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.channelz import Served, channelz_of, request_channelz
from kubectl_grpclb.probes.endpoints import Backend
from kubectl_grpclb.probes.sockets import Looks, Seen
from tests.probes.asked import facts_of, peers, sockets
from tests.shop import PODS, pod, sticky

NAME = PODS[0]
ASK = Ask("shop", "greeter", window=5.0)
ONCE = Ask("shop", "greeter", window=0.0)
REQUEST = AskChannelz("shop", NAME, 50051, 5.0, 15.0)
CLIENT, OTHER = "10.244.1.21:40001", "10.244.1.22:40002"


def a_server(*probes: dict[str, Any], **changes: Any) -> Backend:
    """A server with these probes of the kubelet's, the first one for readiness, the second for liveness."""
    data = pod(NAME, "10.244.0.11", **changes)
    data["spec"]["containers"][0] |= dict(zip(("readinessProbe", "livenessProbe"), probes, strict=False))
    return Backend(NAME, ("10.244.0.11",), 50051, True, True, False, None, None, msgspec.convert(data, kube.Pod))


def greeter(started: int, *, running: int = 1, number: int = 1, listens: Sequence[str] = ("[::]:50051",)) -> ServerSeen:
    """A server with so many calls, of which as a rule only our question runs."""
    return ServerSeen(number, started, started - running, 0, tuple(listens))


def socket(
    remote: str,
    started: int = 0,
    *,
    number: int = 7,
    running: int = 0,
    received: int = 0,
    local: str = "10.244.0.11:50051",
) -> SocketSeen:
    return SocketSeen(number, local, remote, started, started - running, 0, received=received)


def look(*told: ServerSeen | SocketSeen, at: float = 0.0, own: int = 1, skipped: int = 0) -> ChannelzLook:
    servers = tuple(each for each in told if isinstance(each, ServerSeen))
    connections = tuple(each for each in told if isinstance(each, SocketSeen))
    return ChannelzLook(at=at, servers=servers, sockets=connections, own=own, skipped=skipped)


def reading(answer: Answer, request: AskChannelz = REQUEST) -> Reading:
    return Reading(request, answer, "2026-11-23T12:00:00Z", 5.1)


def told(*looks: ChannelzLook, server: Backend | None = None, request: AskChannelz = REQUEST) -> Served:
    ask = ASK if len(looks) > 1 else ONCE
    found = channelz_of([reading(Channelz(looks), request)], ask, server or a_server())
    assert isinstance(found, Served), found
    return found


def counted(*looks: ChannelzLook, **options: Any) -> Counted:
    found = told(*looks, **options).counted
    assert isinstance(found, Counted), found
    return found


def connections(*looks: ChannelzLook, **options: Any) -> tuple[Seen, ...]:
    found = told(*looks, **options).looks
    assert isinstance(found, Looks), found
    return found.seen


def gap(answer: Answer, ask: Ask = ASK) -> Gap:
    found = channelz_of([reading(answer)], ask, a_server())
    assert isinstance(found, Gap), found
    return found


def test_calls_are_those_begun_between_the_two_looks() -> None:
    found = counted(look(greeter(101)), look(greeter(151), at=4.0))

    assert (found.source, found.requests, found.seconds, found.rate) == ("channelz", 50, 4.0, 12.5)


def test_our_own_calls_are_left_out() -> None:
    found = counted(look(greeter(10), own=1), look(greeter(17), at=5.0, own=8))

    assert found.requests == 0
    assert found.open_streams == 0


def test_our_own_calls_at_another_port_are_none_of_the_servers() -> None:
    admin, there = AskChannelz("shop", NAME, 50052, 5.0, 15.0), ("[::]:50052",)
    first = look(greeter(100, running=0), greeter(3, number=2, listens=there), own=1)
    last = look(greeter(110, running=2), greeter(9, number=2, listens=there), at=5.0, own=7)

    found = counted(first, last, request=admin)

    assert (found.requests, found.open_streams) == (10, 2)


def test_our_own_calls_are_left_out_where_nobody_says_who_listens_where() -> None:
    first, last = look(greeter(10, listens=()), own=1), look(greeter(30, listens=()), at=5.0, own=6)

    assert counted(first, last).requests == 15


@pytest.mark.parametrize(
    ("probes", "calls"),
    [
        ([], 20),
        ([{"grpc": {"port": 50051}, "periodSeconds": 5}], 18),
        ([{"grpc": {"port": 50051}, "periodSeconds": 5}, {"grpc": {}}], 17),
        ([{"grpc": {"port": 50052}, "periodSeconds": 1}], 20),
        ([{"tcpSocket": {"port": 50051}, "periodSeconds": 1}], 20),
        ([{"grpc": {"port": 50051}, "periodSeconds": 1}, {"grpc": {"port": 50051}, "periodSeconds": 0}], 9),
        ([{"grpc": {"port": 50051}, "periodSeconds": 1}] * 2, 0),
    ],
)
def test_the_kubelets_health_checks_are_left_out(probes: list[dict[str, Any]], calls: int) -> None:
    first, last = look(greeter(100)), look(greeter(100 + (calls if calls == 0 else 20)), at=10.0)

    assert counted(first, last, server=a_server(*probes)).requests == calls


def test_a_single_look_tells_of_the_lives_of_the_connections_and_not_of_health_checks_since_the_server_began() -> None:
    found = counted(look(greeter(18_284, running=3), socket(CLIENT, 900, received=950), own=4))

    assert found == Counted("channelz", 900, 0.0, open_streams=2, messages=950)
    assert found.rate is None


def test_a_server_that_began_anew_between_the_looks_is_a_gap() -> None:
    began = Gap(GapReason.DIED, "the server began anew between the two looks")

    assert told(look(greeter(1000)), look(greeter(7), at=5.0, own=2)).counted == began
    assert told(look(greeter(10)), look(greeter(70, number=2), at=5.0)).counted == began


def test_looks_that_are_not_apart_are_a_gap_and_no_rate() -> None:
    found = told(look(greeter(10)), look(greeter(20))).counted

    assert isinstance(found, Gap)
    assert found.reason is GapReason.GARBLED


def test_calls_of_a_server_on_another_port_do_not_count() -> None:
    metrics = ("[::]:9090",)
    first = look(greeter(100), greeter(500, number=2, listens=metrics))
    last = look(greeter(120), greeter(900, number=2, listens=metrics), at=5.0)

    assert counted(first, last).requests == 20


def test_servers_that_do_not_say_where_they_listen_are_all_the_pods() -> None:
    first = look(greeter(100, listens=()), greeter(500, number=2, listens=()))
    last = look(greeter(120, listens=()), greeter(510, number=2, listens=()), at=5.0)

    assert counted(first, last).requests == 30


def test_channelz_that_knows_no_server_on_the_port_is_a_gap() -> None:
    found = told(look(greeter(100, listens=["[::]:9090"])), look(greeter(120, listens=["[::]:9090"]), at=5.0))

    assert found.counted == found.looks == Gap(GapReason.NOT_SERVED, "channelz knows no server on the port")


def test_connections_tell_their_calls_and_messages_of_the_window() -> None:
    first = look(greeter(1), socket(CLIENT, 100, received=400))
    last = look(greeter(1), socket(CLIENT, 130, running=4, received=490), at=5.0)

    assert connections(first, last) == (
        Seen("10.244.0.11", "10.244.1.21", 40001, True, True, None, None, 30, 4, 0, 90),
    )
    assert counted(first, last).messages == 90


def test_a_connection_of_a_single_look_counts_as_lasting_and_tells_its_whole_life() -> None:
    (seen,) = connections(look(greeter(1), socket(CLIENT, 100, running=3, received=100)))

    assert (seen.lasting, seen.streams, seen.open_streams, seen.held_streams, seen.messages) == (True, 100, 3, 3, 100)


def test_connections_that_came_or_went_do_not_last() -> None:
    first = look(greeter(1), socket(CLIENT, 100, running=2, number=7))
    last = look(greeter(1), socket(OTHER, 5, running=1, number=8), at=5.0)

    came, went = connections(first, last)

    assert (came.peer, came.lasting, came.established, came.streams) == ("10.244.1.22", False, True, 5)
    assert (went.peer, went.lasting, went.established) == ("10.244.1.21", False, False)


def test_a_stream_is_held_only_as_far_as_it_was_open_at_both_looks() -> None:
    first = look(greeter(1), socket(CLIENT, 9, running=5, number=7), socket("10.244.1.23:1", 9, running=1, number=8))
    there = (socket(CLIENT, 11, running=2, number=7), socket("10.244.1.23:1", 13, running=5, number=8))
    last = look(greeter(1), *there, socket(OTHER, 3, running=3, number=9), at=5.0)

    assert [(each.open_streams, each.held_streams) for each in connections(first, last)] == [(2, 2), (5, 1), (3, 0)]


def test_connections_to_other_ports_are_none_of_the_servers() -> None:
    metrics = socket(OTHER, 7, number=8, received=70, local="10.244.0.11:9090")
    first = look(greeter(1), socket(CLIENT, 1, received=1))
    last = look(greeter(1), socket(CLIENT, 4, received=4), metrics, at=5.0)

    assert [each.peer for each in connections(first, last)] == ["10.244.1.21"]
    assert counted(first, last).messages == 3


def test_connections_that_are_too_many_to_ask_for_are_a_gap_of_connections_and_not_of_calls() -> None:
    found = told(look(greeter(100), skipped=1500), look(greeter(200), at=5.0, skipped=1400))

    assert isinstance(found.counted, Counted)
    assert (found.counted.requests, found.counted.messages) == (100, None)
    assert found.looks == Gap(GapReason.TOO_LARGE, "channelz has 1,500 connections more than it is asked for")


def test_connections_over_loopback_are_left_out() -> None:
    ours = socket("127.0.0.1:36642", 9, number=8, received=9, local="127.0.0.1:50051")
    answer = Channelz((look(greeter(100), ours, socket("[::1]:1", 2, number=9, received=2), socket(CLIENT, 8)),))

    assert counted(*answer.looks).messages == 0
    assert peers(facts_of(sticky(told={f"channelz/{NAME}": [answer]}), window=0.0, via=("channelz",)), NAME) == [
        "10.244.1.21"
    ]


def test_ipv4_addresses_are_the_same_whether_mapped_or_not() -> None:
    mapped = "[::ffff:10.244.0.11]:50051"
    first = look(greeter(1), socket("[::ffff:10.244.1.22]:40002", number=8, local=mapped))
    last = look(greeter(1), socket("[::ffff:10.244.1.21]:40001", local=mapped), at=5.0)

    assert [(each.local, each.peer) for each in connections(first, last)] == [
        ("10.244.0.11", "10.244.1.21"),
        ("10.244.0.11", "10.244.1.22"),
    ]


def test_ipv6_addresses_are_kept_without_their_brackets() -> None:
    (seen,) = connections(look(greeter(1), socket("[fd00::7]:40001", local="[fd00::1]:50051")))

    assert (seen.local, seen.peer, seen.peer_port) == ("fd00::1", "fd00::7", 40001)


def test_a_report_names_channelz_as_what_told() -> None:
    answer = Channelz((look(greeter(100), socket(CLIENT, 8)),))

    found = sockets(facts_of(sticky(told={f"channelz/{NAME}": [answer]}), window=0.0, via=("channelz",)), NAME)

    assert (found.tool, found.by, found.listening, found.listens_on) == ("channelz", "channelz", True, (50051,))


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (Refused(GapReason.NOT_SERVED, "no channelz"), Gap(GapReason.NOT_SERVED, "no channelz")),
        (
            Objects(()),
            Gap(GapReason.GARBLED, "channelz was not asked, or its answer is of another kind"),
        ),
        (Channelz(), Gap(GapReason.DIED, "channelz gave no whole look")),
        (Channelz((), GapReason.TIMED_OUT, "slow"), Gap(GapReason.TIMED_OUT, "slow")),
        (Channelz((look(greeter(9)),), GapReason.DIED, "cut"), Gap(GapReason.DIED, "cut")),
    ],
)
def test_an_answer_without_the_looks_that_were_asked_for_is_a_gap(answer: Answer, found: Gap) -> None:
    assert gap(answer) == found


def test_the_last_answer_is_the_one_to_go_by() -> None:
    earlier = reading(Channelz((look(greeter(9)),)), AskChannelz("shop", NAME, 50051, 0.0, 10.0))
    later = reading(Channelz((look(greeter(9)), look(greeter(29), at=5.0))))

    found = channelz_of([earlier, later], ASK, a_server())

    assert isinstance(found, Served)
    assert isinstance(found.counted, Counted)
    assert found.counted.requests == 20


@pytest.mark.parametrize(
    "request_",
    [
        AskChannelz("shop", PODS[1], 50051, 0.0, 10.0),
        AskChannelz("billing", NAME, 50051, 0.0, 10.0),
        AskChannelz("shop", NAME, 50051, 0.0, 10.0, role="client"),
    ],
)
def test_what_others_were_asked_says_nothing(request_: AskChannelz) -> None:
    assert channelz_of([reading(Channelz((look(greeter(9)),)), request_)], ONCE, a_server()) is None


def test_a_server_is_asked_at_its_own_port_unless_the_user_says_where() -> None:
    elsewhere = Ask("shop", "greeter", window=0.0, channelz_port=50052, tls=True)

    assert request_channelz(ASK, a_server()) == AskChannelz("shop", NAME, 50051, 5.0, 15.0)
    assert request_channelz(elsewhere, a_server()) == AskChannelz("shop", NAME, 50052, 0.0, 10.0, tls=True)


@pytest.mark.parametrize(
    "changes", [{"pod": None}, {"gone": True}, {"target_port": None}, {"pod": a_server(containerStatuses=[]).pod}]
)
def test_a_server_that_cannot_answer_is_not_asked(changes: dict[str, Any]) -> None:
    assert request_channelz(ASK, msgspec.structs.replace(a_server(), **changes)) is None


NUMBERS = st.integers(0, 2**63)
ADDRESSES = st.sampled_from(
    ["", ":", "x", "[::]:50051", "10.0.0.1:50051", "10.0.0.1:99999", "[::ffff:1.2.3.4]:1", "²:²"]
)
SERVERS = st.builds(ServerSeen, st.integers(0, 3), NUMBERS, NUMBERS, NUMBERS, st.lists(ADDRESSES).map(tuple))
SOCKETS = st.builds(SocketSeen, st.integers(0, 3), ADDRESSES, ADDRESSES, *[NUMBERS] * 5)
LOOKS = st.builds(
    ChannelzLook,
    at=st.floats(0, 1e6),
    servers=st.lists(SERVERS, max_size=3).map(tuple),
    sockets=st.lists(SOCKETS, max_size=3).map(tuple),
    own=NUMBERS,
    skipped=st.integers(0, 2),
)


@given(st.lists(LOOKS, max_size=3), st.sampled_from([0.0, 5.0]))
def test_whatever_channelz_says_nothing_below_zero_comes_of_it(looks: list[ChannelzLook], window: float) -> None:
    found = channelz_of([reading(Channelz(tuple(looks)))], Ask("shop", "greeter", window=window), a_server())

    if isinstance(found, Served) and isinstance(found.counted, Counted):
        assert min(found.counted.requests, found.counted.open_streams or 0, found.counted.messages or 0) >= 0
    if isinstance(found, Served) and isinstance(found.looks, Looks):
        counts = [(each.streams, each.open_streams, each.held_streams, each.messages) for each in found.looks.seen]
        assert all((count or 0) >= 0 for each in counts for count in each)
