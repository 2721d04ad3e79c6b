"""Queries to a Prometheus server, by its URL and through the API server: who is told what, and what comes back."""

import asyncio
import base64
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kubectl_grpclb.cluster.kube import KubeCluster
from kubectl_grpclb.model.errors import ClusterError, UsageError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.prometheus import ProxiedService, prometheus_server, proxied_service
from kubectl_grpclb.model.snapshot import Answer, AskPrometheus, Output, Refused
from tests.cluster.api_server import ApiServer, Conversation, Handler, hangs, refuses, says, serving

BEHIND = AskPrometheus("svc/monitoring/prometheus-operated:9090", 'sum(up{a="b|c"})', seconds=20)
EMPTY = {"status": "success", "data": {"resultType": "vector", "result": []}}
MISTAKEN = {"status": "error", "errorType": "bad_data", "error": "parse error: unclosed left parenthesis"}


class Prometheus:
    """A stand-in for the server at a URL, beside that for the API server."""

    def __init__(self, directory: Path, *handlers: Handler) -> None:
        self._directory = directory
        self._server = ApiServer(handlers)
        self.cluster = Conversation(directory, says(500, "the cluster is not to be asked"))
        self.requests = self._server.requests

    def ask(self, userinfo: str = "", *, path: str = "", given: str | None = None, seconds: float = 20) -> Answer:
        """Ask it, as it was given with a name and password."""

        async def scenario(cluster: KubeCluster) -> Any:
            async with serving(self._server) as url:
                # Its address, which is part of what the user gave, is known only now.
                cluster._options = type(cluster._options)(
                    prometheus=given or url.replace("://", f"://{userinfo}") + path
                )
                return (await cluster.read(AskPrometheus(url + path, BEHIND.query, seconds))).answer

        answer: Answer = self.cluster.run(scenario)
        return answer


def body(answer: Answer) -> object:
    assert isinstance(answer, Output), answer
    return json.loads(answer.stdout.text)


def test_a_service_is_asked_through_the_api_servers_proxy(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, EMPTY))

    answer = talk.ask(BEHIND)

    assert body(answer) == EMPTY
    assert isinstance(answer, Output)
    assert answer.exit_code == 0
    proxy = "/api/v1/namespaces/monitoring/services/prometheus-operated:9090/proxy"
    assert talk.requests[0].path == f"{proxy}/api/v1/query"
    assert dict(talk.requests[0].query) == {"query": BEHIND.query}


def test_a_service_that_is_not_there_is_refused_in_the_clusters_words(tmp_path: Path) -> None:
    answer = Conversation(tmp_path, refuses(404, 'services "prometheus" not found')).ask(BEHIND)

    assert answer == Refused(GapReason.DIED, 'services "prometheus" not found', 404)


def test_a_service_without_pods_serves_nothing(tmp_path: Path) -> None:
    message = 'no endpoints available for service "prometheus:9090"'

    assert Conversation(tmp_path, refuses(503, message)).ask(BEHIND) == Refused(GapReason.NOT_SERVED, message, 503)


def test_a_proxy_that_the_user_may_not_use_is_forbidden(tmp_path: Path) -> None:
    message = 'services "prometheus:9090" is forbidden: User "dev" cannot get resource "services/proxy"'

    assert Conversation(tmp_path, refuses(403, message)).ask(BEHIND) == Refused(GapReason.FORBIDDEN, message, 403)


def test_what_prometheus_says_of_a_query_comes_back_with_its_status(tmp_path: Path) -> None:
    for answer in (
        Conversation(tmp_path, says(400, MISTAKEN)).ask(BEHIND),
        Prometheus(tmp_path, says(400, MISTAKEN)).ask(),
    ):
        assert body(answer) == MISTAKEN
        assert isinstance(answer, Output)
        assert answer.exit_code == 400


def test_a_url_is_asked_without_the_clusters_credentials(tmp_path: Path) -> None:
    prometheus = Prometheus(tmp_path, says(200, EMPTY))

    assert body(prometheus.ask(path="/prometheus")) == EMPTY
    assert prometheus.requests[0].path == "/prometheus/api/v1/query"
    assert dict(prometheus.requests[0].query) == {"query": BEHIND.query}
    assert "Authorization" not in prometheus.requests[0].headers
    assert prometheus.cluster.requests == []


