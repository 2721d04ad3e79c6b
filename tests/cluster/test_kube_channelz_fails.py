"""Channelz over a port-forward of what only pretends to serve it, refuses, breaks off or does not answer."""

# ruff: noqa: N802 -- the services' methods have gRPC's names

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_channelz.v1 import channelz_pb2

from kubectl_grpclb.cluster import _channelz
from kubectl_grpclb.cluster.kube import KubeWorkshop
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import Answer, AskChannelz, Reading, Refused
from tests.cluster.api_server import Conversation, forwards, refuses
from tests.cluster.channelz_pods import (
    CLIENT,
    LOOK,
    ONE,
    POD,
    TWICE,
    Pod,
    Told,
    asked,
    channelz_of,
    refusal_of,
    running,
)
from tests.cluster.test_kube_forward import listening, speak_http1


class Endless(Told):
    """Says of every page that there are more; `step` is how far it goes on."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self._step = step

    async def GetServers(self, request: Any, context: Any) -> Any:
        number = request.start_server_id * self._step + self._step
        return channelz_pb2.GetServersResponse(server=[channelz_pb2.Server(ref={"server_id": number})])

    async def GetTopChannels(self, request: Any, context: Any) -> Any:
        return channelz_pb2.GetTopChannelsResponse()


@pytest.mark.parametrize(
    ("request_", "step", "words"),
    [(LOOK, 0, "brings nothing new"), (LOOK, 1, "more than 256 pages"), (CLIENT, 0, "brings nothing new")],
)
def test_a_listing_without_an_end_is_garbled(tmp_path: Path, request_: AskChannelz, step: int, words: str) -> None:
    refused = refusal_of(asked(tmp_path, request_, Endless(step)))

    assert refused.reason is GapReason.GARBLED
    assert words in refused.message


class Refusing(Told):
    """Refuses everything with this status, or hangs."""

    def __init__(self, code: grpc.StatusCode | None, words: str = "") -> None:
        super().__init__()
        self._code, self._words = code, words

    async def GetServers(self, request: Any, context: Any) -> Any:
        if self._code is None:
            await asyncio.Event().wait()
        await context.abort(self._code, self._words)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, GapReason.NOT_SERVED),
        (grpc.StatusCode.UNAUTHENTICATED, GapReason.NOT_SERVED),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, GapReason.TOO_LARGE),
        (grpc.StatusCode.INTERNAL, GapReason.GARBLED),
    ],
)
def test_a_server_that_refuses_is_a_refusal_in_its_words(
    tmp_path: Path, code: grpc.StatusCode, reason: GapReason
) -> None:
    answer = asked(tmp_path, LOOK, Refusing(code, "admins only\x1b[2J" + "!" * 5000))

    assert refusal_of(answer).reason is reason
    assert refusal_of(answer).message.startswith(f"channelz answered {code.name}: admins only\\x1b[2J!")
    assert len(refusal_of(answer).message) < 400


def test_a_server_without_channelz_does_not_serve_it(tmp_path: Path) -> None:
    assert refusal_of(asked(tmp_path, LOOK, None)).reason is GapReason.NOT_SERVED


def test_a_server_that_does_not_answer_is_given_up_in_time(tmp_path: Path) -> None:
    answer = asked(tmp_path, AskChannelz("shop", POD, 50051, 0.0, 0.3), Refusing(None))

    assert refusal_of(answer).reason is GapReason.TIMED_OUT


def test_a_window_that_does_not_fit_into_the_time_leaves_the_first_look(tmp_path: Path) -> None:
    answer = channelz_of(asked(tmp_path, AskChannelz("shop", POD, 50051, 60.0, 1.0), Told(ONE)))

    assert len(answer.looks) == 1
    assert answer.gap is GapReason.TIMED_OUT


class Huge(Told):
    """Answers with more than is taken."""

    async def GetServers(self, request: Any, context: Any) -> Any:
        return channelz_pb2.GetServersResponse(server=[{"ref": {"name": "x" * (_channelz.MESSAGE_LIMIT + 1)}}])


def test_an_answer_that_is_too_large_is_not_taken(tmp_path: Path) -> None:
    assert refusal_of(asked(tmp_path, LOOK, Huge())).reason is GapReason.TOO_LARGE


def no_message() -> "grpc.GenericRpcHandler[Any, Any]":
    async def say(request: bytes, context: Any) -> bytes:
        return b"\xff\xff\xff\xff"

    methods = {"GetServers": grpc.unary_unary_rpc_method_handler(say)}
    return grpc.method_handlers_generic_handler("grpc.channelz.v1.Channelz", methods)


def test_an_answer_that_is_no_message_of_channelz_is_garbled(tmp_path: Path) -> None:
    pod = Pod()

    async def scenario(cluster: KubeWorkshop) -> Reading:
        async with running(handlers=[no_message()]) as (_, pod.port):
            return await cluster.read(LOOK)

    answer = Conversation(tmp_path, pod.forward).run(scenario).answer

    assert refusal_of(answer).reason is GapReason.GARBLED


class Cutting(Told):
    """Cuts the connection when it is asked for servers so often."""

    def __init__(self, pod: Pod, at: int) -> None:
        super().__init__(ONE, refs=3)
        self._pod, self._at, self._asked = pod, at, 0

    async def GetServers(self, request: Any, context: Any) -> Any:
        self._asked += 1
        return await super().GetServers(request, context)

    async def GetServerSockets(self, request: Any, context: Any) -> Any:
        if self._asked >= self._at:
            self._pod.cut()
        return await super().GetServerSockets(request, context)


def cut_at(tmp_path: Path, look: int) -> Answer:
    pod = Pod()

    async def scenario(cluster: KubeWorkshop) -> Reading:
        async with running(Cutting(pod, look)) as (_, pod.port):
            return await cluster.read(TWICE)

    reading: Reading = Conversation(tmp_path, pod.forward).run(scenario)
    return reading.answer


def test_a_connection_that_ends_in_the_first_look_is_a_refusal(tmp_path: Path) -> None:
    assert refusal_of(cut_at(tmp_path, 1)).reason is GapReason.DIED


def test_a_connection_that_ends_in_the_second_look_leaves_the_first(tmp_path: Path) -> None:
    answer = channelz_of(cut_at(tmp_path, 2))

    assert [len(each.sockets) for each in answer.looks] == [3]
    assert answer.gap is GapReason.DIED
    assert answer.detail


def test_a_port_forward_that_is_forbidden_is_a_refusal_in_the_words_of_the_cluster(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, refuses(403, "pods/portforward is forbidden"))

    assert talk.ask(LOOK) == Refused(GapReason.FORBIDDEN, "pods/portforward is forbidden")


def test_a_pod_that_is_gone_is_a_refusal(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, refuses(404, f'pods "{POD}" not found'))

    assert talk.ask(LOOK) == Refused(GapReason.DIED, f'pods "{POD}" not found')


@pytest.mark.parametrize(
    "trouble",
    [
        b"error forwarding port 50051: dial tcp4 127.0.0.1:50051: connect: connection refused",
        b'failed to execute portforward in network namespace "/var/run/netns/cni-1ca5": failed to connect to localhost',
    ],
)
def test_a_port_on_which_nothing_listens_does_not_serve_channelz(tmp_path: Path, trouble: bytes) -> None:
    refused = refusal_of(Conversation(tmp_path, forwards(trouble=trouble)).ask(LOOK))

    assert refused == Refused(GapReason.NOT_SERVED, trouble.decode())


def test_another_trouble_of_the_kubelet_is_told_in_its_words(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, forwards(trouble=b"network namespace for sandbox is closed"))

    assert talk.ask(LOOK) == Refused(GapReason.DIED, "network namespace for sandbox is closed")


def heard_on(tmp_path: Path, request: AskChannelz, serving: Any) -> Refused:
    """Ask a port on which something else listens."""
    pod = Pod()

    async def scenario(cluster: KubeWorkshop) -> Reading:
        async with serving as pod.port:
            return await cluster.read(request)

    return refusal_of(Conversation(tmp_path, pod.forward).run(scenario).answer)


def test_a_port_that_does_not_speak_grpc_does_not_serve_channelz(tmp_path: Path) -> None:
    refused = heard_on(tmp_path, LOOK, listening(speak_http1))

    assert refused.reason is GapReason.NOT_SERVED
    assert refused.message.startswith("what listens on port 50051 does not speak gRPC: ")
