"""Ports of pods over the API server: Envoy's admin interface, and servers that are spoken to as clients do."""

import asyncio
import json
import shutil
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from msgspec.structs import replace

from kubectl_grpclb.cluster._forward import Forward
from kubectl_grpclb.cluster.kube import KubeWorkshop
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import AskChannelz, AskEnvoy, Blob, Output, Refused
from kubectl_grpclb.model.speech import Heard
from tests.cluster.api_server import HEARD, Conversation, executes, forwards, refuses, tunnels
from tests.cluster.test_kube_tls import make_certificates

if TYPE_CHECKING:
    from kubectl_grpclb.cluster._api import Api

POD = "greeter-grpclb-envoy-6b7f9c8d4-e1e1e"
CLUSTERS = AskEnvoy("shop", POD, "/clusters?format=json", 5.0)
BODY = b'{"cluster_statuses":[]}'
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 23\r\n\r\n" + BODY


def heard(talk: Conversation, port: int = 50051, seconds: float = 5.0) -> Heard | Gap:
    """Speak to the pod's port."""
    found: Heard | Gap = talk.run(lambda cluster: cluster.greet("shop", POD, port, seconds))
    return found


def test_envoys_admin_interface_is_asked_over_a_port_forward(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, forwards(PAGE))

    answer = talk.ask(CLUSTERS)

    assert answer == Output(stdout=Blob(text=BODY.decode()), exit_code=0)
    assert talk.requests[0].path == f"/api/v1/namespaces/shop/pods/{POD}/portforward"
    assert talk.requests[0].query["ports"] == "19000"
    assert talk.requests[0][HEARD].startswith(b"\x00GET /clusters?format=json HTTP/1.1\r\n")


def test_of_an_envoy_of_others_the_wanted_hosts_are_kept_from_its_own_port(tmp_path: Path) -> None:
    hosts = [{"address": {"socket_address": {"address": f"10.244.0.{n}", "port_value": 50051}}} for n in (11, 99)]
    body = json.dumps({"cluster_statuses": [{"name": "greeter", "host_statuses": hosts}]}).encode()
    talk = Conversation(tmp_path, forwards(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body))

    answer = talk.ask(replace(CLUSTERS, port=9901, hosts=("10.244.0.11",)))

    assert talk.requests[0].query["ports"] == "9901"
    assert isinstance(answer, Output)
    assert "10.244.0.11" in answer.stdout.text
    assert "10.244.0.99" not in answer.stdout.text


