"""Which sources are asked: those that the user chose, or the cheapest that answer, and nothing unasked."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from kubectl_grpclb.model import facts, kube
from kubectl_grpclb.model.channelz import ChannelzLook, ServerSeen, SocketSeen
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.look import LOOK
from kubectl_grpclb.model.snapshot import (
    Answer,
    AskChannelz,
    Channelz,
    Exec,
    Get,
    List,
    LookFromNode,
    Objects,
    OpenUp,
    Refused,
    Scrape,
    Snapshot,
)
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.derive import derive
from kubectl_grpclb.probes.gather import gather
from tests import virtual_time
from tests.fake_cluster import FakeCluster, printed
from tests.shop import callers, look, pod, servers, sticky

FIRST, SECOND, THIRD = ORDER = sorted(each["metadata"]["name"] for each in servers())
"""The servers in the order in which they are asked."""

IPS = {each["metadata"]["name"]: each["status"]["podIP"] for each in servers()}
PEER = "10.244.1.21:40001"

NO_CHANNELZ = Refused(GapReason.NOT_SERVED, "channelz answered UNIMPLEMENTED: unknown service")
NO_PORT_FORWARD = Refused(GapReason.FORBIDDEN, 'cannot create resource "pods/portforward"', 403)
NO_SHELL = Refused(GapReason.NO_SHELL, "the container has no sh")
NODE_LOOKS = printed("#grpclb script 1\n")


def read(cluster: FakeCluster, **ask: Any) -> Snapshot:
    return virtual_time.run(gather(cluster, Ask("shop", "greeter", **ask)))


def facts_of(cluster: FakeCluster, **ask: Any) -> facts.Facts:
    return derive(read(cluster, **ask))


def channelz(name: str, *, window: bool = True) -> Channelz:
    """A server with one client's connection, seen twice or once."""
    socket = SocketSeen(7, f"{IPS[name]}:50051", PEER, 10, 10)
    first = ChannelzLook(0.0, (ServerSeen(1, 20, 19, 0, ("[::]:50051",)),), (socket,), own=1)
    later = ChannelzLook(5.0, (ServerSeen(1, 34, 33, 0, ("[::]:50051",)),), (socket,), own=5)
    return Channelz((first, later) if window else (first,))


def everywhere(kind: str, *answers: Answer) -> dict[str, Sequence[Answer]]:
    return {f"{kind}/{name}": answers for name in ORDER}


def served(**others: Answer) -> dict[str, Sequence[Answer]]:
    """All three serve channelz, but for those that answer otherwise: `third=Refused(…)`."""
    by_order = dict(zip(("first", "second", "third"), ORDER, strict=True))
    answers = {name: channelz(name) for name in ORDER} | {by_order[key]: answer for key, answer in others.items()}
    return {f"channelz/{name}": (answer,) for name, answer in answers.items()}


def dark(*shells: str) -> dict[str, Answer]:
    """Looks of pods without a shell, but for these, which have one."""
    return {name: printed(look(IPS[name], [PEER])) if name in shells else NO_SHELL for name in ORDER}


def opened(name: str) -> Objects:
    """A pod as it is when its ephemeral container runs."""
    data = pod(name, IPS[name], ephemeralContainerStatuses=[{"name": LOOK, "state": {"running": {}}}])
    return Objects((msgspec.convert(data, kube.Pod),))


def of(cluster: FakeCluster, kind: type) -> list[Any]:
    return [each for each in cluster.requests if isinstance(each, kind)]


def pods_asked(cluster: FakeCluster, kind: type) -> list[str]:
    """The pods that were asked so, in order; one that is asked twice is there twice."""
    return [each.pod for each in of(cluster, kind)]


def told_by(found: facts.Facts) -> dict[str, str | GapReason]:
    """What told each pod's connections, or why nothing did."""
    return {each.name: each.sockets.reason if isinstance(each.sockets, Gap) else each.sockets.by for each in found.pods}


