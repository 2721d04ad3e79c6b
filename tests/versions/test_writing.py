"""Everything that is written, field by field: nothing of it came after the oldest version."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kubectl_grpclb import cli
from kubectl_grpclb.flows.deeper import DeepCluster
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.resources import BY_RESOURCE
from kubectl_grpclb.model.server import OLDEST
from kubectl_grpclb.model.snapshot import LookFromNode, OpenUp
from kubectl_grpclb.model.write import Apply, Insert, PatchObject, Replace, Write
from tests.fake_workshop import FakeWorkshop
from tests.versions.api import since

EVERYTHING = ["--strategy", "envoy", "--autoscale", "6", "--network-policy", "--recycle", "clients"]


async def _looked_into(shop: FakeWorkshop) -> None:
    """Look as --debug and --via node do."""
    async with DeepCluster(shop) as cluster:
        await cluster.read(OpenUp("shop", "greeter-7c9f8d5b6-x2x9k", "grpclb-1", "busybox:1.37.0"))
        await cluster.read(LookFromNode("shop", "node-a", "busybox:1.37.0", ("sh", "-c", "true"), 5.0))


def _run(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr("sys.argv", ["kubectl-grpclb", *words])
    with pytest.raises(SystemExit):
        cli.main()


@pytest.fixture
def writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Write]:
    """What a fix with everything, a rollback, and looks that change the cluster write."""
    shop = FakeWorkshop()

    @asynccontextmanager
    async def connected(_: object) -> AsyncIterator[FakeWorkshop]:
        yield shop

    monkeypatch.setattr("kubectl_grpclb.cluster.kube.connect_to_change", connected)
    monkeypatch.setattr("gc.freeze", lambda: None)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    asyncio.run(_looked_into(shop))
    _run(monkeypatch, "fix", "greeter", "--window", "0", "--yes", *EVERYTHING)
    _run(monkeypatch, "rollback", "greeter", "--yes")
    return shop.writes


def _written(write: Write) -> list[tuple[str, Manifest]]:
    """Give what a write holds as objects: of a JSON patch each value, at its place."""
    if isinstance(write, Apply | Insert | Replace):
        return [(write.manifest["kind"], write.manifest)]
    if not isinstance(write, PatchObject):
        return []
    kind = BY_RESOURCE[write.resource].kind
    bodies = (
        [_at(each["path"], each.get("value")) for each in write.body] if isinstance(write.body, list) else [write.body]
    )
    return [(kind, body) for body in bodies]


def _at(pointer: str, value: object) -> Manifest:
    """Put a value where a JSON pointer says; numbers are places in lists."""
    held = value
    for part in reversed(pointer.strip("/").split("/")):
        held = [held] if part.isdecimal() else {part: held}
    assert isinstance(held, dict)
    return held


def test_nothing_is_written_that_came_after_the_oldest_version(writes: list[Write]) -> None:
    written = [pair for write in writes for pair in _written(write)]

    fields = {path: minor for kind, manifest in written for path, minor in since(kind, manifest)}

    assert {kind for kind, _ in written} == {
        "ConfigMap",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Lease",
        "NetworkPolicy",
        "Pod",
        "PodDisruptionBudget",
        "Service",
    }
    assert {path: minor for path, minor in fields.items() if minor > OLDEST[1]} == {}


@pytest.mark.parametrize(
    ("kind", "manifest", "minor"),
    [
        ("Service", {"spec": {"trafficDistribution": "PreferClose"}}, 30),
        ("Deployment", {"spec": {"template": {"spec": {"containers": [{"restartPolicy": "Always"}]}}}}, 28),
        ("Lease", {"spec": {"strategy": "OldestEmulationVersion"}}, 31),
    ],
)
def test_a_later_field_would_be_found(kind: str, manifest: Manifest, minor: int) -> None:
    assert max(came for _, came in since(kind, manifest)) == minor


def test_a_field_that_there_is_not_would_be_found() -> None:
    with pytest.raises(KeyError):
        list(since("Deployment", {"spec": {"replica": 2}}))
