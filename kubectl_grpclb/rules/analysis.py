"""Turn facts into a report: weigh the load, ask every rule, put the finding that explains most first."""

from collections.abc import Sequence

from kubectl_grpclb.model.facts import Client, Facts, Pod, PodSockets, ProxyHost, SourceUse, Tier, TierPod
from kubectl_grpclb.model.finding import (
    ClientRow,
    Finding,
    PodRow,
    ProxyHostRow,
    Report,
    Severity,
    Skipped,
    SourceRow,
    TierPodRow,
    TierRow,
)
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.rules.assess import Assessment, assess
from kubectl_grpclb.rules.rule import Claim, NothingToGoBy, Rule

__all__ = ["analyse"]

_COUNTS_BYTES = "ss"
"""The only tool that counts a connection's bytes; without it a pod without connections is not measured either."""

_WEIGHT: dict[Severity, int] = {"error": 0, "warning": 0, "info": 1}
"""Errors and warnings are ordered by what they explain; notes come after them."""


def analyse(facts: Facts, rules: Sequence[Rule]) -> Report:
    """Apply the rules. Pure: the same facts give the same report."""
    load = assess(facts)
    claims: list[tuple[Claim, Finding]] = []
    skipped: list[Skipped] = []
    for rule in rules:
        outcome = rule.check(facts, load)
        if isinstance(outcome, NothingToGoBy):
            skipped.append(Skipped(code=rule.code, reason=outcome.reason))
        else:
            claims += [(claim, _finding(rule, claim, facts)) for claim in outcome]
    claims.sort(key=lambda pair: (_WEIGHT[pair[1].severity], -pair[0].explains, pair[1].code))
    return Report(
        target=facts.target,
        taken_at=facts.taken_at,
        window_seconds=facts.window,
        verdict=load.verdict,
        reason=load.reason,
        balance=load.balance,
        pods=_pod_rows(facts, load),
        clients=tuple(map(_client_row, facts.clients)),
        tiers=tuple(map(_tier_row, facts.tiers)),
        findings=tuple(finding for _, finding in claims),
        skipped=tuple(skipped),
        sources=tuple(map(_source_row, facts.sources)),
    )


def _finding(rule: Rule, claim: Claim, facts: Facts) -> Finding:
    target = facts.target
    return Finding(
        code=rule.code,
        title=rule.title,
        severity=claim.severity or rule.severity,
        confidence=claim.confidence,
        subject=claim.subject or f"Service/{target.namespace}/{target.service}",
        message=claim.message,
        evidence=tuple(claim.evidence),
        remedies=tuple(claim.remedies),
        next=tuple(claim.next),
        page=f"kubectl grpclb explain {rule.code}",
    )


def _pod_rows(facts: Facts, load: Assessment) -> tuple[PodRow, ...]:
    total = sum(load.loads.values())
    return tuple(_pod_row(pod, load, load.loads.get(pod.name), total) for pod in facts.pods)


def _pod_row(pod: Pod, load: Assessment, weight: float | None, total: float) -> PodRow:
    sockets = pod.sockets
    seen = None if isinstance(sockets, Gap) else sockets
    return PodRow(
        name=pod.name,
        ip=pod.ip,
        target_port=pod.target_port,
        ready=pod.ready,
        terminating=pod.terminating,
        age_seconds=None if pod.age is None else int(pod.age),
        node=pod.node,
        zone=pod.zone,
        owner=pod.owner,
        connections=None if seen is None else len(seen.connections),
        lasting=None if seen is None else sum(connection.lasting for connection in seen.connections),
        passed=None if seen is None else seen.passed,
        requests_per_second=_request_rate(pod, load),
        open_streams=next((each.open_streams for each in pod.counted if each.open_streams is not None), None),
        bytes_per_second=None if seen is None else _rate(seen),
        cpu_cores=None if pod.usage is None else pod.usage.cpu,
        memory_bytes=None if pod.usage is None else pod.usage.memory,
        share=weight / total if weight is not None and total else None,
        sources=_sources(pod),
        gap=_words(sockets) if isinstance(sockets, Gap) else None,
    )


def _sources(pod: Pod) -> tuple[str, ...]:
    looked = () if isinstance(pod.sockets, Gap) else (pod.sockets.tool, *(each.tool for each in pod.others))
    counted = (each.source for each in pod.counted)
    return tuple(dict.fromkeys((*looked, *counted, *(() if pod.requests is None else ("envoy",)))))


def _request_rate(pod: Pod, load: Assessment) -> float | None:
    """Give what Envoy sent, else what the balance's source counted, else the first that tells."""
    if pod.request_rate is not None:
        return pod.request_rate
    ordered = sorted(pod.counted, key=lambda each: each.source not in load.balance.sources)
    return next((each.rate for each in ordered if each.rate is not None), None)


def _rate(seen: PodSockets) -> float | None:
    received = [connection.received for connection in seen.connections]
    if not seen.waited or seen.tool != _COUNTS_BYTES or None in received:
        return None
    return sum(count for count in received if count is not None) / seen.waited


def _words(gap: Gap) -> str:
    return f"{gap.reason}: {gap.detail}" if gap.detail else str(gap.reason)


def _tier_row(tier: Tier) -> TierRow:
    return TierRow(name=tier.name, kind=tier.kind, pods=tuple(map(_tier_pod_row, tier.pods)))


def _tier_pod_row(pod: TierPod) -> TierPodRow:
    return TierPodRow(
        name=pod.name,
        ip=pod.ip,
        ready=pod.ready,
        age_seconds=None if pod.age is None else int(pod.age),
        node=pod.node,
        zone=pod.zone,
        connections=None if isinstance(pod.connections, Gap) else pod.connections,
        gap=_words(pod.connections) if isinstance(pod.connections, Gap) else None,
        hosts=None if isinstance(pod.hosts, Gap) else tuple(map(_proxy_host_row, pod.hosts)),
    )


def _proxy_host_row(host: ProxyHost) -> ProxyHostRow:
    return ProxyHostRow(
        address=host.address,
        pod=host.pod,
        requests=host.requests,
        active_requests=host.active_requests,
        connections=host.connections,
    )


def _source_row(use: SourceUse) -> SourceRow:
    return SourceRow(
        source=use.source,
        asked=use.asked,
        answered=use.answered,
        requests=use.requests,
        seconds=use.seconds,
        bytes=use.bytes,
    )


def _client_row(client: Client) -> ClientRow:
    return ClientRow(
        ip=client.ip,
        namespace=client.namespace,
        name=client.name,
        kind=client.kind,
        owner=client.owner,
        connections=client.connections,
        pods=len(client.pods),
        reaches=client.pods,
        requests_per_second=client.request_rate,
    )