@pytest.mark.parametrize("reason", [GapReason.NOT_SERVED, GapReason.FORBIDDEN, GapReason.TIMED_OUT, GapReason.GARBLED])
def test_auto_asks_two_pods_of_a_kind_and_no_other_where_they_serve_no_channelz(reason: GapReason) -> None:
    cluster = sticky(told=everywhere("channelz", Refused(reason, "no")))

    found = facts_of(cluster)

    assert pods_asked(cluster, AskChannelz) == [FIRST, SECOND]
    assert set(told_by(found).values()) == {"exec"}


def test_auto_asks_every_pod_where_the_first_was_too_slow_and_the_second_serves_channelz() -> None:
    slow = [Refused(GapReason.TIMED_OUT, "no complete answer within 4 s")]
    cluster = sticky(told=served() | {f"channelz/{FIRST}": slow})

    found = facts_of(cluster)

    assert pods_asked(cluster, AskChannelz) == [FIRST, SECOND, *ORDER]
    assert told_by(found) == {FIRST: "exec", SECOND: "channelz", THIRD: "channelz"}


def test_auto_asks_every_pod_where_the_first_one_serves_channelz() -> None:
    cluster = sticky(told=served())

    found = facts_of(cluster)

    assert [(each.pod, each.window) for each in of(cluster, AskChannelz)] == [
        (FIRST, 0.0),
        (SECOND, 0.0),
        *((name, 5.0) for name in ORDER),
    ]
    assert set(told_by(found).values()) == {"channelz"}
    assert of(cluster, Exec) == []
    assert [each.counted[0].requests for each in found.pods] == [10, 10, 10]


def test_auto_asks_every_pod_once_where_there_is_no_window() -> None:
    cluster = sticky(told={f"channelz/{name}": (channelz(name, window=False),) for name in ORDER})

    assert set(told_by(facts_of(cluster, window=0.0)).values()) == {"channelz"}
    assert pods_asked(cluster, AskChannelz) == ORDER


def test_auto_asks_the_others_where_the_first_one_only_failed() -> None:
    cluster = sticky(told=served(first=Refused(GapReason.DIED, "the connection ended")))

    found = facts_of(cluster)

    assert told_by(found) == {FIRST: "exec", SECOND: "channelz", THIRD: "channelz"}


