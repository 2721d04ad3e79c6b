"""A real Kubernetes cluster behind the port.

Importing this module is cheap; the Kubernetes client is imported when a connection is made.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, assert_never

from msgspec import Struct

from kubectl_grpclb.model.rbac import rule_for
from kubectl_grpclb.model.snapshot import Answer, Exec, Get, List, Reading, Request

if TYPE_CHECKING:
    from kubectl_grpclb.cluster._api import Api

__all__ = ["ConnectOptions", "KubeCluster", "connect", "rule_for"]

REQUEST_TIMEOUT = 15.0
"""Seconds that an API request may take where the user does not say; an exec has a limit of its own."""

READS_IN_FLIGHT = 8
"""API reads at a time; the API server's fairness queues more."""


class ConnectOptions(Struct, frozen=True):
    """Which cluster, as whom and how patiently: kubectl's flags, None where one was not given."""

    kubeconfig: str | None = None
    context: str | None = None
    cluster: str | None = None
    namespace: str | None = None
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    request_timeout: float | None = None
    """Seconds for one API request; 0 waits for ever."""
    in_flight: int = 16
    """Execs at a time; each is a connection of its own and 50 to 80 ms of CPU in the cluster."""


class KubeCluster:
    """A Kubernetes cluster that answers requests (`cluster.port.Cluster`); made by `connect`."""

    def __init__(self, api: "Api", namespace: str, in_flight: int) -> None:
        self._api = api
        self._namespace = namespace
        self._execs = asyncio.Semaphore(in_flight)
        self._reads = asyncio.Semaphore(READS_IN_FLIGHT)

    @property
    def context(self) -> str:
        """The kubeconfig's context, or `in-cluster`."""
        return self._api.place.context

    @property
    def namespace(self) -> str:
        """The one of the flag, of the context, or `default`."""
        return self._namespace

    async def read(self, request: Request) -> Reading:
        """Carry out one request; its time limit and its clock begin when it is its turn.

        Raises ClusterError where the cluster as a whole cannot be reached or does not know the user.
        """
        async with self._execs if isinstance(request, Exec) else self._reads:
            at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            start = time.monotonic()
            answer = await self._answer(request)
            return Reading(request=request, answer=answer, at=at, took=round(time.monotonic() - start, 3))

    async def _answer(self, request: Request) -> Answer:
        from kubectl_grpclb.cluster import _exec, _objects

        match request:
            case Get():
                return await _objects.read_one(self._api, request)
            case List():
                return await _objects.read_list(self._api, request)
            case Exec():
                return await _exec.run(self._api, request)
        assert_never(request)


@asynccontextmanager
async def connect(options: ConnectOptions) -> AsyncIterator[KubeCluster]:
    """Find the cluster as kubectl does and open a session with it; nothing is asked of it yet.

    Raises ClusterError where a flag names what does not exist, or where the kubeconfig or its
    credentials cannot be used.
    """
    from kubectl_grpclb.cluster._kubeconfig import Choice, find_access

    choice = Choice(options.kubeconfig, options.context, options.cluster, options.namespace)
    access = find_access(choice, os.environ)

    from kubectl_grpclb.cluster._open import Impersonation, open_api

    impersonation = Impersonation(options.as_user, options.as_groups)
    timeout = REQUEST_TIMEOUT if options.request_timeout is None else options.request_timeout
    async with open_api(access, impersonation, timeout) as api:
        yield KubeCluster(api, access.namespace, options.in_flight)
