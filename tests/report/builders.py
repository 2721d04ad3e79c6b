"""Reports as they come out of diagnoses, put together by hand."""

from collections.abc import Sequence
from itertools import cycle, islice

from kubectl_grpclb.model.facts import Target
from kubectl_grpclb.model.finding import (
    Balance,
    ClientRow,
    Finding,
    PodRow,
    ProxyHostRow,
    Report,
    Signal,
    Skipped,
    TierPodRow,
    TierRow,
    Verdict,
)

CODES_OF_PODS = ("x2x9k", "b8v4z", "k7p2m", "4x2kp", "zq6tn", "hd5wl", "9rfcs", "m6j8v", "tt2bq", "c5nxg")
NO_SHELL = "no-shell: no container of the pod has a shell or a tool that lists sockets"
DENIED = (
    'forbidden: pods "{}" is forbidden: User "dana" cannot create resource '
    '"pods/exec" in API group "" in the namespace "shop"'
)
TIMED_OUT = "timed-out: no complete answer came within 10 s"


def target(**changed: object) -> Target:
    values = {
        "context": "kind-shop",
        "namespace": "shop",
        "service": "greeter",
        "port": 80,
        "target_port": 50051,
    }
    return Target(**{**values, **changed})  # type: ignore[arg-type] # a test names the fields it changes


def pod(name: str = "greeter-7c9f8d5b6-x2x9k", **changed: object) -> PodRow:
    values: dict[str, object] = {
        "name": name,
        "ip": "10.244.1.17",
        "target_port": 50051,
        "ready": True,
        "terminating": False,
        "age_seconds": 320,
        "node": "worker-1",
        "zone": "eu-west-1a",
        "owner": "Deployment/greeter",
        "connections": 0,
        "lasting": changed.get("connections", 0),
        "passed": 0,
        "requests_per_second": None,
        "bytes_per_second": None,
        "share": 0.0,
        "sources": ("ss",),
        "gap": None,
    }
    return PodRow(**{**values, **changed})  # type: ignore[arg-type] # a test names the fields it changes


def unread(name: str, gap: str = NO_SHELL, **changed: object) -> PodRow:
    nothing: dict[str, object] = {
        "connections": None,
        "lasting": None,
        "passed": None,
        "share": None,
        "sources": (),
        "gap": gap,
    }
    return pod(name, **{**nothing, **changed})


def pods(connections: Sequence[int], **changed: object) -> tuple[PodRow, ...]:
    total = sum(connections)
    names = [f"greeter-7c9f8d5b6-{code}" for code in codes(len(connections))]
    return tuple(
        pod(
            name,
            **{
                "ip": f"10.244.{1 + place % 3}.{17 + place // 3}",
                "node": f"worker-{1 + place % 3}",
                "zone": "eu-west-1" + "abc"[place % 3],
                "connections": held,
                "share": held / total if total else None,
                **changed,
            },
        )
        for place, (name, held) in enumerate(zip(names, connections, strict=True))
    )


def codes(count: int) -> list[str]:
    """Suffixes as ReplicaSets give them, all different."""
    letters = "bcdfghjklmnpqrstvwxz"
    fresh = (f"{a}{b}7{c}{d}" for a in letters for b in letters for c, d in zip(letters, letters[3:], strict=False))
    return [*CODES_OF_PODS, *islice(fresh, max(0, count - len(CODES_OF_PODS)))][:count]


def client(name: str = "caller-6d5b8c9f4-w7l2h", **changed: object) -> ClientRow:
    values: dict[str, object] = {
        "ip": "10.244.2.31",
        "namespace": "shop",
        "name": name,
        "kind": "Pod",
        "owner": "Deployment/caller",
        "connections": 1,
        "pods": 1,
        "reaches": ("greeter-7c9f8d5b6-x2x9k",),
    }
    return ClientRow(**{**values, **changed})  # type: ignore[arg-type] # a test names the fields it changes


def clients(count: int) -> tuple[ClientRow, ...]:
    owners = cycle(["cart", "checkout", "search"])
    return tuple(
        client(f"{owner}-6d5b8c9f4-{code}", ip=f"10.244.3.{9 + place}", owner=f"Deployment/{owner}")
        for place, (owner, code) in enumerate(zip(owners, codes(count), strict=False))
    )


def envoy(name: str = "greeter-grpclb-envoy-6b7f9c8d4-e1e1e", **changed: object) -> TierPodRow:
    values: dict[str, object] = {
        "name": name,
        "ip": "10.244.2.31",
        "ready": True,
        "age_seconds": 320,
        "node": "worker-1",
        "zone": "eu-west-1a",
        "connections": 1,
        "gap": None,
    }
    return TierPodRow(**{**values, **changed})  # type: ignore[arg-type] # a test names the fields it changes


def proxy_host(server: PodRow) -> ProxyHostRow:
    """As an Envoy knows a server."""
    return ProxyHostRow(server.ip, server.name, requests=167, active_requests=1, connections=2)


def tier(*envoys: TierPodRow) -> TierRow:
    return TierRow(name="Deployment/greeter-grpclb-envoy", kind="Envoy", pods=envoys)


def finding(code: str = "GLB101", **changed: object) -> Finding:
    values: dict[str, object] = {
        "code": code,
        "title": "Connections stick to a few pods behind a Service with a cluster address",
        "severity": "error",
        "confidence": "high",
        "subject": "Service/shop/greeter",
        "message": "The load sticks.",
        "evidence": (),
        "remedies": ("envoy", "round-robin"),
        "next": (),
        "page": f"https://kubectl-grpclb.dev/rules/{code}",
    }
    return Finding(**{**values, **changed})  # type: ignore[arg-type] # a test names the fields it changes


def balance(**changed: object) -> Balance:
    values: dict[str, object] = {
        "signal": "connections",
        "pods": 3,
        "unread": 0,
        "idle": 0,
        "max_over_mean": 1.0,
        "effective_pods": 3.0,
        "chance": 1.0,
    }
    return Balance(**{**values, **changed})  # type: ignore[arg-type] # a test names the fields it changes


def nothing_measured(pods: int) -> Balance:
    return balance(
        signal=None,
        pods=pods,
        unread=pods,
        idle=None,
        max_over_mean=None,
        effective_pods=None,
        chance=None,
    )


def weighed(connections: Sequence[float], chance: float | None, signal: Signal = "connections") -> Balance:
    total, squares = sum(connections), sum(held * held for held in connections)
    return balance(
        signal=signal,
        pods=len(connections),
        idle=sum(not held for held in connections),
        max_over_mean=max(connections) * len(connections) / total,
        effective_pods=total * total / squares,
        chance=chance,
    )


def report(verdict: Verdict = "balanced", **changed: object) -> Report:
    values: dict[str, object] = {
        "target": target(),
        "taken_at": "2026-11-23T03:12:45Z",
        "window_seconds": 5.0,
        "verdict": verdict,
        "reason": "the connections are spread over 3 ready pods, which do the work of 3.0",
        "balance": balance(),
        "pods": (),
        "clients": (),
        "findings": (),
        "skipped": (),
    }
    return Report(**{**values, **changed})  # type: ignore[arg-type] # a test names the fields it changes


def skipped(code: str, reason: str) -> Skipped:
    return Skipped(code=code, reason=reason)