def test_what_is_no_envoy_at_a_port_of_others_is_not_kept(tmp_path: Path) -> None:
    told = forwards(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")
    missing = forwards(b"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\nsecret")
    request = replace(CLUSTERS, port=9901, hosts=("10.244.0.11",))

    answer = Conversation(tmp_path, told).ask(request)

    assert isinstance(answer, Refused)
    assert (answer.reason, "secret" in answer.message) == (GapReason.GARBLED, False)
    assert Conversation(tmp_path, missing).ask(request) == Output(exit_code=404)


def test_nothing_of_the_users_credentials_goes_to_the_pod(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, forwards(PAGE))

    talk.ask(CLUSTERS)

    assert b"t0ken" not in talk.requests[0][HEARD]
    assert b"authorization" not in talk.requests[0][HEARD].lower()


def test_a_page_in_pieces_is_put_together(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, forwards(*(PAGE[place : place + 7] for place in range(0, len(PAGE), 7))))

    assert talk.ask(CLUSTERS) == Output(stdout=Blob(text=BODY.decode()), exit_code=0)


def test_a_page_that_envoy_does_not_have_keeps_its_status(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, forwards(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope"))

    assert talk.ask(CLUSTERS) == Output(stdout=Blob(text="nope"), exit_code=404)


def test_a_connection_is_closed_also_where_the_forward_ends_before_it_began() -> None:
    async def ended_at_once(ours: socket.socket) -> None:
        forwarded = Forward(cast("Api", None), "shop", POD, 19000)
        forwarded.take(*await asyncio.open_connection(sock=ours))
        await forwarded.end()

    ours, theirs = socket.socketpair()
    with theirs:
        asyncio.run(ended_at_once(ours))

        assert theirs.recv(1) == b""


class Silent:
    """An API server that never answers."""

    @asynccontextmanager
    async def websocket(self, *_: object, **__: object) -> AsyncIterator[None]:
        await asyncio.Event().wait()
        yield


def test_a_connection_that_comes_after_the_end_of_its_forward_is_closed() -> None:
    async def come_late() -> bytes:
        ended = Forward(cast("Api", Silent()), "shop", POD, 50051)
        await ended.end()
        async with await asyncio.start_server(ended.take, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            try:
                return await asyncio.wait_for(reader.read(), timeout=5)
            except ConnectionResetError:
                return b""
            finally:
                writer.close()

    assert asyncio.run(come_late()) == b""


def test_a_port_forward_that_is_forbidden_is_a_refusal_in_the_words_of_the_cluster(tmp_path: Path) -> None:
    message = 'pods "greeter" is forbidden: User "dev" cannot create resource "pods/portforward"'
    talk = Conversation(tmp_path, refuses(403, message))

    assert talk.ask(CLUSTERS) == Refused(GapReason.FORBIDDEN, message)


def test_a_pod_that_is_gone_is_a_refusal(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, refuses(404, f'pods "{POD}" not found'))

    assert talk.ask(CLUSTERS) == Refused(GapReason.DIED, f'pods "{POD}" not found')


def test_a_port_on_which_nothing_listens_is_a_refusal_in_the_words_of_the_kubelet(tmp_path: Path) -> None:
    trouble = b"error forwarding port 19000 to pod: connect: connection refused\x1b[2J"
    talk = Conversation(tmp_path, forwards(trouble=trouble))

    answer = talk.ask(CLUSTERS)

    assert isinstance(answer, Refused)
    assert "connect: connection refused\\x1b[2J" in answer.message


def test_an_envoy_that_does_not_answer_is_given_up_in_time(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, forwards(then="hang"))

    answer = talk.ask(AskEnvoy("shop", POD, "/clusters", 0.3))

    assert answer == Refused(GapReason.TIMED_OUT, "no answer within 0.3 s")


@pytest.mark.parametrize("then", ["close", "cut"])
def test_a_connection_that_ends_half_way_is_a_refusal(tmp_path: Path, then: str) -> None:
    talk = Conversation(tmp_path, forwards(PAGE[:50], then=then))

    answer = talk.ask(CLUSTERS)

    assert isinstance(answer, Refused)
    assert answer.reason is GapReason.DIED


def test_what_is_no_port_forward_is_a_refusal(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, executes(b"\x00\x00\x00garbage", b"", b"\x07unknown"))

    assert isinstance(talk.ask(CLUSTERS), Refused)


def test_an_envoy_is_told_to_drain_and_to_stay(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, forwards(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nOK\n"))

    assert talk.run(lambda cluster: cluster.drain("shop", POD)) is None
    assert talk.requests[0][HEARD].startswith(b"\x00POST /drain_listeners?graceful&skip_exit HTTP/1.1\r\n")


def test_an_envoy_that_will_not_drain_says_so(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, forwards(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n"))

    gap = talk.run(lambda cluster: cluster.drain("shop", POD))

    assert gap == Gap(GapReason.DIED, "Envoy answered HTTP 405")


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc] # the package has no types
    """Says what it is told to, with these headers."""

    def __init__(self, status: int, headers: tuple[tuple[str, str], ...]) -> None:
        self._status, self._headers = status, headers

    async def Check(self, request: Any, context: Any) -> health_pb2.HealthCheckResponse:  # noqa: N802 -- gRPC's name
        await context.send_initial_metadata(self._headers)
        return health_pb2.HealthCheckResponse(status=self._status)


@asynccontextmanager
async def answering(
    status: int | None = health_pb2.HealthCheckResponse.SERVING, *headers: tuple[str, str]
) -> AsyncIterator[int]:
    """Run a gRPC server on loopback, with the health service or without any; gives its port."""
    server = grpc.aio.server()
    if status is not None:
        health_pb2_grpc.add_HealthServicer_to_server(Health(status, headers), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


class Later:
    """A handler that is known only when its server runs."""

    def __init__(self) -> None:
        self.port = 0

    async def __call__(self, request: Any) -> Any:
        return await tunnels(self.port)(request)


def spoken(tmp_path: Path, serving: Any) -> Heard | Gap:
    """Speak to a server that runs for so long."""
    later = Later()

    async def scenario(cluster: KubeWorkshop) -> Heard | Gap:
        async with serving as later.port:
            return await cluster.greet("shop", POD, 50051, 5.0)

    found: Heard | Gap = Conversation(tmp_path, later).run(scenario)
    return found


def test_a_healthy_server_answers_grpc(tmp_path: Path) -> None:
    assert spoken(tmp_path, answering()) == Heard(protocol="grpc", answered=True, healthy=True, status="OK")


def test_an_answer_through_envoy_is_told_by_its_header(tmp_path: Path) -> None:
    found = spoken(tmp_path, answering(1, ("x-envoy-upstream-service-time", "3")))

    assert found == Heard(protocol="grpc", answered=True, through_envoy=True, healthy=True, status="OK")


def test_a_server_that_is_not_serving_answers_but_is_not_healthy(tmp_path: Path) -> None:
    found = spoken(tmp_path, answering(health_pb2.HealthCheckResponse.NOT_SERVING))

    assert found == Heard(protocol="grpc", answered=True, healthy=False, status="OK")


def test_a_server_without_the_health_service_answers_all_the_same(tmp_path: Path) -> None:
    found = spoken(tmp_path, answering(None))

    assert isinstance(found, Heard)
    assert (found.protocol, found.answered, found.healthy) == ("grpc", True, False)
    assert found.status == "UNIMPLEMENTED"


def test_a_port_forward_that_is_forbidden_is_a_gap(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, refuses(403, "pods/portforward is forbidden"))

    assert heard(talk) == Gap(GapReason.FORBIDDEN, "pods/portforward is forbidden")


def test_a_port_on_which_nothing_listens_did_not_answer(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, forwards(trouble=b"connect: connection refused"))

    found = heard(talk)

    assert isinstance(found, Heard)
    assert (found.protocol, found.answered) == ("other", False)
    assert "connection refused" in found.detail


@asynccontextmanager
async def listening(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Run a server of another protocol; gives its port."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def speak_http1(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as a web server does that does not know HTTP/2."""
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


def test_a_web_server_of_http_1_is_not_taken_for_a_grpc_server(tmp_path: Path) -> None:
    found = spoken(tmp_path, listening(speak_http1))

    assert isinstance(found, Heard)
    assert (found.protocol, found.answered) == ("other", False)


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read until the client goes away."""
    while await reader.read(100):
        pass
    writer.close()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificates with openssl")
def test_a_server_that_speaks_tls_is_told_from_one_that_does_not_answer(tmp_path: Path) -> None:
    found = spoken(tmp_path, listening(say_nothing, make_certificates(tmp_path, "DNS:greeter.shop").server()))

    assert found == Heard(protocol="tls")


@pytest.fixture
def without_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have asyncio open no listener, as it does where there are no file descriptors left: it says nothing of it."""
    start = asyncio.start_server

    async def start_none(*args: Any, **options: Any) -> asyncio.Server:
        server = await start(*args, **options)
        if args[1:] == ("127.0.0.1", 0):
            server.close()
        return server

    monkeypatch.setattr(asyncio, "start_server", start_none)


@pytest.mark.usefixtures("without_sockets")
def test_a_machine_without_free_ports_is_an_answer(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, forwards(PAGE))

    answer = talk.ask(CLUSTERS)
    channelz = talk.ask(AskChannelz("shop", POD, 50051, 0.0, 5.0))
    greeted = talk.run(lambda cluster: cluster.greet("shop", POD, 50051, 5.0))
    drained = talk.run(lambda cluster: cluster.drain("shop", POD))

    assert isinstance(answer, Refused)
    assert isinstance(channelz, Refused)
    assert answer.reason is channelz.reason is greeted.reason is drained.reason is GapReason.DIED
    for words in (answer.message, channelz.message, greeted.detail, drained.detail):
        assert "open files" in words


def test_a_session_may_open_more_files_than_a_shell_allows_at_first(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))

        async def limit(_: KubeWorkshop) -> int:
            soft: int = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
            return soft

        found = Conversation(tmp_path, forwards(PAGE)).run(limit)
        again = Conversation(tmp_path, forwards(PAGE)).run(limit)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    wanted = 4096 if before[1] == resource.RLIM_INFINITY else min(before[1], 4096)
    assert found == again == wanted
