"""NetworkPolicies and quotas: what may keep a fix from working, read before it begins."""

from msgspec import field

from kubectl_grpclb.model.kube_meta import Fields, Metadata

__all__ = [
    "IPBlock",
    "LabelRequirement",
    "LabelSelector",
    "NetworkPolicy",
    "NetworkPolicySpec",
    "PolicyPeer",
    "PolicyPort",
    "PolicyRule",
    "QuotaSpec",
    "QuotaStatus",
    "ResourceQuota",
    "ScopeRequirement",
    "ScopeSelector",
]


class LabelRequirement(Fields, frozen=True):
    """One expression of a label selector: `In`, `NotIn`, `Exists` or `DoesNotExist`."""

    key: str
    operator: str
    values: tuple[str, ...] | None = None


class LabelSelector(Fields, frozen=True):
    """Everything must hold; an empty one matches all."""

    match_labels: dict[str, str] | None = None
    match_expressions: tuple[LabelRequirement, ...] | None = None


class IPBlock(Fields, frozen=True):
    """Addresses by prefix."""

    cidr: str
    except_: tuple[str, ...] | None = field(name="except", default=None)


class PolicyPeer(Fields, frozen=True):
    """Who is allowed: pods, by their labels and their namespace's, or addresses."""

    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IPBlock | None = None


class PolicyPort(Fields, frozen=True):
    """Which port is allowed; none means all."""

    port: int | str | None = None
    end_port: int | None = None
    protocol: str = "TCP"


class PolicyRule(Fields, frozen=True):
    """Any of the peers on any of the ports; an absent or empty list means all."""

    from_: tuple[PolicyPeer, ...] | None = field(name="from", default=None)
    to: tuple[PolicyPeer, ...] | None = None
    ports: tuple[PolicyPort, ...] | None = None


class NetworkPolicySpec(Fields, frozen=True):
    """Which pods it isolates, in which direction, and what stays allowed."""

    pod_selector: LabelSelector = LabelSelector()
    policy_types: tuple[str, ...] | None = None
    ingress: tuple[PolicyRule, ...] | None = None
    egress: tuple[PolicyRule, ...] | None = None


class NetworkPolicy(Fields, frozen=True, tag_field="kind", tag="NetworkPolicy"):
    """networking.k8s.io/v1 NetworkPolicy."""

    metadata: Metadata
    spec: NetworkPolicySpec = NetworkPolicySpec()


class QuotaStatus(Fields, frozen=True):
    """Limits and what is used of them, as Kubernetes quantities by resource name."""

    hard: dict[str, str] | None = None
    used: dict[str, str] | None = None


class ScopeRequirement(Fields, frozen=True):
    """One expression of a quota's scope selector."""

    scope_name: str
    operator: str
    values: tuple[str, ...] | None = None


class ScopeSelector(Fields, frozen=True):
    """Everything must hold."""

    match_expressions: tuple[ScopeRequirement, ...] | None = None


class QuotaSpec(Fields, frozen=True):
    """Which pods a quota counts; without scopes, all."""

    scopes: tuple[str, ...] | None = None
    scope_selector: ScopeSelector | None = None


class ResourceQuota(Fields, frozen=True, tag_field="kind", tag="ResourceQuota"):
    """core/v1 ResourceQuota."""

    metadata: Metadata
    spec: QuotaSpec = QuotaSpec()
    status: QuotaStatus = QuotaStatus()
