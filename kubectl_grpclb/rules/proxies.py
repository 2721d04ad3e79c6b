"""Envoys of others in front: which of the connections are theirs, and how to name them."""

from collections.abc import Sequence

from kubectl_grpclb.model.facts import Facts, Proxy
from kubectl_grpclb.rules.assess import Assessment

__all__ = ["carried_by", "choosing", "named"]


def carried_by(facts: Facts, load: Assessment, proxies: Sequence[Proxy]) -> float:
    """Give the part of all lasting connections that these proxies hold; 1 where none lasts."""
    theirs = {proxy.name for proxy in proxies}
    held = sum(client.lasting for client in facts.clients if client.name in theirs)
    return min(1.0, held / load.lasting) if load.lasting else 1.0


def choosing(facts: Facts, load: Assessment) -> list[Proxy]:
    """Give the proxies that choose among the pods themselves, if every lasting connection is theirs; else none."""
    direct = [proxy for proxy in facts.proxies if not proxy.dials_service]
    return direct if direct and carried_by(facts, load, direct) == 1 else []


def named(proxy: Proxy) -> str:
    """Give the pod with its workload: `edge-6c8f7d9b5-x2x9k (Deployment/edge)`."""
    return f"{proxy.name} ({proxy.owner})" if proxy.owner else proxy.name
