"""A real Kubernetes cluster behind the port.

Importing this module is cheap; aiohttp is imported when a connection is made.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, assert_never

from msgspec import Struct

from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.rbac import rule_for
from kubectl_grpclb.model.snapshot import (
    Answer,
    AskChannelz,
    AskEnvoy,
    AskPrometheus,
    Exec,
    Get,
    List,
    LookFromNode,
    OpenUp,
    Reading,
    Refused,
    Request,
    Scrape,
)
from kubectl_grpclb.model.speech import Heard
from kubectl_grpclb.model.write import Outcome, Write

if TYPE_CHECKING:
    from kubectl_grpclb.cluster._api import Api
    from kubectl_grpclb.cluster.told import Teller

__all__ = [
    "ChannelzTls",
    "ConnectOptions",
    "KubeCluster",
    "KubeWorkshop",
    "connect",
    "connect_to_change",
    "namespace_of",
    "rule_for",
]

REQUEST_TIMEOUT = 15.0
"""Seconds that an API request may take where the user does not say; an exec has a limit of its own."""

READS_IN_FLIGHT = 8
"""API reads at a time; the API server's fairness queues more."""

WALKS_IN_FLIGHT = 16
"""Looks at channelz at a time: a connection costs 0.27 ms of this process's CPU in each, and more looks at a time only
take longer."""

SCRAPES_IN_FLIGHT = 32
"""Pods' metrics at a time; docs/performance.md has what other numbers come to."""


class ChannelzTls(Struct, frozen=True):
    """Whom to trust where channelz is asked over TLS."""

    authorities: bytes | None = None
    """PEM; None trusts those that the gRPC library brings."""
    server_name: str | None = None
    """The name that the certificate must be for; pods' addresses are in no certificate."""


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
    """Execs at a time, and port-forwards; an exec is a connection of its own and 50 to 80 ms of CPU in the cluster."""
    channelz: ChannelzTls = ChannelzTls()
    prometheus: str | None = None
    """`--prometheus` as it was given, with the user's name and password where it has them."""
    teller: "Teller | None" = None
    """Whom to tell of what is asked before there is a cluster to ask: the user who gave -v."""


