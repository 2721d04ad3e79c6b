"""Many pods that are asked for channelz at once: whose turn it is, and for how long."""

# ruff: noqa: N802 -- the services' methods have gRPC's names

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from kubectl_grpclb.cluster import kube
from kubectl_grpclb.cluster.kube import KubeWorkshop
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import Answer, AskChannelz, Reading
from tests.cluster.api_server import Conversation
from tests.cluster.channelz_pods import (
    ONE,
    POD,
    TWICE,
    Pod,
    Told,
    channelz_of,
    refusal_of,
    running,
)


class Slow(Told):
    """Takes its time to tell of its servers, and counts who asks at once."""

    def __init__(self, seconds: float) -> None:
        super().__init__(ONE)
        self._seconds, self._now, self.most = seconds, 0, 0

    async def GetServers(self, request: Any, context: Any) -> Any:
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(self._seconds)
        self._now -= 1
        return await super().GetServers(request, context)


def asked_at_once(tmp_path: Path, request: AskChannelz, servicer: Slow, pods: int) -> list[Answer]:
    pod = Pod()

    async def scenario(cluster: KubeWorkshop) -> list[Reading]:
        async with running(servicer) as (_, pod.port):
            return await asyncio.gather(*(cluster.read(request) for _ in range(pods)))

    readings: list[Reading] = Conversation(tmp_path, pod.forward, in_flight=128).run(scenario)
    return [reading.answer for reading in readings]


def test_not_all_pods_are_walked_at_a_time(tmp_path: Path) -> None:
    slow = Slow(0.05)

    answers = asked_at_once(tmp_path, TWICE, slow, 40)

    assert [len(channelz_of(answer).looks) for answer in answers] == [2] * 40
    assert slow.most <= 16


def test_to_wait_for_its_turn_takes_nothing_from_a_requests_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kube, "WALKS_IN_FLIGHT", 1)
    request = AskChannelz("shop", POD, 50051, 0.1, 2.5)

    answers = asked_at_once(tmp_path, request, Slow(0.2), 8)

    assert [len(channelz_of(answer).looks) for answer in answers] == [2] * 8
    assert all(channelz_of(answer).gap is None for answer in answers)


def test_others_are_walked_while_one_waits_for_its_second_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube, "WALKS_IN_FLIGHT", 1)
    begun = time.monotonic()

    answers = asked_at_once(tmp_path, AskChannelz("shop", POD, 50051, 1.0, 5.0), Slow(0.01), 5)

    assert [len(channelz_of(answer).looks) for answer in answers] == [2] * 5
    assert time.monotonic() - begun < 3.0


def test_a_pod_that_does_not_answer_gives_its_turn_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube, "WALKS_IN_FLIGHT", 1)

    answers = asked_at_once(tmp_path, AskChannelz("shop", POD, 50051, 0.0, 0.3), Slow(60), 3)

    assert [refusal_of(answer).reason for answer in answers] == [GapReason.TIMED_OUT] * 3
