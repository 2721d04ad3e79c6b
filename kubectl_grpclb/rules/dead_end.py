"""What GLB205 says where the Service leads to Envoys of ours, and none of them can lead on."""

from kubectl_grpclb.model.facts import Facts, Tier
from kubectl_grpclb.model.words import names
from kubectl_grpclb.rules.rule import Claim
from kubectl_grpclb.rules.words import pods

__all__ = ["no_way_through"]


def no_way_through(facts: Facts, tier: Tier) -> Claim:
    """Say that the headless Service is gone, or that no Envoy is ready."""
    message = _without_headless(tier) if tier.servers is None else _without_envoy(tier)
    return Claim(
        message=message,
        evidence=[
            f"{tier.name}: {pods(len(tier.pods))}, {sum(pod.ready for pod in tier.pods)} ready",
            f"Service {tier.headless}: {'not found' if tier.servers is None else 'there'}",
        ],
        confidence="high",
        explains=1.0,
        remedies=("envoy",),
        next=_next(facts, tier),
    )


def _without_headless(tier: Tier) -> str:
    return (
        f"The Service leads to Envoy ({tier.name}), and Service {tier.headless}, by whose name Envoy finds the "
        "servers, does not exist. Calls fail once Envoy has dropped the addresses that it knew."
    )


def _without_envoy(tier: Tier) -> str:
    if not tier.pods:
        return f"The Service leads to Envoy ({tier.name}), which has no pod. New connections have nowhere to go."
    who = names([pod.name for pod in tier.pods])
    none = "its only pod is not ready" if len(tier.pods) == 1 else f"none of its {len(tier.pods)} pods is ready"
    return f"The Service leads to Envoy ({tier.name}), and {none} ({who}). New connections have nowhere to go."


def _next(facts: Facts, tier: Tier) -> list[str]:
    kind, _, name = tier.name.partition("/")
    look = facts.aim.kubectl("describe", kind.lower(), name)
    return [facts.aim.grpclb("fix") if tier.servers is None else look, facts.aim.grpclb("rollback")]
