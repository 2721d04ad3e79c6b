"""Carries out a diagnosis' requests."""

import asyncio
from collections.abc import Sequence

from kubectl_grpclb.cluster.port import Cluster
from kubectl_grpclb.model.snapshot import Reading, Request
from kubectl_grpclb.probes.ask import Observer

__all__ = ["Reader"]


class Reader:
    """Carries out requests side by side and keeps the readings in the order of the requests."""

    def __init__(self, cluster: Cluster, observe: Observer) -> None:
        self._cluster = cluster
        self._observe = observe
        self.readings: list[Reading] = []

    async def ask(self, what: str, requests: Sequence[Request]) -> list[Reading]:
        """Carry out requests; `what` they are is told to whoever watches."""
        done = 0

        async def one(request: Request) -> Reading:
            nonlocal done
            reading = await self._cluster.read(request)
            done += 1
            self._observe(what, done, len(requests))
            return reading

        answers = await asyncio.gather(*map(one, requests))
        self.readings.extend(answers)
        return answers
