"""Carry an Envoy plan out, step by step: stage, check, cut over, prove, recycle.

Each step is written to the receipt when it is reached (flows/staging.py does it for the stage, which an upgrade has,
too), each can be begun again after a process that was killed in it, and before the cut-over nothing that clients use is
touched.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from kubectl_grpclb.change.carry import carried_out
from kubectl_grpclb.change.envoys import Envoys, selector_of
from kubectl_grpclb.change.lease import Hold
from kubectl_grpclb.change.receipts import Journal
from kubectl_grpclb.change.rollout import until_rolled_out
from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.model.bundle import bundle_of
from kubectl_grpclb.model.command import Aim
from kubectl_grpclb.model.errors import ClusterError, RefusedError
from kubectl_grpclb.model.plan import Create, EnvoyPorts, Manifest, Patch, Restart
from kubectl_grpclb.model.receipt import Step, differences
from kubectl_grpclb.model.resources import resource_of
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Apply, Denied, Done, Outcome, PatchObject

__all__ = ["Site", "begin", "check", "cut_over", "prove", "recycle", "stage", "switch", "until_started"]

_TRIES = 3
"""How often a patch is tried again where the object changed, but nothing that matters here."""

_LOOK_EVERY = 0.5
_HOSTS_SECONDS = 30.0
_ANSWER_SECONDS = 30.0
_RESOLVED_SECONDS = 90.0
"""The same where clients dial what a headless Service's name gives: the cluster's DNS may keep an answer for 30 s, and
so may whoever asks it."""

_RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""The annotation of `kubectl rollout restart`."""


Spec = dict[str, Any]


class Site(Struct, frozen=True):
    """Where the work is done and how it is told."""

    cluster: Workshop
    hold: Hold
    journal: Journal
    say: Callable[[str], None]
    """Told each step when it is done, in a line."""
    seconds: float
    """How long pods may take to get ready."""
    aim: Aim
    """What commands that the user is told are about."""

    @property
    def namespace(self) -> str:
        """The Service's."""
        return self.journal.receipt.namespace

    @property
    def envoys(self) -> Envoys:
        """The Envoys of the bundle."""
        receipt = self.journal.receipt
        families: Sequence[str] = receipt.original.get("ipFamilies") or ("IPv4",)
        return Envoys(self.cluster, self.namespace, bundle_of(receipt.service), families[0], self.say, self.aim)

    @property
    def ports(self) -> EnvoyPorts:
        """Where those Envoys are spoken to."""
        if self.journal.receipt.ports is None:
            raise ValueError("this fix has no Envoy")
        return self.journal.receipt.ports

    async def write(self, write: Apply | PatchObject) -> Outcome:
        """Change something, while nobody else may; what is not known to be done, the journal keeps in doubt."""
        self.hold.check()
        return await carried_out(self.cluster, write, self.journal.in_doubt)


async def begin(site: Site, step: Step) -> None:
    """Write the receipt, before the first change."""
    await site.journal.note(step)
    site.say(f"wrote the receipt to {site.journal.places}")


async def stage(site: Site, creations: Sequence[Create]) -> None:
    """Bring about every object of the bundle. Raises RefusedError where the API server refuses one."""
    for creation in creations:
        kind, name = creation.manifest["kind"], creation.manifest["metadata"]["name"]
        until = time.monotonic() + site.seconds
        while (await _applied(site, creation.manifest)).is_ending:
            site.say(f"{kind}/{name} of an earlier fix is still being deleted; waiting until it is gone")
            await _until_gone(site, creation.manifest, until)
        site.say(f"applied {kind}/{name}")


async def _applied(site: Site, manifest: Manifest) -> Done:
    outcome = await site.write(Apply(manifest, site.namespace))
    if isinstance(outcome, Denied):
        name = f"{manifest['kind']}/{manifest['metadata']['name']}"
        raise RefusedError(f"{name} was refused: {_reason(outcome)}")
    return outcome


async def _until_gone(site: Site, manifest: Manifest, until: float) -> None:
    """Wait for what is being deleted already; what is applied to it goes with it. Raises RefusedError."""
    resource, name = resource_of(manifest).resource, manifest["metadata"]["name"]
    while True:
        found = await site.cluster.fetch(resource, site.namespace, name)
        if found.is_missing if isinstance(found, Denied) else not found.is_ending:
            return
        if time.monotonic() > until:
            raise RefusedError(
                f"{manifest['kind']}/{name} is still being deleted after {site.seconds:.0f} s; run this again when it "
                "is gone"
            )
        await asyncio.sleep(_LOOK_EVERY)


