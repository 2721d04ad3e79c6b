"""The Envoys of a bundle while a fix is at work: which hosts they know, whom they serve, whether they answer."""

import asyncio
import time
from collections.abc import Callable, Sequence

from kubectl_grpclb.change.rollout import pods_of
from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.model.addresses import canonical
from kubectl_grpclb.model.admin import CONNECTIONS_PAGE, HOSTS_PAGE, all_connections, requests_by_host
from kubectl_grpclb.model.bundle import Bundle
from kubectl_grpclb.model.command import Aim
from kubectl_grpclb.model.errors import RefusedError
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.kube import EndpointSlice
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.snapshot import Answer, AskEnvoy, List, Objects, Refused
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Denied, Done, Outcome

__all__ = ["Envoys", "selector_of"]

_LOOK_EVERY = 0.5
_CALL_SECONDS = 5.0
_CALLS = 5
"""Calls in a row that must come back before the path is believed."""

_NO_OBJECTS = (GapReason.GARBLED, "the answer holds no objects")

_BLIND = 30.0
"""Seconds that an Envoy whose Deployment went first is given to end where nobody may look; without long calls it needs
half of that."""

_NO_ENVOY = "no Envoy is ready"


def selector_of(bundle: Bundle) -> str:
    """Give the label selector of the bundle's Envoy pods."""
    return ",".join(f"{key}={value}" for key, value in sorted(bundle.envoy_pods.items()))


class Envoys:
    """The running Envoys of one bundle."""

    def __init__(
        self, cluster: Workshop, namespace: str, bundle: Bundle, family: str, say: Callable[[str], None], aim: Aim
    ) -> None:
        self._cluster, self._namespace, self._bundle, self._say = cluster, namespace, bundle, say
        self._family, self._aim = family, aim

    async def until_gone(self, seconds: float) -> None:
        """Wait until no pod is left, nor the Deployment, whose controller may make pods until it is gone.

        Raises RefusedError after `seconds`.
        """
        until, told, after_its_pods = time.monotonic() + seconds, "", False
        while True:
            deployment = await self._cluster.fetch("deployments", self._namespace, self._bundle.envoy)
            gone = isinstance(deployment, Denied) and deployment.is_missing
            after_its_pods = after_its_pods or (isinstance(deployment, Done) and deployment.is_ending)
            pods = await self._pods()
            if gone and pods == []:
                return
            if gone and isinstance(pods, Denied) and pods.reason is GapReason.FORBIDDEN:
                if not after_its_pods:
                    self._say(
                        f"not permitted to see whether Envoy has exited ({printable(pods.message)}); "
                        f"waiting {_BLIND:.0f} s for it"
                    )
                    await asyncio.sleep(_BLIND)
                return
            if not isinstance(pods, Denied) and (waiting := _waiting_for(len(pods))) != told:
                told = waiting
                self._say(waiting)
            if time.monotonic() > until:
                raise RefusedError(_still_there(pods, deployment, seconds, self._aim))
            await asyncio.sleep(_LOOK_EVERY)

    async def until_hosts(self, seconds: float) -> int:
        """Wait until every Envoy knows exactly the ready endpoints; give how many. Raises RefusedError."""
        until = time.monotonic() + seconds
        while True:
            wanted = await self._endpoints()
            names = _names(await self._pods(), _is_ready)
            known = [await self._hosts(name) for name in names]
            if not isinstance(wanted, Gap) and wanted and names and all(each == wanted for each in known):
                return len(wanted)
            gaps = [each for each in (wanted, *known) if isinstance(each, Gap)]
            if time.monotonic() > until or any(gap.reason is GapReason.FORBIDDEN for gap in gaps):
                raise RefusedError(printable(gaps[0].detail) if gaps else _ignorant(wanted, known, seconds))
            await asyncio.sleep(_LOOK_EVERY)

    async def until_answered(self, port: int, seconds: float, *, through_envoy: bool, way: str) -> None:
        """Call through every Envoy's port until calls come back the right way. Raises RefusedError.

        `through_envoy` says whether the answer must, or must not, come through one of ours; a call that comes back
        the other way is one from before the change, and waited for. One that does not come back at all twice in a
        row ends the waiting at once. Without a ready Envoy nothing is shown, so that is waited for as well.
        """
        for name in await self._until_some_are_ready(seconds, way):
            await self._until_answered(name, port, seconds, through_envoy=through_envoy, way=way)

    async def drain(self) -> None:
        """Tell every Envoy to send its clients elsewhere; one that does not hear it does so when it is ended."""
        for name in _names(await self._pods(), _runs):
            gap = await self._cluster.drain(self._namespace, name)
            if gap is not None:
                self._say(f"could not tell {name} to drain ({printable(gap.detail)}); it drains when it is deleted")

    async def connections(self) -> int | Gap:
        """Count the clients' connections, on every port of the Service, over all Envoys that run, ready or not."""
        pods = await self._pods()
        if isinstance(pods, Denied):
            return Gap(pods.reason, f"cannot list Envoy's pods: {pods.message}")
        total = 0
        for name in _names(pods, _runs):
            held = all_connections(await self._ask(name, CONNECTIONS_PAGE))
            if isinstance(held, Gap):
                return Gap(held.reason, f"{name}: {held.detail}")
            total += held
        return total

    async def _until_some_are_ready(self, seconds: float, way: str) -> list[str]:
        until = time.monotonic() + seconds
        while True:
            pods = await self._pods()
            if names := _names(pods, _is_ready):
                return names
            if time.monotonic() > until:
                why = f"cannot list Envoy's pods: {pods.message}" if isinstance(pods, Denied) else _NO_ENVOY
                raise RefusedError(f"a call through {way} could not be made: {printable(why)}")
            await asyncio.sleep(_LOOK_EVERY)

    async def _until_answered(self, name: str, port: int, seconds: float, *, through_envoy: bool, way: str) -> None:
        until, right, failed, said = time.monotonic() + seconds, 0, 0, ""
        while right < _CALLS:
            heard = await self._cluster.greet(self._namespace, name, port, _CALL_SECONDS)
            if isinstance(heard, Gap):
                failed, said = failed + 1, heard.detail
            elif not heard.answered:
                failed, said = failed + 1, f"{heard.status} {heard.detail}".strip()
            elif heard.through_envoy is through_envoy:
                right, failed = right + 1, 0
                continue
            else:
                right, failed, said = 0, 0, "it still takes the old path"
            if failed > 1 or time.monotonic() > until:
                raise RefusedError(f"a call through {way} failed: {printable(said)}")
            await asyncio.sleep(_LOOK_EVERY)

    async def _endpoints(self) -> frozenset[str] | Gap:
        request = List(
            resource="endpointslices",
            namespace=self._namespace,
            label_selector=f"kubernetes.io/service-name={self._bundle.headless}",
        )
        answer = (await self._cluster.read(request)).answer
        if not isinstance(answer, Objects):
            reason, said = (answer.reason, answer.message) if isinstance(answer, Refused) else _NO_OBJECTS
            return Gap(reason, f"could not read the endpoints of {self._bundle.headless}: {said}")
        return frozenset(
            canonical(address)
            for item in answer.items
            if isinstance(item, EndpointSlice) and item.address_type == self._family
            for endpoint in item.endpoints or ()
            if endpoint.conditions.ready is not False
            for address in endpoint.addresses[:1]
        )

    async def _hosts(self, name: str) -> frozenset[str] | Gap:
        hosts = requests_by_host(await self._ask(name, HOSTS_PAGE))
        if isinstance(hosts, Gap):
            return Gap(hosts.reason, f"could not ask {name} which servers it knows: {hosts.detail}")
        return frozenset(address for address, _ in hosts)

    async def _pods(self) -> list[Manifest] | Denied:
        return await pods_of(self._cluster, self._namespace, selector_of(self._bundle))

    async def _ask(self, name: str, page: str) -> Answer:
        return (await self._cluster.read(AskEnvoy(self._namespace, name, page, _CALL_SECONDS))).answer


