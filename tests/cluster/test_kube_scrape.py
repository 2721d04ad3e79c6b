"""Metrics through the pod proxy: the wanted lines of whatever a pod sends, and every way in which it may not."""

import asyncio
import gzip
from pathlib import Path

import pytest
from aiohttp import web
from msgspec import structs

from kubectl_grpclb.cluster.kube import KubeCluster
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import Answer, Output, Refused, Scrape
from tests.cluster.api_server import Conversation, Handler, hangs, refuses, says

NAMES = ("grpc_server_started_total{", "up ")
METRICS = Scrape("shop", "greeter-7c9f8d5b6-x2x9k", 9090, "/metrics", NAMES, seconds=20)
STARTED = b'grpc_server_started_total{grpc_service="helloworld.Greeter",grpc_type="unary"} 431\n'
OTHER = b'# HELP grpc_server_started_total Calls.\ngo_goroutines 12\ngrpc_server_started_totals{a="b"} 7\n'


def exposes(*chunks: bytes, length: int | None = None, then: str = "end", encoding: str = "identity") -> Handler:
    """Answer with these chunks as a pod behind the proxy does; then end, hang, or cut the connection."""

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/plain; version=0.0.4", "Content-Encoding": encoding}
        )
        response.content_length = length
        if length is not None:
            response.headers["Connection"] = "close"
        await response.prepare(request)
        assert request.transport is not None
        for chunk in chunks:
            request.transport.write(chunk) if length is not None else await response.write(chunk)
            await asyncio.sleep(0)
        if then == "hang":
            await asyncio.Event().wait()
        if then == "cut" or length is not None:
            request.transport.close()
        return response

    return handle


def pours(chunk: bytes, megabytes: float) -> Handler:
    """Send so much of the same, as long as anybody reads it."""

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(int(megabytes * 2**20 / len(chunk))):
            await response.write(chunk)
        return response

    return handle


def kept(answer: Answer) -> bytes:
    assert isinstance(answer, Output), answer
    assert (answer.gap, answer.exit_code) == (None, 0)
    return answer.stdout.raw()


def missing(answer: Answer) -> tuple[GapReason | None, str]:
    assert isinstance(answer, Output), answer
    assert len(answer.stdout.raw()) <= 64 * 1024
    return answer.gap, answer.detail


def test_the_lines_that_begin_so_are_kept_and_no_other(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, exposes(OTHER, STARTED, OTHER, b"up 1\nupper 2\n"))

    assert kept(talk.ask(METRICS)) == STARTED + b"up 1\n"


def test_a_line_is_whole_wherever_the_chunks_end(tmp_path: Path) -> None:
    text = OTHER + STARTED + STARTED
    talk = Conversation(tmp_path, exposes(*(text[at : at + 1] for at in range(len(text)))))

    assert kept(talk.ask(METRICS)) == STARTED + STARTED


def test_metrics_without_any_wanted_line_are_nothing(tmp_path: Path) -> None:
    assert kept(Conversation(tmp_path, exposes(OTHER)).ask(METRICS)) == b""
    assert kept(Conversation(tmp_path, exposes()).ask(METRICS)) == b""


def test_the_pod_is_asked_through_the_api_servers_proxy_for_the_text_format(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, exposes(STARTED))

    talk.ask(METRICS)

    assert talk.requests[0].path == "/api/v1/namespaces/shop/pods/greeter-7c9f8d5b6-x2x9k:9090/proxy/metrics"
    assert talk.requests[0].headers["Accept"].startswith("text/plain;version=0.0.4")


def test_a_pod_that_speaks_tls_is_asked_so(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, exposes(STARTED))

    talk.ask(Scrape("shop", "greeter-0", 8443, "/metrics", NAMES, 20, "https"))

    assert talk.requests[0].path == "/api/v1/namespaces/shop/pods/https:greeter-0:8443/proxy/metrics"


def test_a_path_goes_to_the_pod_as_it_was_given(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, exposes(STARTED))

    talk.ask(Scrape("shop", "greeter-0", 80, "stats/{a} b?format=prometheus&x=%26", NAMES, 20))

    assert talk.requests[0].path.endswith("/proxy/stats/{a} b")
    assert dict(talk.requests[0].query) == {"format": "prometheus", "x": "&"}


