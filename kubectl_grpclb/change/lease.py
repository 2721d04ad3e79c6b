"""The Lease that keeps a second `fix` of the same Service out while one is at work.

Whether its holder still lives is told as client-go's leader election tells it: by whether the renewal changes
while one watches, so that no two machines' clocks are compared.
"""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.model.bundle import SERVICE_LABEL, Bundle, is_labelled
from kubectl_grpclb.model.errors import ClusterError, RefusedError
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Delete, Denied, Done, Insert, Outcome, Replace

__all__ = ["LEASE_SECONDS", "Hold", "holding"]

LEASE_SECONDS = 10
"""A holder that has not renewed for so long is taken for dead."""

_RENEW_EVERY = 2.5
_LOOK_EVERY = 0.5
_TRY_AGAIN = 1.0


class _Taken(Struct, frozen=True):
    """The Lease as it was taken."""

    lease: Manifest
    at: float
    """When it was asked for, by this machine's monotonic clock."""


class Hold:
    """The Lease while it is held."""

    def __init__(self, cluster: Workshop, namespace: str, taken: _Taken) -> None:
        self._cluster, self._namespace = cluster, namespace
        self._lease, self._renewed = taken.lease, taken.at
        self._lost = ""

    def check(self) -> None:
        """Raise RefusedError where somebody else may have begun meanwhile; asked before every change."""
        if self._lost:
            raise RefusedError(f"{self._lost}; this run stops here. Run `fix` or `rollback` again")
        if self.is_late:
            raise RefusedError(
                f"the Lease {self._lease['metadata']['name']} could not be renewed for {LEASE_SECONDS} s, so another "
                "`fix` may start; this run stops here. Run it again when the cluster answers"
            )

    async def again(self, until: float) -> bool:
        """Wait a moment, and while the Lease is not renewed in time; False where that takes until a moment."""
        while True:
            await asyncio.sleep(_TRY_AGAIN)
            if time.monotonic() > until:
                return False
            if self._lost or not self.is_late:
                return True

    @property
    def is_lost(self) -> bool:
        """Whether another run has it by now, with everything that this one began."""
        return bool(self._lost)

    @property
    def is_late(self) -> bool:
        """Whether it was not renewed in time, which the next renewal may mend."""
        return time.monotonic() - self._renewed > LEASE_SECONDS

    async def keep(self) -> None:
        """Renew for ever."""
        while True:
            await asyncio.sleep(_RENEW_EVERY)
            try:
                await self._renew()
            except ClusterError:
                continue  # `check` notices when this lasts

    async def release(self) -> None:
        """Delete the Lease, unless it is somebody else's by now.

        One that stays, as the cluster does not answer, is taken over later: that must hide no other error.
        """
        if self._lost:
            return
        with suppress(ClusterError):
            if _conflicts(await self._delete()) and await self._is_ours():
                await self._delete()

    async def _renew(self) -> None:
        asked = time.monotonic()  # who watches counts from when it is stored, which is later
        outcome = await self._cluster.write(Replace(_renewed(self._lease), self._namespace))
        if isinstance(outcome, Done):
            self._lease, self._renewed = outcome.object, asked
        elif outcome.is_missing or (_conflicts(outcome) and not await self._is_ours()):
            self._lost = "another `fix` or `rollback` has taken over the Lease"

    async def _is_ours(self) -> bool:
        """See whether the Lease is of another version only because the answer to a renewal was lost; go on with it."""
        found = await self._cluster.fetch("leases", self._namespace, self._lease["metadata"]["name"])
        if isinstance(found, Denied):
            return not found.is_missing
        if found.object["spec"].get("holderIdentity") != self._lease["spec"]["holderIdentity"]:
            return False
        self._lease = found.object
        return True

    async def _delete(self) -> Outcome:
        """Delete the version that is known and no other, since a successor's has the same uid."""
        metadata = self._lease["metadata"]
        return await self._cluster.write(
            Delete("leases", self._namespace, metadata["name"], metadata["uid"], metadata["resourceVersion"])
        )