class KubeCluster:
    """A Kubernetes cluster that answers requests (`cluster.port.Cluster`); made by `connect`."""

    def __init__(self, api: "Api", namespace: str, options: ConnectOptions) -> None:
        self._api = api
        self._namespace = namespace
        self._options = options
        self._execs = asyncio.Semaphore(options.in_flight)
        self._forwards = asyncio.Semaphore(options.in_flight)
        self._walks = asyncio.Semaphore(WALKS_IN_FLIGHT)
        self._scrapes = asyncio.Semaphore(SCRAPES_IN_FLIGHT)
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

        A look at channelz then waits once more, which only its clock counts.

        Raises ClusterError where the cluster as a whole cannot be reached or does not know the user.
        """
        async with self._turns(request):
            at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            start = time.monotonic()
            answer = await self._answer(request)
            return Reading(request=request, answer=answer, at=at, took=round(time.monotonic() - start, 3))

    async def version(self) -> str | None:
        """Ask which Kubernetes it is."""
        from kubectl_grpclb.cluster import _version

        return await _version.server_version(self._api)

    async def names(self, resource: Literal["namespaces", "services"], namespace: str, beginning: str) -> list[str]:
        """Give the names that begin like this, as far as they can be had quickly; none where they may not be seen.

        Raises ClusterError as `read` does.
        """
        from kubectl_grpclb.cluster import _names

        return await _names.listed(self._api, resource, namespace, beginning)

    def _turns(self, request: Request) -> asyncio.Semaphore:
        match request:
            case Exec():
                return self._execs
            case AskChannelz():
                return self._forwards
            case Scrape():
                return self._scrapes
            case _:
                return self._reads

    async def _answer(self, request: Request) -> Answer:
        from kubectl_grpclb.cluster import _exec, _objects

        match request:
            case Get():
                return await _objects.read_one(self._api, request)
            case List():
                return await _objects.read_list(self._api, request)
            case Exec():
                return await _exec.run(self._api, request)
            case AskEnvoy():
                from kubectl_grpclb.cluster import _admin

                return await _admin.ask(self._api, request)
            case AskChannelz():
                from kubectl_grpclb.cluster import _channelz

                return await _channelz.ask(self._api, request, self._options.channelz, self._walks)
            case Scrape():
                from kubectl_grpclb.cluster import _scrape

                return await _scrape.scrape(self._api, request)
            case AskPrometheus():
                from kubectl_grpclb.cluster import _prometheus

                return await _prometheus.query(self._api, request, self._options.prometheus)
            case OpenUp() | LookFromNode():
                return Refused(GapReason.FORBIDDEN, "this changes the cluster, and a reading does not")
        assert_never(request)


class KubeWorkshop(KubeCluster):
    """The same cluster, which may also be changed (`cluster.port.Workshop`); made by `connect_to_change`."""

    async def write(self, write: Write) -> Outcome:
        """Carry out one change; a refusal is an answer."""
        from kubectl_grpclb.cluster import _writes

        return await _writes.carry_out(self._api, write)

    async def fetch(self, resource: str, namespace: str, name: str) -> Outcome:
        """Read one whole object."""
        from kubectl_grpclb.cluster import _writes

        return await _writes.fetch(self._api, resource, namespace, name)

    async def fetch_all(self, resource: str, namespace: str, labels: str) -> Outcome:
        """Read the whole objects with these labels, as a List."""
        from kubectl_grpclb.cluster import _writes

        return await _writes.fetch_all(self._api, resource, namespace, labels)

    async def may(self, verb: str, resource: str, namespace: str, name: str = "") -> bool | None:
        """Ask whether the user may do this."""
        from kubectl_grpclb.cluster import _writes

        async with self._reads:
            return await _writes.may(self._api, verb, resource, namespace, name)

    async def serves(self, group_version: str, resource: str) -> bool:
        """Ask whether the cluster has a resource at all."""
        from kubectl_grpclb.cluster import _writes

        return await _writes.serves(self._api, group_version, resource)

    async def greet(self, namespace: str, pod: str, port: int, seconds: float) -> Heard | Gap:
        """Make one gRPC health check of a pod's port."""
        from kubectl_grpclb.cluster import _speak

        return await _speak.greet(self._api, namespace, pod, port, seconds)

    async def drain(self, namespace: str, pod: str) -> Gap | None:
        """Tell an Envoy of ours to ask its clients to connect elsewhere."""
        from kubectl_grpclb.cluster import _admin

        return await _admin.drain(self._api, namespace, pod)


def namespace_of(options: ConnectOptions) -> str:
    """Say which namespace these flags mean, without a connection. Raises ClusterError as `connect` does."""
    from kubectl_grpclb.cluster._kubeconfig import Choice, find_namespace

    choice = Choice(options.kubeconfig, options.context, options.cluster, options.namespace)
    return find_namespace(choice, os.environ)


@asynccontextmanager
async def connect(options: ConnectOptions) -> AsyncIterator[KubeCluster]:
    """Find the cluster as kubectl does and open a session with it; nothing is asked of it yet.

    Raises ClusterError where a flag names what does not exist, or where the kubeconfig or its
    credentials cannot be used.
    """
    async with _session(options) as (api, namespace):
        yield KubeCluster(api, namespace, options)


@asynccontextmanager
async def connect_to_change(options: ConnectOptions) -> AsyncIterator[KubeWorkshop]:
    """Do the same for `fix` and `rollback`, which may change the cluster."""
    async with _session(options) as (api, namespace):
        yield KubeWorkshop(api, namespace, options)


@asynccontextmanager
async def _session(options: ConnectOptions) -> "AsyncIterator[tuple[Api, str]]":
    from kubectl_grpclb.cluster._kubeconfig import Choice, find_access

    choice = Choice(options.kubeconfig, options.context, options.cluster, options.namespace)
    access = find_access(choice, os.environ)

    from kubectl_grpclb.cluster._open import Impersonation, open_api

    impersonation = Impersonation(options.as_user, options.as_groups)
    timeout = REQUEST_TIMEOUT if options.request_timeout is None else options.request_timeout
    async with open_api(access, impersonation, timeout, options.teller) as api:
        yield api, access.namespace
