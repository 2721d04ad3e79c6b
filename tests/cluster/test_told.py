"""What `-v` tells of each request."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from kubectl_grpclb.cluster.told import Teller, ToldCluster, ToldWorkshop
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import (
    AskChannelz,
    AskEnvoy,
    AskPrometheus,
    Exec,
    Get,
    List,
    Reading,
    Request,
    Scrape,
)
from kubectl_grpclb.model.write import Apply, Delete, Denied, Insert, PatchObject, Replace, Write
from tests.fake_workshop import FakeWorkshop
from tests.shop import sticky

MANIFEST: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "greeter-grpclb-envoy", "namespace": "shop"},
    "data": {"envoy.yaml": "drain: /drain-zEr0"},
}


def told(lines: list[str], request: Awaitable[object]) -> str:
    """Await a request, and give what was told of it."""

    async def asked() -> None:
        await request

    asyncio.run(asked())
    return lines[-1]


READ = List(resource="pods", namespace="shop")


def test_a_read_is_told_with_what_came_of_it() -> None:
    lines: list[str] = []

    told(lines, ToldCluster(sticky(), Teller(lines.append)).read(READ))

    assert lines == ["list pods in namespace shop  5 objects"]


def test_twice_asked_for_also_when_and_how_long_is_told() -> None:
    lines: list[str] = []

    told(lines, ToldCluster(sticky(), Teller(lines.append, times=True)).read(READ))

    assert lines == ["2026-11-23T12:00:00Z     10 ms  list pods in namespace shop  5 objects"]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (Get("services", "cart", "shop"), "get services cart in namespace shop  refused (404): services "),
        (AskEnvoy("shop", "envoy-0", "/stats", 5.0), "ask Envoy in pod envoy-0 in namespace shop for /stats (port-fo"),
        (AskChannelz("shop", "greeter-0", 50051, 0.0, 5.0), "ask channelz on port 50051 of pod greeter-0 in namespace"),
        (AskChannelz("shop", "greeter-0", 50051, 0.0, 5.0), " (port-forward)  refused: nothing serves this"),
        (Scrape("shop", "greeter-0", 9090, "/metrics", ("grpc_",), 5.0), " in namespace shop (pod proxy)  refused: "),
        (AskPrometheus("svc/monitoring/prometheus:9090", "up", 5.0), "svc/monitoring/prometheus:9090 (service proxy)"),
        (AskPrometheus("http://prometheus:9090", "up", 5.0), "query Prometheus at http://prometheus:9090  refused: "),
        (Exec("shop", "greeter-7c9f8d5b6-x2x9k", "greeter", ("sh",), 5.0), "-x2x9k in namespace shop  798 bytes"),
    ],
)
def test_a_read_is_told_with_the_way_that_it_takes(request_: Request, said: str) -> None:
    lines: list[str] = []

    assert said in told(lines, ToldCluster(sticky(), Teller(lines.append)).read(request_))


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (Apply(MANIFEST, "shop"), "apply configmaps greeter-grpclb-envoy in namespace shop  ok"),
        (Apply(MANIFEST, "shop", dry_run=True), "apply configmaps greeter-grpclb-envoy in namespace shop, dry run  ok"),
        (Insert(MANIFEST, "shop"), "create configmaps greeter-grpclb-envoy in namespace shop  ok"),
        (
            Replace({**MANIFEST, "metadata": {**MANIFEST["metadata"], "name": "other"}}, "shop"),
            "update configmaps other in namespace shop  refused (404): ",
        ),
        (
            PatchObject("services", "shop", "greeter", [], dry_run=True),
            "patch services greeter in namespace shop, dry run  ok",
        ),
        (
            Delete("deployments", "shop", "greeter", "another-uid"),
            "delete deployments.apps greeter in namespace shop  refused (409): ",
        ),
    ],
)
def test_a_change_is_told_by_what_it_does_to_what(write: Write, said: str) -> None:
    lines: list[str] = []

    line = told(lines, ToldWorkshop(FakeWorkshop(), Teller(lines.append)).write(write))

    assert line.startswith(said)


def test_of_what_is_written_nothing_is_told_but_its_name() -> None:
    lines: list[str] = []

    told(lines, ToldWorkshop(FakeWorkshop(), Teller(lines.append)).write(Apply(MANIFEST, "shop")))

    assert "zEr0" not in lines[0]


def test_a_refusal_is_told_with_its_reason_and_without_control_characters() -> None:
    lines: list[str] = []
    shop = FakeWorkshop()
    shop.denies["ConfigMap"] = Denied(403, GapReason.FORBIDDEN, "no\x1b[2J")

    line = told(lines, ToldWorkshop(shop, Teller(lines.append)).write(Apply(MANIFEST, "shop")))

    assert line.startswith("apply configmaps greeter-grpclb-envoy in namespace shop  refused (403): no")
    assert "\x1b" not in line


def test_that_no_answer_came_is_told_and_raised() -> None:
    lines: list[str] = []
    shop = FakeWorkshop()
    shop.silent_after = 1

    with pytest.raises(ClusterError):
        told(lines, ToldWorkshop(shop, Teller(lines.append)).write(Apply(MANIFEST, "shop")))

    assert "  no answer: " in lines[0]


def test_that_no_read_was_answered_is_told_and_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    cluster = sticky()

    async def gone(_: Request) -> Reading:
        raise ClusterError("cannot reach the API server https://prod:6443 (context 'shop-prod'): Connection refused")

    monkeypatch.setattr(cluster, "read", gone)

    with pytest.raises(ClusterError):
        told(lines, ToldCluster(cluster, Teller(lines.append)).read(READ))

    assert lines[0].startswith("list pods in namespace shop  no answer: cannot reach the API server https://prod:6443")


def test_a_question_is_told_with_its_answer() -> None:
    lines: list[str] = []
    shop = FakeWorkshop()
    shop.forbidden.add(("patch", "services"))

    line = told(lines, ToldWorkshop(shop, Teller(lines.append)).may("patch", "services", "shop"))

    assert line == "ask whether you may patch services in namespace shop  no"