@asynccontextmanager
async def holding(cluster: Workshop, namespace: str, bundle: Bundle, say: Callable[[str], None]) -> AsyncIterator[Hold]:
    """Hold the Service's Lease. Raises RefusedError where a living `fix` or `rollback` has it.

    It is deleted at the end, also after an error; only a process that is killed leaves it behind.
    """
    hold = Hold(cluster, namespace, await _acquire(cluster, namespace, bundle, say))
    say(f"took the Lease {bundle.receipt}: no other fix or rollback of this Service can start")
    keeping = asyncio.create_task(hold.keep())
    try:
        yield hold
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await hold.release()


async def _acquire(cluster: Workshop, namespace: str, bundle: Bundle, say: Callable[[str], None]) -> _Taken:
    while True:
        asked = time.monotonic()
        outcome = await cluster.write(Insert(_lease(bundle), namespace))
        if isinstance(outcome, Done):
            return _Taken(outcome.object, asked)
        if not _conflicts(outcome):
            raise _refused(outcome, bundle)
        found = await cluster.fetch("leases", namespace, bundle.receipt)
        if isinstance(found, Denied):
            if found.is_missing:
                continue
            raise _refused(found, bundle)
        taken = await _take_over(cluster, namespace, bundle, found.object, say)
        if taken is not None:
            return taken


async def _take_over(
    cluster: Workshop, namespace: str, bundle: Bundle, lease: Manifest, say: Callable[[str], None]
) -> _Taken | None:
    """Watch whether the holder renews; take the Lease where it does not. None: it changed hands, look again.

    Raises RefusedError where somebody else's program has it, or it may not be taken.
    """
    if not is_labelled(lease, bundle.service):
        raise RefusedError(
            f"the Lease {bundle.receipt} is not that of a fix of Service {printable(bundle.service)}: it lacks the "
            f"label {SERVICE_LABEL}. Nothing was changed; find out who uses it, and delete it if nobody does"
        )
    holder = printable(str(lease["spec"].get("holderIdentity", "somebody")))
    say(f"{holder} holds the Lease {lease['metadata']['name']}; waiting {LEASE_SECONDS} s to see whether it still runs")
    until = time.monotonic() + LEASE_SECONDS
    while time.monotonic() < until:
        await asyncio.sleep(_LOOK_EVERY)
        found = await cluster.fetch("leases", namespace, lease["metadata"]["name"])
        if isinstance(found, Denied):
            return None
        if found.object["metadata"]["resourceVersion"] != lease["metadata"]["resourceVersion"]:
            raise RefusedError(
                f"another `fix` or `rollback` of this Service is running ({holder}): wait until it has finished, then "
                "run this again. This run changed nothing"
            )
    mine = {**lease, "spec": {**_spec(), "leaseTransitions": lease["spec"].get("leaseTransitions", 0) + 1}}
    asked = time.monotonic()
    outcome = await cluster.write(Replace(mine, namespace))
    if isinstance(outcome, Done):
        return _Taken(outcome.object, asked)
    if outcome.is_conflict or outcome.is_missing:
        return None
    raise _refused(outcome, bundle)


def _conflicts(outcome: Outcome) -> bool:
    return isinstance(outcome, Denied) and outcome.is_conflict


def _lease(bundle: Bundle) -> Manifest:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": bundle.receipt, "labels": bundle.labels},
        "spec": _spec(),
    }


def _spec() -> dict[str, Any]:
    now = _now()
    holder = f"{socket.gethostname()[:60]} process {os.getpid()} {secrets.token_hex(3)}"
    return {
        "holderIdentity": holder,
        "leaseDurationSeconds": LEASE_SECONDS,
        "acquireTime": now,
        "renewTime": now,
    }


def _renewed(lease: Manifest) -> Manifest:
    return {**lease, "spec": {**lease["spec"], "renewTime": _now()}}


def _now() -> str:
    """Give the time as the API's MicroTime wants it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _refused(outcome: Denied, bundle: Bundle) -> RefusedError:
    return RefusedError(
        f"could not take the Lease {bundle.receipt}, which keeps two runs from changing a Service at once: "
        f"{printable(outcome.message)}. Nothing was changed"
    )
