"""The tier of a fix: the Envoys that the Service leads to, as facts."""

from collections.abc import Sequence

from kubectl_grpclb.model import facts
from kubectl_grpclb.model.bundle import bundle_of
from kubectl_grpclb.model.snapshot import Reading
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.endpoints import Backend, age_of
from kubectl_grpclb.probes.envoys import connections_of, known_servers
from kubectl_grpclb.probes.nodes import zones
from kubectl_grpclb.probes.route import Ends

__all__ = ["tiers_of"]


def tiers_of(readings: Sequence[Reading], ask: Ask, ends: Ends, now: str) -> tuple[facts.Tier, ...]:
    """Give the tier where the Service leads to one, also where none of its pods is there."""
    if ends.bundle != "in use":
        return ()
    bundle = bundle_of(ask.service)
    return (
        facts.Tier(
            name=f"Deployment/{bundle.envoy}",
            kind="Envoy",
            pods=tuple(_pod(readings, ask, envoy, ends, now) for envoy in ends.envoys),
            headless=bundle.headless,
            servers=ends.service,
        ),
    )


def _pod(readings: Sequence[Reading], ask: Ask, envoy: Backend, ends: Ends, now: str) -> facts.TierPod:
    pod = envoy.pod
    return facts.TierPod(
        name=envoy.name,
        ip=envoy.addresses[0] if envoy.addresses else "",
        addresses=envoy.addresses,
        ready=envoy.ready,
        node=envoy.node,
        zone=envoy.zone or zones(readings).get(envoy.node or ""),
        age=age_of(pod.metadata.creation_timestamp, now) if pod else None,
        connections=connections_of(readings, ask, envoy),
        hosts=known_servers(readings, ask, envoy, ends.servers),
    )
