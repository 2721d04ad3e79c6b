"""Words that several rules share: counts, probabilities and commands to copy."""

from collections.abc import Sequence

from kubectl_grpclb.model.facts import Client, Facts
from kubectl_grpclb.model.finding import Confidence
from kubectl_grpclb.rules.assess import Assessment

__all__ = [
    "among_read",
    "at_most",
    "connections",
    "expose_headless",
    "headless_target",
    "lasting_connections",
    "odds",
    "per_second",
    "plan_fix",
    "pods",
    "reconnect",
    "seconds",
]

_RESTARTABLE = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
_ORDER: tuple[Confidence, ...] = ("low", "medium", "high")


def pods(count: int) -> str:
    """`1 pod`, `3 pods`."""
    return "1 pod" if count == 1 else f"{count} pods"


def connections(count: int) -> str:
    """`1 connection`, `3 connections`."""
    return "1 connection" if count == 1 else f"{count} connections"


def lasting_connections(load: Assessment) -> str:
    """Count those that last of all pods: `3 connections`, or `3 lasting connections` where others come and go."""
    said = connections(load.lasting)
    passing = any(server.sockets.passed for server in load.servers)
    return said.replace(" ", " lasting ") if passing else said


def odds(chance: float) -> str:
    """Put a probability in words: `33% of the time`, `about once in 5,000 times`."""
    if chance > 0.995:
        return "nearly always"
    if chance >= 0.01:
        return f"{chance:.0%} of the time"
    if chance >= 0.000_001:
        return f"about once in {float(f'{1 / chance:.1g}'):,.0f} times"
    return "less than once in a million"


def seconds(age: float | None) -> str:
    """Give an age in its largest unit, as kubectl does: `45s`, `12m`, `3h`, `6d`."""
    if age is None:
        return "unknown"
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if age >= 2 * length:
            return f"{int(age // length)}{unit}"
    return f"{int(age)}s"


def per_second(client: Client) -> str:
    """Say how often a client calls, `12.5 calls a second`; with a single look how many calls there were."""
    if client.request_rate is None:
        return "1 call" if client.requests == 1 else f"{client.requests or 0:,} calls"
    return f"{client.request_rate:,.1f} calls a second"


def at_most(limit: Confidence, confidence: Confidence) -> Confidence:
    """Give the lower of two confidences."""
    return min(limit, confidence, key=_ORDER.index)


def among_read(load: Assessment, sentence: str) -> str:
    """Say of what could be read that it is that, where some ready pods could not be."""
    if not load.unseen:
        return sentence
    return f"Among the {len(load.servers)} ready pods that could be read, {sentence[:1].lower()}{sentence[1:]}"


def plan_fix(facts: Facts) -> str:
    """Give the command that shows what a fix would do, and changes nothing."""
    return facts.aim.grpclb("fix", "--dry-run")


def reconnect(facts: Facts, clients: Sequence[Client]) -> list[str]:
    """Commands that restart the clients' workloads, so that they connect anew."""
    owners = {
        (*client.owner.partition("/")[::2], client.namespace or facts.target.namespace)
        for client in clients
        if client.owner is not None
    }
    return [
        facts.aim.kubectl("rollout", "restart", f"{kind.lower()}/{name}", namespace=namespace)
        for kind, name, namespace in sorted(owners)
        if kind in _RESTARTABLE
    ]


def expose_headless(facts: Facts) -> list[str]:
    """Give the command that makes a second, headless Service for the same pods.

    None where there is none: kubectl expose wants a selector, and pods that disagree on a named port have no
    number in common.
    """
    target = facts.target
    if not facts.service.selector or not isinstance(target.target_port, int):
        return []
    name, number = f"--name={target.service}-headless", target.target_port
    options = (name, "--cluster-ip=None", f"--port={number}", f"--target-port={number}")
    return [facts.aim.kubectl("expose", "service", target.service, options=options)]


def headless_target(facts: Facts, service: str) -> str | None:
    """Name a headless Service as a gRPC target that resolves to every pod; None without a common port."""
    port = facts.target.target_port
    if not isinstance(port, int):
        return None
    return f"dns:///{service}.{facts.target.namespace}.svc.{facts.cluster_domain}:{port}"