def _names(pods: list[Manifest] | Denied, which: Callable[[Manifest], bool]) -> list[str]:
    """Name the pods that are so and stay; none where they could not be listed."""
    listed = [] if isinstance(pods, Denied) else pods
    return sorted(
        pod["metadata"]["name"] for pod in listed if "deletionTimestamp" not in pod["metadata"] and which(pod)
    )


def _is_ready(pod: Manifest) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _runs(pod: Manifest) -> bool:
    """Tell whether a container runs: one that is not ready may still serve whoever is connected."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return any("running" in (each.get("state") or {}) for each in statuses)


def _waiting_for(pods: int) -> str:
    if not pods:
        return "waiting for Envoy's Deployment to be gone"
    return f"waiting for {pods} Envoy {'pod' if pods == 1 else 'pods'} to drain and exit"


def _still_there(pods: list[Manifest] | Denied, deployment: Outcome, seconds: float, aim: Aim) -> str:
    names = [] if isinstance(pods, Denied) else [pod["metadata"]["name"] for pod in pods]
    denied = [each for each in (pods, deployment) if isinstance(each, Denied) and not each.is_missing]
    if denied and not names:
        return f"could not see whether Envoy's pods are gone: {printable(denied[0].message)}"
    if not names:
        return f"Envoy's Deployment was not deleted within {seconds:.0f} s. What it needs is kept"
    return (
        f"these pods did not exit within {seconds:.0f} s: {printable(', '.join(names))}. They may still be serving "
        f"calls; if their node is gone, `{aim.kubectl('delete', 'pod', *names, options=('--force',))}` removes them. "
        "What they need is kept"
    )


def _ignorant(wanted: frozenset[str] | Gap, known: Sequence[frozenset[str] | Gap], seconds: float) -> str:
    has = "; ".join(_listed(each) for each in known)
    return (
        f"Envoy does not know the right servers after {seconds:.0f} s: ready: {_listed(wanted)}; known to Envoy: {has}"
    )


def _listed(addresses: frozenset[str] | Gap) -> str:
    if isinstance(addresses, Gap):
        return "unknown"
    return ", ".join(sorted(addresses)[:10]) or "none"
