"""What is concluded: findings, the balance and the report, with the field names of the JSON contract."""

from typing import Literal

from msgspec import Struct

from kubectl_grpclb.model.facts import Target

__all__ = [
    "Balance",
    "ClientRow",
    "Confidence",
    "Finding",
    "PodRow",
    "ProxyHostRow",
    "Report",
    "Severity",
    "Signal",
    "Skipped",
    "SourceRow",
    "TierPodRow",
    "TierRow",
    "Verdict",
]

Severity = Literal["error", "warning", "info"]
Confidence = Literal["high", "medium", "low"]
Verdict = Literal["balanced", "unbalanced", "idle", "inconclusive"]
Signal = Literal["requests", "streams", "bytes", "connections"]


class _Wire(Struct, frozen=True, rename="camel", kw_only=True):
    """Camel case in JSON; a value that could not be read is null, never left out."""


class Balance(_Wire, frozen=True, kw_only=True):
    """How evenly the ready pods are loaded, by the best signal at hand.

    With unread pods the figures are those of the pods that were read. All but `pods` and `unread` are
    None where nothing was measured.
    """

    signal: Signal | None
    pods: int
    """Ready pods."""
    unread: int
    """Ready pods whose load is not known, as they could not be looked into."""
    idle: int | None
    """Ready pods that carry nothing."""
    max_over_mean: float | None
    effective_pods: float | None
    """Jain's index times pods: how many equally loaded pods would do the same."""
    chance: float | None
    """Probability that the same connections, each placed on a pod at random, would have this few
    effective pods or fewer."""
    sources: tuple[str, ...] = ()
    """Who told the signal."""


class PodRow(_Wire, frozen=True, kw_only=True):
    """A server in the report; `gap` says why a value is null."""

    name: str
    ip: str
    target_port: int | None
    ready: bool
    terminating: bool
    age_seconds: int | None
    node: str | None
    zone: str | None
    owner: str | None
    connections: int | None
    lasting: int | None
    """Those of `connections` that were there in both looks."""
    passed: int | None
    """Connections that were there in one look only."""
    requests_per_second: float | None
    """By the source that the balance goes by, else by the first one that tells."""
    open_streams: int | None = None
    """Calls that had begun and not ended at the last look."""
    bytes_per_second: float | None
    """Bytes received from clients, a second."""
    cpu_cores: float | None = None
    memory_bytes: int | None = None
    """Both as the metrics API averages them."""
    share: float | None
    """Of the load of all pods that were read, by the balance's signal; 0 to 1."""
    sources: tuple[str, ...]
    gap: str | None


class ClientRow(_Wire, frozen=True, kw_only=True):
    """A client in the report; `pods` counts the servers that it reaches."""

    ip: str
    namespace: str | None
    name: str
    kind: str
    owner: str | None
    connections: int
    pods: int
    reaches: tuple[str, ...]
    """The names of those servers."""
    requests_per_second: float | None = None
    """Over its connections; None where nothing counts them by connection."""


class ProxyHostRow(_Wire, frozen=True):
    """A server as one proxy knows it."""

    address: str
    pod: str | None
    """Null where no server has the address any more."""
    requests: int
    """Since the proxy knows the server."""
    active_requests: int
    connections: int


class TierPodRow(_Wire, frozen=True):
    """One proxy; `gap` says why `connections` is null."""

    name: str
    ip: str
    ready: bool
    age_seconds: int | None
    node: str | None
    zone: str | None
    connections: int | None
    """Of clients to it."""
    gap: str | None
    hosts: tuple[ProxyHostRow, ...] | None = ()
    """The servers that it knows; null where that could not be read."""


class TierRow(_Wire, frozen=True):
    """A proxy of ours between the Service and the servers."""

    name: str
    """`Deployment/greeter-grpclb-envoy`."""
    kind: str
    """`Envoy`."""
    pods: tuple[TierPodRow, ...]


class SourceRow(_Wire, frozen=True):
    """What one source was asked, and what that cost."""

    source: str
    asked: int
    """Pods, or questions of a source that answers for all of them."""
    answered: int
    requests: int
    seconds: float
    """The longest request, its waiting between two looks included."""
    bytes: int
    """What was kept of the answers."""


class Finding(_Wire, frozen=True):
    """One claim with its evidence and what to do next."""

    code: str
    title: str
    severity: Severity
    confidence: Confidence
    subject: str
    """`Service/shop/greeter` or `Pod/shop/greeter-7c9f…`."""
    message: str
    """Plain words: what is known, and how sure."""
    evidence: tuple[str, ...]
    """What was seen, each with its source."""
    remedies: tuple[str, ...]
    """Names of the cures that fit."""
    next: tuple[str, ...]
    """Commands to copy, the first one first."""
    page: str
    """Where the finding is explained."""


class Skipped(_Wire, frozen=True):
    """A rule that had nothing to go by."""

    code: str
    reason: str


class Report(_Wire, frozen=True, kw_only=True):
    """The outcome of one diagnosis."""

    api_version: Literal["grpclb/v1"] = "grpclb/v1"
    kind: Literal["Report"] = "Report"
    target: Target
    taken_at: str
    window_seconds: float
    verdict: Verdict
    reason: str
    """The verdict in a sentence."""
    balance: Balance
    pods: tuple[PodRow, ...]
    clients: tuple[ClientRow, ...]
    tiers: tuple[TierRow, ...] = ()
    """Empty where the Service leads straight to the servers."""
    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    sources: tuple[SourceRow, ...] = ()
