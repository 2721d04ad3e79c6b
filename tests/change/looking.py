"""A shop in which nodes are looked from."""

import asyncio
from datetime import UTC, datetime, timedelta

from kubectl_grpclb.change.node_look import LABELS, look_from_node
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.snapshot import (
    Answer,
    Exec,
    LookFromNode,
    Reading,
    Refused,
    Request,
)
from kubectl_grpclb.model.write import Insert, Outcome, Write
from tests.fake_cluster import printed
from tests.fake_workshop import FakeWorkshop
from tests.virtual_time import run

IMAGE = "busybox:1.37.0"
REQUEST = LookFromNode("shop", "node-a", IMAGE, ("sh", "-c", "true", "grpclb", "5", "uid-1"), 24.5)


class Looking(FakeWorkshop):
    """A shop in which a look takes a while, or fails."""

    def __init__(self) -> None:
        super().__init__()
        self.prints = printed("#grpclb over\n")
        self.exec_seconds = 0.0
        self.insert_seconds = 0.0
        self.lost: list[type[Write]] = []
        """Kinds of writes to whose next one no answer comes, although it is carried out."""

    async def read(self, request: Request) -> Reading:
        if isinstance(request, Exec):
            await asyncio.sleep(self.exec_seconds)
        return await super().read(request)

    async def write(self, write: Write) -> Outcome:
        if isinstance(write, Insert):
            await asyncio.sleep(self.insert_seconds)
        outcome = await super().write(write)
        if type(write) in self.lost:
            self.lost.remove(type(write))
            raise ClusterError("cannot reach the API server: no answer within 15 s")
        return outcome


def left(shop: FakeWorkshop) -> list[str]:
    """The pods of looks that are there."""
    return [key[2] for key in shop.api.held if key[0] == "pods" and key[2].startswith("grpclb-node-look-")]


def looked(shop: FakeWorkshop, request: LookFromNode = REQUEST) -> Answer:
    reading = run(look_from_node(shop, request))
    assert reading.request == request
    return reading.answer


def refused(shop: FakeWorkshop) -> Refused:
    answer = looked(shop)
    assert isinstance(answer, Refused), answer
    return answer


def leave(shop: FakeWorkshop, name: str, phase: str, age: timedelta, **labels: str) -> None:
    """Have a pod of a look, so old."""
    created = (datetime.now(UTC) - age).isoformat(timespec="seconds")
    shop.api.put(
        "pods",
        {
            "metadata": {
                "name": f"grpclb-node-look-{name}",
                "namespace": "shop",
                "labels": {**LABELS, **labels},
                "creationTimestamp": created,
            },
            "spec": {"nodeName": "node-a", "activeDeadlineSeconds": 85},
            "status": {"phase": phase, "conditions": []},
        },
    )