def test_auto_asks_two_pods_of_each_kind() -> None:
    backends = servers()
    other = next(each for each in backends if each["metadata"]["name"] == THIRD)
    other["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "greeter-6f5d4c3b2", "controller": True}]
    cluster = sticky(pods=[*backends, *callers()], told={f"channelz/{THIRD}": (channelz(THIRD),)})

    found = facts_of(cluster)

    assert sorted(pods_asked(cluster, AskChannelz)) == sorted([FIRST, SECOND, THIRD, THIRD])
    assert told_by(found) == {FIRST: "exec", SECOND: "exec", THIRD: "channelz"}


def test_pods_that_are_still_dark_are_asked_in_their_shells() -> None:
    cluster = sticky(told=served(third=Refused(GapReason.DIED, "cut")))

    found = facts_of(cluster)

    assert pods_asked(cluster, Exec) == [THIRD]
    assert told_by(found) == {FIRST: "channelz", SECOND: "channelz", THIRD: "exec"}


def test_a_source_that_is_named_is_asked_of_every_pod() -> None:
    cluster = sticky(told=everywhere("channelz", NO_CHANNELZ))

    found = facts_of(cluster, via=("channelz",))

    assert pods_asked(cluster, AskChannelz) == ORDER
    assert of(cluster, Exec) == []
    assert set(told_by(found).values()) == {GapReason.NOT_SERVED}


def test_sources_that_are_named_together_are_all_asked_and_can_be_compared() -> None:
    cluster = sticky(told=served())

    found = facts_of(cluster, via=("channelz", "exec"))

    assert pods_asked(cluster, Exec) == ORDER
    assert [(each.sockets.by, [other.by for other in each.others]) for each in found.pods] == [  # type: ignore[union-attr]
        ("channelz", ["exec"])
    ] * 3


@pytest.mark.parametrize("via", [("auto",), ("metrics",), ("channelz",), ("exec",), ("channelz", "exec", "metrics")])
def test_nothing_is_added_to_the_cluster_unasked(via: Any) -> None:
    cluster = sticky(looks=dark())

    found = facts_of(cluster, via=via)

    assert of(cluster, OpenUp) == of(cluster, LookFromNode) == []
    assert all(isinstance(each.sockets, Gap) for each in found.pods)


def test_exec_alone_asks_nothing_else() -> None:
    cluster = sticky(told={**served(), **everywhere("metrics", printed(""))})

    read(cluster, via=("exec",), metrics_port=9090, channelz_port=50052, client_channelz_port=50052)

    assert {type(each) for each in cluster.requests} == {Get, List, Exec}
    assert {each.resource for each in cluster.requests if isinstance(each, Get | List)} == {
        "services", "endpointslices", "nodes", "pods", "replicasets", "deployments",
    }  # fmt: skip


def test_metrics_alone_tell_no_connections() -> None:
    cluster = sticky(told=everywhere("metrics", printed("# TYPE grpc_server_started_total counter\n")))

    found = facts_of(cluster, via=("metrics",), metrics_port=9090)

    assert of(cluster, Exec) == of(cluster, AskChannelz) == []
    assert [each.sockets for each in found.pods] == [
        Gap(GapReason.UNREAD, "--via metrics does not tell connections")
    ] * 3
    assert [each.counted[0].requests for each in found.pods] == [0, 0, 0]


def test_metrics_are_read_at_both_ends_of_the_window_by_those_that_answer() -> None:
    told = everywhere("metrics", printed("")) | {f"metrics/{SECOND}": (Refused(GapReason.NOT_SERVED, "no"),)}
    cluster = sticky(told=told)

    read(cluster, metrics_port=9090)

    assert pods_asked(cluster, Scrape) == [*ORDER, FIRST, THIRD]


def test_metrics_are_read_once_where_there_is_no_window() -> None:
    cluster = sticky(told=everywhere("metrics", printed("")))

    read(cluster, metrics_port=9090, window=0.0)

    assert pods_asked(cluster, Scrape) == ORDER


def test_a_port_forward_that_is_not_permitted_is_told_where_nobody_else_counts_calls() -> None:
    told = everywhere("channelz", NO_PORT_FORWARD)
    cluster = sticky(told=told)

    (refusal,) = facts_of(cluster).refusals

    assert pods_asked(cluster, AskChannelz) == [FIRST, SECOND]
    assert "pods/portforward" in refusal.rule
    assert refusal.consequence == "this source cannot tell how many calls each pod gets"


def test_a_source_that_is_not_permitted_is_not_missed_where_another_counts_the_calls() -> None:
    counted = everywhere("metrics", printed("# TYPE grpc_server_started_total counter\n"))
    told = everywhere("channelz", NO_PORT_FORWARD) | counted

    assert facts_of(sticky(told=told), metrics_port=9090).refusals == ()
    assert len(facts_of(sticky(told=told), metrics_port=9090, via=("channelz", "metrics")).refusals) == 1


def test_metrics_that_are_not_permitted_are_told_to_whom_said_where_they_are() -> None:
    refused = everywhere("metrics", Refused(GapReason.FORBIDDEN, 'cannot get resource "pods/proxy"', 403))

    (refusal,) = facts_of(sticky(told=refused), metrics_port=9090).refusals

    assert "pods/proxy" in refusal.rule
    assert len(facts_of(sticky(told={**refused, **served()}), metrics_port=9090).refusals) == 1


def debugged(looks: Mapping[str, Answer], *opens: str, **options: Any) -> FakeCluster:
    """A shop in which these pods can be opened, and what looking through their new containers shows."""
    through = {f"{name}/{LOOK}": printed(look(IPS[name], [PEER])) for name in opens}
    return sticky(looks={**looks, **through}, told={f"open-up/{name}": (opened(name),) for name in opens}, **options)


def test_debug_opens_only_pods_without_a_shell() -> None:
    cluster = debugged(dark(FIRST, THIRD), SECOND)

    found = facts_of(cluster, debug=True, debug_image="busybox:1.36")

    assert of(cluster, OpenUp) == [OpenUp("shop", SECOND, LOOK, "busybox:1.36")]
    assert told_by(found) == {FIRST: "exec", SECOND: "debug", THIRD: "exec"}


def test_the_look_goes_through_the_container_that_was_added() -> None:
    cluster = debugged(dark(), *ORDER)

    read(cluster, debug=True)

    looks = [(each.pod, each.container) for each in of(cluster, Exec)]
    assert looks == [*((name, "main") for name in ORDER), *((name, LOOK) for name in ORDER)]


def test_debug_looks_for_a_shell_first_whatever_was_chosen() -> None:
    cluster = debugged(dark(FIRST, SECOND), THIRD)

    read(cluster, via=("debug",), debug=True)

    assert pods_asked(cluster, OpenUp) == [THIRD]


def test_a_pod_that_channelz_shows_is_not_opened() -> None:
    cluster = sticky(looks=dark(), told=served())

    read(cluster, debug=True)

    assert of(cluster, Exec) == of(cluster, OpenUp) == []


def test_a_pod_that_cannot_be_opened_stays_dark_and_says_why() -> None:
    cluster = debugged(dark(), SECOND)

    found = facts_of(cluster, debug=True)

    assert pods_asked(cluster, OpenUp) == ORDER
    assert told_by(found) == {FIRST: GapReason.NOT_SERVED, SECOND: "debug", THIRD: GapReason.NOT_SERVED}
    assert found.refusals == ()


@pytest.mark.parametrize(
    "look_",
    [
        Refused(GapReason.FORBIDDEN, 'cannot create resource "pods/exec"', 403),
        Refused(GapReason.TIMED_OUT, "no complete answer within 25 s"),
        printed("rubbish"),
    ],
    ids=["forbidden", "timed out", "garbled"],
)
def test_debug_does_not_open_pods_that_are_dark_for_another_reason(look_: Answer) -> None:
    cluster = sticky(looks=dict.fromkeys(ORDER, look_))

    read(cluster, debug=True)

    assert of(cluster, OpenUp) == []


def test_debug_does_not_open_pods_whose_sidecar_takes_the_connections() -> None:
    backends = servers()
    for each in backends:
        each["spec"]["containers"].append({"name": "istio-proxy"})
    looks = {name: printed(look(IPS[name], [])) for name in ORDER}
    cluster = sticky(pods=[*backends, *callers()], looks=looks)

    found = facts_of(cluster, debug=True)

    assert set(told_by(found).values()) == {GapReason.SIDECAR}
    assert of(cluster, OpenUp) == []


def with_uids() -> list[dict[str, Any]]:
    backends = copy.deepcopy(servers())
    for number, each in enumerate(backends):
        each["metadata"]["uid"] = f"0000-{number}"
    return [*backends, *callers()]


def test_nodes_are_looked_from_only_where_the_user_says_so_and_for_all_of_a_nodes_pods_at_once() -> None:
    cluster = sticky(pods=with_uids(), told={"node/node-a": (NODE_LOOKS,)})

    read(cluster, via=("node",), debug_image="busybox:1.36", node_namespace="tools")

    (found,) = of(cluster, LookFromNode)
    assert (found.namespace, found.node, found.image) == ("tools", "node-a", "busybox:1.36")
    assert found.command[-3:] == ("0000-0", "0000-1", "0000-2")
    assert of(cluster, Exec) == []


def test_beside_auto_a_node_is_asked_for_the_pods_that_are_still_dark() -> None:
    told = served(second=Refused(GapReason.DIED, "cut"))
    cluster = sticky(pods=with_uids(), told=told, looks=dark())

    facts_of(cluster, via=("auto", "node"))

    (request,) = of(cluster, LookFromNode)
    assert len([word for word in request.command if word.startswith("0000-")]) == 1


def test_beside_auto_no_pod_is_run_on_a_node_where_what_only_reads_shows_everything() -> None:
    cluster = sticky(pods=with_uids(), told=served(second=Refused(GapReason.DIED, "cut")))

    found = facts_of(cluster, via=("auto", "node"))

    assert of(cluster, LookFromNode) == []
    assert told_by(found)[SECOND] == "exec"