@pytest.mark.parametrize("path", ["/../../secrets", "/a/..", "/%2e%2E/secrets", ".."])
def test_a_path_that_leads_out_of_the_pod_is_not_asked_for(tmp_path: Path, path: str) -> None:
    talk = Conversation(tmp_path, exposes(STARTED))

    answer = talk.ask(Scrape("shop", "greeter-0", 80, path, NAMES, 20))

    assert answer == Refused(GapReason.NOT_SERVED, f"{path!r} is not a valid metrics path")
    assert talk.requests == []


def test_compressed_metrics_are_read(tmp_path: Path) -> None:
    body = gzip.compress(OTHER + STARTED)
    talk = Conversation(tmp_path, exposes(body, encoding="gzip"))

    assert kept(talk.ask(METRICS)) == STARTED


def test_metrics_that_only_claim_to_be_compressed_break_off(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, exposes(STARTED, encoding="gzip"))

    assert missing(talk.ask(METRICS))[0] is GapReason.DIED


def test_fifty_megabytes_are_cut_off(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, pours(OTHER * 1000 + STARTED, 50))

    assert missing(talk.ask(METRICS)) == (GapReason.TOO_LARGE, "the metrics are more than 16 MB")


def test_a_bomb_of_compressed_lines_is_cut_off(tmp_path: Path) -> None:
    body = gzip.compress(OTHER * 500_000)
    talk = Conversation(tmp_path, exposes(body, encoding="gzip"))

    assert missing(talk.ask(METRICS)) == (GapReason.TOO_LARGE, "the metrics are more than 16 MB")


def test_too_many_wanted_lines_are_cut_off(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, pours(STARTED * 1000, 8))

    assert missing(talk.ask(METRICS)) == (GapReason.TOO_LARGE, "the gRPC metrics are more than 4 MB")


def test_a_line_that_never_ends_is_cut_off(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, pours(b"a" * 10_000, 8))

    assert missing(talk.ask(METRICS)) == (GapReason.TOO_LARGE, "a line of the metrics is more than 1 MB")


def test_metrics_that_never_end_are_given_up(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, exposes(STARTED, then="hang"))

    answer = talk.ask(Scrape("shop", "greeter-0", 9090, "/metrics", NAMES, seconds=0.2))

    assert answer == Refused(GapReason.TIMED_OUT, "the metrics did not arrive within 0.2 s")


def test_a_pod_that_never_answers_is_given_up(tmp_path: Path) -> None:
    answer = Conversation(tmp_path, hangs).ask(Scrape("shop", "greeter-0", 9090, "/metrics", NAMES, seconds=0.2))

    assert answer == Refused(GapReason.TIMED_OUT, "the metrics did not arrive within 0.2 s")


def test_metrics_that_break_off_are_not_whole(tmp_path: Path) -> None:
    answer = Conversation(tmp_path, exposes(STARTED, then="cut")).ask(METRICS)

    assert missing(answer)[0] is GapReason.DIED
    assert isinstance(answer, Output)
    assert answer.stdout.raw() == STARTED


def test_metrics_that_are_shorter_than_they_say_are_not_whole(tmp_path: Path) -> None:
    assert missing(Conversation(tmp_path, exposes(STARTED, length=1000)).ask(METRICS))[0] is GapReason.DIED


def test_metrics_that_are_longer_than_they_say_are_not_whole(tmp_path: Path) -> None:
    answer = Conversation(tmp_path, exposes(STARTED * 3, length=len(STARTED) + 20)).ask(METRICS)

    reason = answer.reason if isinstance(answer, Refused) else missing(answer)[0]  # whichever is noticed first
    assert reason is GapReason.DIED


def test_metrics_that_end_within_a_line_are_not_whole(tmp_path: Path) -> None:
    answer = Conversation(tmp_path, exposes(STARTED + STARTED[:-3])).ask(METRICS)

    assert missing(answer) == (GapReason.DIED, "the metrics end in the middle of a line")


