"""The queries on a real Prometheus, which scrapes counters that grow at rates that are known."""

import asyncio
import http.server
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from kubectl_grpclb.cluster.kube import ConnectOptions, connect
from kubectl_grpclb.model import kube
from kubectl_grpclb.model.facts import Counted
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Reading
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.endpoints import Backend
from kubectl_grpclb.probes.prometheus import counted_by_prometheus, request_prometheus
from tests.shop import pod

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="the program prometheus is not installed"),
]

RANGE = 8.0
BUSY, IDLE, ELSEWHERE, ABSENT = (
    "greeter-7c9f8d5b6-x2x9k",
    "greeter-7c9f8d5b6-m4q7t",
    "cart-0",
    "greeter-7c9f8d5b6-b8v2n",
)
RATES = {BUSY: 50, IDLE: 0, ELSEWHERE: 500}
"""Calls a second."""

EXPOSITION = """\
grpc_server_started_total{{grpc_service="shop.Greeter",grpc_method="Hello",grpc_type="unary"}} {calls}
grpc_server_started_total{{grpc_service="shop.Greeter",grpc_method="Watch",grpc_type="bidi_stream"}} 3
grpc_server_started_total{{grpc_service="grpc.health.v1.Health",grpc_method="Check",grpc_type="unary"}} {checks}
grpc_server_handled_total{{grpc_service="shop.Greeter",grpc_method="Hello",grpc_type="unary",grpc_code="OK"}} {calls}
grpc_server_msg_received_total{{grpc_service="shop.Greeter",grpc_method="Hello",grpc_type="unary"}} {calls}
grpc_server_msg_received_total{{grpc_service="shop.Greeter",grpc_method="Watch",grpc_type="bidi_stream"}} {checks}
"""


class Exposition(http.server.BaseHTTPRequestHandler):
    """Counters that grow with the clock, each at the rate that its path names; 20 checks a second."""

    def do_GET(self) -> None:
        elapsed = time.monotonic()
        rate = int(self.path.strip("/"))
        body = EXPOSITION.format(calls=int(elapsed * rate), checks=int(elapsed * 20)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def unused_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def a_job(name: str, port: int, labels: dict[str, str]) -> dict[str, object]:
    targets = [{"targets": [f"127.0.0.1:{port}"], "labels": labels}]
    return {"job_name": f"{name}-{len(labels)}", "metrics_path": f"/{RATES[name]}", "static_configs": targets}


@pytest.fixture(scope="module")
def exposition() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Exposition) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def prometheus(exposition: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that has scraped for as long as the range; gives its URL."""
    home, url = tmp_path_factory.mktemp("prometheus"), f"http://127.0.0.1:{unused_port()}"
    jobs = [
        a_job(BUSY, exposition, {"namespace": "shop", "pod": BUSY}),
        a_job(BUSY, exposition, {"namespace": "shop", "pod": BUSY, "beside": "yes"}),
        a_job(IDLE, exposition, {"namespace": "shop", "pod": IDLE}),
        a_job(BUSY, exposition, {}),
        a_job(ELSEWHERE, exposition, {"namespace": "shop", "pod": ELSEWHERE}),
    ]
    settings = {"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}
    (home / "prometheus.yml").write_text(json.dumps(settings))
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={home}/prometheus.yml",
                f"--storage.tsdb.path={home}/data",
                f"--web.listen-address={url.removeprefix('http://')}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        scraped(url, home / "log", samples=RANGE + 2)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def scraped(url: str, log: Path, *, samples: float, seconds: float = 60) -> None:
    """Wait until every target has been scraped so often."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(f"{url}/api/v1/query?query=min(count_over_time(up[1m]))", timeout=5) as answer:
                result = json.load(answer)["data"]["result"]
        except (OSError, urllib.error.URLError):
            result = []
        if result and float(result[0]["value"][1]) >= samples:
            return
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def a_server(name: str, address: str) -> Backend:
    made = msgspec.convert(pod(BUSY, address), kube.Pod)
    return Backend(name, (address,), 50051, True, True, False, None, None, made)


def count(url: str, *servers: Backend) -> list[Counted | Gap | None]:
    ask = Ask("shop", "greeter", prometheus=url, prometheus_range=RANGE)

    async def main() -> list[Reading]:
        async with connect(ConnectOptions(prometheus=url)) as cluster:
            return await asyncio.gather(*(cluster.read(each) for each in request_prometheus(ask, servers)))

    readings = asyncio.run(main())
    return [counted_by_prometheus(readings, ask, server) for server in servers]


def test_calls_are_counted_as_they_were_made(prometheus: str) -> None:
    busy, idle, absent = count(
        prometheus, a_server(BUSY, "10.244.0.11"), a_server(IDLE, "10.244.0.12"), a_server(ABSENT, "10.244.0.13")
    )

    assert isinstance(busy, Counted)
    assert busy.requests == pytest.approx(RATES[BUSY] * RANGE, rel=0.1)
    assert busy.messages == pytest.approx(20 * RANGE, rel=0.1)
    assert (busy.open_streams, busy.seconds) == (3, RANGE)
    assert isinstance(idle, Counted)
    assert (idle.requests, idle.open_streams) == (0, 3)
    assert absent == Gap(GapReason.NOT_SERVED, "Prometheus has no known counter of the pod's calls for 8 s")


def test_a_pod_is_found_among_a_thousand(prometheus: str) -> None:
    many = [a_server(f"greeter-{at % 300:x}-x2x{at:03x}", f"10.{at % 250}.0.{at % 200}") for at in range(1000)]

    busy, elsewhere, *others = count(
        prometheus, a_server(BUSY, "10.244.0.11"), a_server(ELSEWHERE, "10.244.0.12"), *many
    )

    assert isinstance(busy, Counted)
    assert busy.requests == pytest.approx(RATES[BUSY] * RANGE, rel=0.1)
    assert isinstance(elsewhere, Counted)
    assert elsewhere.requests == pytest.approx(RATES[ELSEWHERE] * RANGE, rel=0.1)
    assert not any(isinstance(each, Counted) for each in others)


def test_a_target_without_a_pods_name_is_found_by_its_address(prometheus: str) -> None:
    (found,) = count(prometheus, a_server(ABSENT, "127.0.0.1"))

    assert isinstance(found, Counted)
    assert found.requests == pytest.approx(RATES[BUSY] * RANGE, rel=0.1)


def test_prometheus_own_words_come_with_a_query_that_it_refuses(prometheus: str) -> None:
    ask = Ask("shop", "greeter", prometheus=prometheus, prometheus_range=0.0)

    async def main() -> list[Reading]:
        async with connect(ConnectOptions(prometheus=prometheus)) as cluster:
            requests = request_prometheus(ask, [a_server(BUSY, "10.244.0.11")])
            return await asyncio.gather(*(cluster.read(each) for each in requests))

    found = counted_by_prometheus(asyncio.run(main()), ask, a_server(BUSY, "10.244.0.11"))

    assert isinstance(found, Gap)
    assert found.reason is GapReason.NOT_SERVED
    assert "duration must be greater than 0" in found.detail