def test_a_name_and_password_that_were_given_go_to_the_server(tmp_path: Path) -> None:
    prometheus = Prometheus(tmp_path, says(200, EMPTY))

    prometheus.ask("jo:p%40ss%3A@")

    sent = prometheus.requests[0].headers["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent) == b"jo:p@ss:"


def test_a_name_and_password_that_were_given_for_another_server_do_not(tmp_path: Path) -> None:
    prometheus = Prometheus(tmp_path, says(200, EMPTY))

    prometheus.ask(given="https://jo:secret@prometheus.example.com")

    assert "Authorization" not in prometheus.requests[0].headers


def test_the_environments_proxy_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert body(Prometheus(tmp_path, says(200, EMPTY)).ask()) == EMPTY


def test_a_redirect_is_told_and_not_followed(tmp_path: Path) -> None:
    login = "https://login.example.com/"
    prometheus = Prometheus(tmp_path, says(302, "see there", Location=login), says(200, EMPTY))

    assert prometheus.ask("jo:secret@") == Refused(
        GapReason.NOT_SERVED, f"Prometheus redirects to {login}: give that address", 302
    )
    assert len(prometheus.requests) == 1


def test_a_server_that_does_not_answer_in_time_is_given_up(tmp_path: Path) -> None:
    timed_out = Refused(GapReason.TIMED_OUT, "Prometheus did not answer within 0.2 s")

    assert Prometheus(tmp_path, hangs).ask(seconds=0.2) == timed_out
    assert Conversation(tmp_path, hangs).ask(AskPrometheus(BEHIND.server, "up", 0.2)) == timed_out


def test_an_answer_without_end_is_cut_off(tmp_path: Path) -> None:
    async def floods(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while request.transport is not None and not request.transport.is_closing():
            await response.write(b"[" * 100_000)
            await asyncio.sleep(0)
        return response

    for answer in (Conversation(tmp_path, floods).ask(BEHIND), Prometheus(tmp_path, floods).ask()):
        assert isinstance(answer, Output)
        assert (answer.gap, answer.stdout.raw()) == (GapReason.TOO_LARGE, b"")


def test_an_answer_that_breaks_off_is_a_refusal(tmp_path: Path) -> None:
    async def cuts(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"status":')
        assert request.transport is not None
        request.transport.abort()
        return response

    for answer in (Conversation(tmp_path, cuts).ask(BEHIND), Prometheus(tmp_path, cuts).ask()):
        assert isinstance(answer, Refused)
        assert answer.reason is GapReason.DIED


def test_a_server_that_is_not_running_is_a_refusal_that_says_so(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        server = f"http://127.0.0.1:{unused.getsockname()[1]}"
        answer = Conversation(tmp_path, hangs).ask(AskPrometheus(server, "up", 20))

    assert answer == Refused(GapReason.DIED, "could not query Prometheus: Connection refused")


def test_a_server_that_speaks_no_tls_is_a_refusal(tmp_path: Path) -> None:
    async def scenario(cluster: KubeCluster) -> Any:
        async with serving(ApiServer((says(200, EMPTY),))) as url:
            return (await cluster.read(AskPrometheus(url.replace("http:", "https:"), "up", 20))).answer

    answer = Conversation(tmp_path, hangs).run(scenario)

    assert isinstance(answer, Refused)
    assert answer.reason is GapReason.DIED


def test_credentials_that_the_cluster_does_not_know_end_everything(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="refused your credentials"):
        Conversation(tmp_path, refuses(401, "Unauthorized")).ask(BEHIND)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://prometheus:9090/", "http://prometheus:9090"),
        ("https://jo:p%40ss@mimir.example.com/prometheus/", "https://mimir.example.com/prometheus"),
        ("http://[::1]:9090", "http://[::1]:9090"),
        ("svc/monitoring/prometheus-operated:web", "svc/monitoring/prometheus-operated:web"),
    ],
)
def test_a_server_is_kept_without_its_users_name_and_password(given: str, kept: str) -> None:
    assert prometheus_server(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "",
        "prometheus:9090",
        "ftp://prometheus",
        "http://",
        "http://jo:secret@:9090",
        "http://prometheus:port",
        "http://prometheus:99999",
        "http://prometheus/graph?secret",
        "http://prometheus/#secret",
        "http://prome theus",
        "http://prometheus\r\nHost: secret",
        "http://[::1",
        "svc/monitoring/prometheus",
        "svc/prometheus:9090",
        "svc/a/../secret:1",
    ],
)
def test_what_names_no_server_is_refused_with_the_forms_and_without_what_was_given(given: str) -> None:
    with pytest.raises(UsageError, match="svc/NAMESPACE/NAME:PORT") as caught:
        prometheus_server(given)

    assert "secret" not in str(caught.value)


def test_a_services_name_gives_its_parts() -> None:
    assert proxied_service("svc/monitoring/prometheus:9090") == ProxiedService("monitoring", "prometheus:9090")
    assert proxied_service("http://svc/monitoring/prometheus:9090") is None