def test_binary_garbage_has_no_wanted_lines(tmp_path: Path) -> None:
    garbage = bytes(range(256)) * 500 + b"\n"

    assert kept(Conversation(tmp_path, exposes(garbage)).ask(METRICS)) == b""


def test_wanted_lines_that_are_no_utf8_stay_as_they_are(tmp_path: Path) -> None:
    line = b'grpc_server_started_total{grpc_service="\xff\xfe"} 3\n'

    assert kept(Conversation(tmp_path, exposes(line)).ask(METRICS)) == line


def test_a_web_page_in_place_of_metrics_is_the_pods_and_not_the_clusters(tmp_path: Path) -> None:
    assert kept(Conversation(tmp_path, says(200, "<html>\n<h1>Shop</h1>\n")).ask(METRICS)) == b""

    answer = Conversation(tmp_path, says(404, "<html>Not Found</html>")).ask(METRICS)
    assert answer == Refused(GapReason.NOT_SERVED, "<html>Not Found</html>", 404)


def test_the_clusters_refusal_is_one_for_want_of_a_permission(tmp_path: Path) -> None:
    message = 'pods "greeter-0" is forbidden: User "dev" cannot get resource "pods/proxy" in API group ""'

    assert Conversation(tmp_path, refuses(403, message)).ask(METRICS) == Refused(GapReason.FORBIDDEN, message, 403)


@pytest.mark.parametrize("status", [401, 403])
def test_a_pod_that_refuses_is_not_the_cluster(tmp_path: Path, status: int) -> None:
    answer = Conversation(tmp_path, says(status, "Unauthorized\n")).ask(METRICS)

    assert answer == Refused(GapReason.NOT_SERVED, "Unauthorized", status)


def test_expired_credentials_end_everything(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="refused your credentials"):
        Conversation(tmp_path, refuses(401, "Unauthorized")).ask(METRICS)


def test_a_pods_own_status_of_401_is_not_the_clusters(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, exposes(STARTED), refuses(401, "Unauthorized"))

    async def scenario(cluster: KubeCluster) -> Answer:
        await cluster.read(METRICS)
        return (await cluster.read(METRICS)).answer

    assert talk.run(scenario) == Refused(GapReason.NOT_SERVED, "Unauthorized", 401)


def test_a_port_where_nothing_listens_is_told_in_the_clusters_words(tmp_path: Path) -> None:
    message = "error trying to reach service: dial tcp 10.244.0.11:9090: connect: connection refused"

    assert Conversation(tmp_path, refuses(503, message)).ask(METRICS) == Refused(GapReason.NOT_SERVED, message, 503)


def test_a_pod_that_is_gone_is_told_apart_from_one_without_metrics(tmp_path: Path) -> None:
    answer = Conversation(tmp_path, refuses(404, 'pods "greeter-0" not found')).ask(METRICS)

    assert answer == Refused(GapReason.DIED, 'pods "greeter-0" not found', 404)


def test_a_pod_that_redirects_is_not_followed(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(302, "moved", Location="http://127.0.0.1:9/steal"), exposes(STARTED))

    assert talk.ask(METRICS) == Refused(GapReason.NOT_SERVED, "moved", 302)
    assert len(talk.requests) == 1


def test_a_cluster_that_is_busy_is_asked_again(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, refuses(429, "later", **{"Retry-After": "0"}), exposes(STARTED))

    assert kept(talk.ask(METRICS)) == STARTED


def test_of_many_samples_at_0_only_a_few_are_kept_and_every_other_one(tmp_path: Path) -> None:
    idle = [f'grpc_server_handled_total{{grpc_code="{number}"}} 0' for number in range(300)]
    busy = ['grpc_server_handled_total{grpc_code="OK"} 7', 'grpc_server_started_total{grpc_method="A"} 0']
    body = "\n".join([*idle, *busy, ""]).encode()

    metrics = structs.replace(METRICS, names=("grpc_server_handled_total{", "grpc_server_started_total{"))

    answer = Conversation(tmp_path, exposes(body)).ask(metrics)

    assert kept(answer).decode().splitlines() == [*idle[:16], *busy]
