"""Facts of a cluster in memory, by way of a snapshot, and what they say of one pod."""

import asyncio
from typing import Any

from kubectl_grpclb.model.facts import Facts, PodSockets
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.snapshot import Snapshot
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.derive import derive
from kubectl_grpclb.probes.gather import gather
from tests.fake_cluster import FakeCluster


def read(cluster: FakeCluster, **ask: Any) -> Snapshot:
    return asyncio.run(gather(cluster, Ask(namespace="shop", service="greeter", **ask)))


def facts_of(cluster: FakeCluster, **ask: Any) -> Facts:
    return derive(read(cluster, **ask))


def sockets(facts: Facts, name: str) -> PodSockets:
    found = next(each.sockets for each in facts.pods if each.name == name)
    assert isinstance(found, PodSockets)
    return found


def gap(facts: Facts, name: str) -> Gap:
    found = next(each.sockets for each in facts.pods if each.name == name)
    assert isinstance(found, Gap)
    return found


def peers(facts: Facts, name: str) -> list[str]:
    return [connection.peer for connection in sockets(facts, name).connections]