async def until_started(site: Site) -> None:
    """Wait until every Envoy is one of the staged ones and ready."""
    bundle = bundle_of(site.journal.receipt.service)
    labels = selector_of(bundle)
    await until_rolled_out(
        site.cluster, "deployments", site.namespace, bundle.envoy, labels, site.seconds, site.say, "--envoy-image"
    )


async def check(site: Site) -> None:
    """See that the Envoys know every ready server, and bring a call there and back."""
    ports = site.ports
    servers = await site.envoys.until_hosts(_HOSTS_SECONDS)
    site.say(f"Envoy is ready and knows all {servers} ready servers" if servers > 1 else "Envoy knows the ready server")
    await site.envoys.until_answered(ports.listen, _ANSWER_SECONDS, through_envoy=True, way="Envoy")
    site.say("calls through each Envoy came back from the servers")


async def cut_over(site: Site, patch: Patch) -> None:
    """Re-point the Service. Raises RefusedError where it is no longer what was seen, naming the change."""
    await switch(site, patch, site.journal.receipt.original)
    await site.journal.note("cut over")
    site.say(f"cut over: new connections to {patch.kind}/{patch.name} go to Envoy")


async def prove(site: Site) -> None:
    """See that calls through the Service itself, as clients make them, come back through Envoy."""
    receipt, ports = site.journal.receipt, site.ports
    seconds = _RESOLVED_SECONDS if receipt.original.get("clusterIP") == "None" else _ANSWER_SECONDS
    await site.envoys.until_answered(ports.proof, seconds, through_envoy=True, way=f"Service/{receipt.service}")
    site.say(f"proved: calls to Service/{receipt.service} come back through Envoy")
    await site.journal.note("proved")


async def recycle(site: Site, restarts: Sequence[Restart], at: str) -> list[str]:
    """Restart each workload's pods, one workload after the other; give those that could not be, and why."""
    left = []
    for restart in restarts:
        name = f"{restart.kind}/{restart.name}"
        body = {"spec": {"template": {"metadata": {"annotations": {_RESTARTED_AT: at}}}}}
        write = PatchObject(restart.resource, restart.namespace, restart.name, body, "strategic")
        outcome = await site.write(write)
        if isinstance(outcome, Denied):
            left.append(f"{name} in {restart.namespace}: {_reason(outcome)}")
            continue
        try:
            await until_rolled_out(
                site.cluster, restart.resource, restart.namespace, restart.name, "", site.seconds, site.say
            )
        except RefusedError as error:
            left.append(str(error))
        else:
            site.say(f"restarted {name} in {restart.namespace}")
    return left


async def switch(site: Site, patch: Patch, seen: Spec) -> None:
    """Carry out a patch of somebody else's object while its spec is what was seen.

    A change of something else, as of its status, is no reason not to; one of its spec is, and is named. Raises
    RefusedError, or ClusterError where the API server fails.
    """
    version, refusal = patch.resource_version, ""
    for _ in range(_TRIES):
        version = version or await _unchanged(site, patch, seen)
        operations = patch.operations(version)
        outcome = await site.write(PatchObject(patch.resource, patch.namespace, patch.name, operations))
        if isinstance(outcome, Done):
            return
        version, refusal = "", _reason(outcome)
        if outcome.is_failure:
            raise ClusterError(f"{patch.kind}/{patch.name} could not be changed: {refusal}")
        if outcome.status not in {409, 422}:
            break
    raise RefusedError(f"{patch.kind}/{patch.name} could not be changed: {refusal}")


async def _unchanged(site: Site, patch: Patch, seen: Spec) -> str:
    """Give the object's version, if its spec is still what was seen."""
    found = await site.cluster.fetch(patch.resource, patch.namespace, patch.name)
    if isinstance(found, Denied):
        raise RefusedError(f"{patch.kind}/{patch.name} could not be read again: {_reason(found)}")
    metadata = found.object["metadata"]
    if metadata["uid"] != patch.uid:
        raise RefusedError(f"{patch.kind}/{patch.name} was deleted and recreated in the meantime; run this again")
    if changed := differences(seen, found.object["spec"]):
        raise RefusedError(
            f"somebody changed {patch.kind}/{patch.name} in the meantime ({printable('; '.join(changed)[:600])}); "
            "run this again for a new plan"
        )
    return str(metadata["resourceVersion"])


def _reason(outcome: Denied) -> str:
    causes = "; ".join(outcome.causes[:5])
    return printable(f"{outcome.message}{f' ({causes})' if causes and causes not in outcome.message else ''}"[:1500])
