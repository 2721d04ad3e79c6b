"""Envoys of a fix that is staged or bypassed: what they hold and check at the servers is no client's."""

import asyncio

import msgspec
import pytest
from msgspec.structs import replace

from kubectl_grpclb.model.facts import Connection, Counted, Pod
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.bypassed import without_envoys
from kubectl_grpclb.probes.derive import derive
from kubectl_grpclb.probes.gather import gather
from kubectl_grpclb.rules.assess import assess
from tests.change.acts import fix
from tests.fake_workshop import FakeWorkshop
from tests.rules.builders import UNREADABLE, connection, facts, pod, sockets

ENVOYS = {"10.244.2.31", "10.244.2.32"}
CALLER = "10.244.1.21"


def seen_by_channelz(*connections: Connection, calls: int, waited: float = 5.0) -> Pod:
    held = sockets(connections, tool="channelz", waited=waited)
    return pod(11, held, counted=(Counted("channelz", calls, waited, 0, calls),))


def called(peer: str, calls: int) -> Connection:
    return replace(connection(peer), streams=calls, messages=calls)


def counted(found: Pod) -> list[tuple[int, int | None]]:
    return [(each.requests, each.messages) for each in found.counted]


def peers(found: Pod) -> list[str]:
    assert not isinstance(found.sockets, Gap)
    return [each.peer for each in found.sockets.connections]


def test_their_connections_are_left_out_of_what_every_source_shows() -> None:
    both = sockets([connection(CALLER), connection("10.244.2.31"), connection("10.244.2.32")])

    found = without_envoys(pod(11, both, others=(both,)), ENVOYS)

    assert peers(found) == [CALLER]
    assert [len(each.connections) for each in found.others] == [1]


def test_their_health_checks_are_no_calls() -> None:
    server = seen_by_channelz(called(CALLER, 500), called("10.244.2.31", 1), called("10.244.2.32", 2), calls=503)

    assert counted(without_envoys(server, ENVOYS)) == [(500, 500)]


def test_calls_that_clients_still_send_through_them_stay_counted() -> None:
    server = seen_by_channelz(called(CALLER, 500), called("10.244.2.31", 80), calls=580)

    assert counted(without_envoys(server, ENVOYS)) == [(580, 580)]


def test_of_a_whole_life_nothing_over_their_connections_counts() -> None:
    server = seen_by_channelz(called(CALLER, 500), called("10.244.2.31", 80), calls=580, waited=0.0)

    assert counted(without_envoys(server, ENVOYS)) == [(500, 500)]


@pytest.mark.parametrize("envoys", [set(), ENVOYS])
def test_a_pod_that_could_not_be_read_stays_one(envoys: set[str]) -> None:
    assert without_envoys(pod(11, UNREADABLE), envoys) == pod(11, UNREADABLE)


def test_a_staged_fix_does_not_make_sticky_connections_look_even() -> None:
    callers = [connection(CALLER), connection(CALLER)]
    idle = [connection("10.244.2.31"), connection("10.244.2.32")]
    servers = [pod(11, sockets([*callers, *idle])), pod(12, sockets(idle)), pod(13, sockets(idle))]

    load = assess(facts([without_envoys(server, ENVOYS) for server in servers]))

    assert (load.verdict, load.balance.idle) == ("unbalanced", 2)


def test_the_envoys_of_a_staged_fix_are_known_by_their_labels_and_no_clients() -> None:
    shop = FakeWorkshop()
    fix(shop, stage_only=True)
    shop.revive()
    shop._through_envoy = True  # the idle Envoys are connected to every server

    found = derive(asyncio.run(gather(shop, Ask("shop", "greeter", window=0.0))))

    assert found.bundle == "bypassed"
    assert not [each.name for each in found.clients if "envoy" in each.name]
    assert [peer for each in msgspec.to_builtins(found.pods) for peer in each["sockets"]["connections"]] == []
