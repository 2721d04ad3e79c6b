"""What `-v` tells of each request."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from kubectl_grpclb.cluster.told import ToldCluster, ToldWorkshop
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import List
from kubectl_grpclb.model.write import Apply, Delete, Denied, Insert, PatchObject, Replace, Write
from tests.fake_cluster import FakeCluster
from tests.fake_workshop import FakeWorkshop

MANIFEST: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "greeter-grpclb-envoy", "namespace": "shop"},
    "data": {"envoy.yaml": "drain: /drain-zEr0"},
}


def told(lines: list[str], request: Awaitable[object]) -> str:
    """Await a request, and give what was told of it without when and how long."""

    async def asked() -> None:
        await request

    asyncio.run(asked())
    return lines[-1].split(" ms  ")[1]


def test_a_read_is_told_with_its_time_and_how_long_it_took() -> None:
    lines: list[str] = []
    cluster = ToldCluster(FakeCluster({}), lines.append)

    told(lines, cluster.read(List(resource="pods", namespace="shop")))

    assert lines == ["2026-11-23T12:00:00Z     10 ms  list pods in namespace shop  ok"]


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (Apply(MANIFEST, "shop"), "apply configmaps greeter-grpclb-envoy in namespace shop  ok"),
        (Apply(MANIFEST, "shop", dry_run=True), "apply configmaps greeter-grpclb-envoy in namespace shop, dry run  ok"),
        (Insert(MANIFEST, "shop"), "create configmaps greeter-grpclb-envoy in namespace shop  ok"),
        (
            Replace({**MANIFEST, "metadata": {**MANIFEST["metadata"], "name": "other"}}, "shop"),
            "update configmaps other in namespace shop  refused: ",
        ),
        (
            PatchObject("services", "shop", "greeter", [], dry_run=True),
            "patch services greeter in namespace shop, dry run  ok",
        ),
        (
            Delete("deployments", "shop", "greeter", "another-uid"),
            "delete deployments.apps greeter in namespace shop  refused: ",
        ),
    ],
)
def test_a_change_is_told_by_what_it_does_to_what(write: Write, said: str) -> None:
    lines: list[str] = []

    line = told(lines, ToldWorkshop(FakeWorkshop(), lines.append).write(write))

    assert line.startswith(said)


def test_of_what_is_written_nothing_is_told_but_its_name() -> None:
    lines: list[str] = []

    told(lines, ToldWorkshop(FakeWorkshop(), lines.append).write(Apply(MANIFEST, "shop")))

    assert "zEr0" not in lines[0]


def test_a_refusal_is_told_with_its_reason_and_without_control_characters() -> None:
    lines: list[str] = []
    shop = FakeWorkshop()
    shop.denies["ConfigMap"] = Denied(403, GapReason.FORBIDDEN, "no\x1b[2J")

    line = told(lines, ToldWorkshop(shop, lines.append).write(Apply(MANIFEST, "shop")))

    assert line.startswith("apply configmaps greeter-grpclb-envoy in namespace shop  refused: no")
    assert "\x1b" not in line


def test_that_no_answer_came_is_told_and_raised() -> None:
    lines: list[str] = []
    shop = FakeWorkshop()
    shop.silent_after = 1

    with pytest.raises(ClusterError):
        told(lines, ToldWorkshop(shop, lines.append).write(Apply(MANIFEST, "shop")))

    assert "  no answer: " in lines[0]


def test_a_question_is_told_with_its_answer() -> None:
    lines: list[str] = []
    shop = FakeWorkshop()
    shop.forbidden.add(("patch", "services"))

    line = told(lines, ToldWorkshop(shop, lines.append).may("patch", "services", "shop"))

    assert line == "ask whether you may patch services in namespace shop  no"
