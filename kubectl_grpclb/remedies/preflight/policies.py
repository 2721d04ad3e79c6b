"""NetworkPolicies as a function: may this pod talk to that one, as far as the policies of one namespace tell."""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Literal

from msgspec import Struct

from kubectl_grpclb.model.kube import IPBlock, LabelSelector, NetworkPolicy, PolicyPeer, PolicyPort, PolicyRule
from kubectl_grpclb.remedies.preflight.selectors import all_of, any_of, matches

__all__ = ["NAMESPACE_NAME", "Direction", "End", "Flow", "allows", "isolating", "may_lead_out", "opens"]

Direction = Literal["Ingress", "Egress"]

NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""The label with its name that the API server puts on every namespace."""


class End(Struct, frozen=True, kw_only=True):
    """One end of a connection."""

    labels: Mapping[str, str] | None
    """A pod's; None where the end is an address that no pod is known to have."""
    namespace: str
    namespace_labels: Mapping[str, str] | None
    """None where only the namespace's name is known."""
    addresses: tuple[str, ...] = ()
    ports: Mapping[str, int] = {}
    """A pod's container ports by name."""


class Flow(Struct, frozen=True):
    """One connection to be made: from the client to the server's port."""

    client: End
    server: End
    port: int
    protocol: str = "TCP"


def isolating(policies: Iterable[NetworkPolicy], end: End, direction: Direction) -> list[NetworkPolicy]:
    """Give the policies that isolate a pod in this direction: what no rule of theirs allows is cut off.

    Without policyTypes a policy isolates for ingress, and for egress where it has such rules
    (networking/v1 NetworkPolicySpec).
    """
    return [
        policy
        for policy in policies
        if direction in _types(policy) and end.labels is not None and matches(policy.spec.pod_selector, end.labels)
    ]


def allows(policies: Sequence[NetworkPolicy], flow: Flow, direction: Direction) -> bool | None:
    """Tell whether the policies that isolate one end let a connection through; None where it cannot be told.

    Policies only ever add to what is allowed, so one rule of one of them is enough; where none isolates the end,
    all is allowed.
    """
    if not policies:
        return True
    return any_of(
        all_of([_covers(rule.ports, flow), _admits(_peers(rule, direction), policy, flow, direction)])
        for policy in policies
        for rule in _rules(policy, direction)
    )


def opens(policies: Iterable[NetworkPolicy], flow: Flow, direction: Direction) -> bool:
    """Tell whether any rule has the connection's port in it, whoever may use it."""
    return any(_covers(rule.ports, flow) for policy in policies for rule in _rules(policy, direction))


def may_lead_out(policies: Iterable[NetworkPolicy], flow: Flow) -> bool:
    """Tell whether any egress rule may be meant for this port of a pod that is somewhere unknown.

    One that names the port may, and one for other namespaces or addresses; one for pods beside it, whatever their
    port, may not.
    """
    return any(
        _covers(rule.ports, flow)
        and (rule.ports or any(peer.ip_block or peer.namespace_selector for peer in rule.to or ()))
        for policy in policies
        for rule in _rules(policy, "Egress")
    )


def _types(policy: NetworkPolicy) -> tuple[str, ...]:
    return policy.spec.policy_types or (("Ingress", "Egress") if policy.spec.egress else ("Ingress",))


def _rules(policy: NetworkPolicy, direction: Direction) -> tuple[PolicyRule, ...]:
    return (policy.spec.ingress if direction == "Ingress" else policy.spec.egress) or ()


def _peers(rule: PolicyRule, direction: Direction) -> tuple[PolicyPeer, ...]:
    return (rule.from_ if direction == "Ingress" else rule.to) or ()


def _covers(ports: tuple[PolicyPort, ...] | None, flow: Flow) -> bool:
    return not ports or any(each.protocol == flow.protocol and _is(each, flow) for each in ports)


def _is(port: PolicyPort, flow: Flow) -> bool:
    if port.port is None:
        return True
    if isinstance(port.port, str):
        return flow.server.ports.get(port.port) == flow.port
    return port.port <= flow.port <= (port.end_port or port.port)


def _admits(peers: Sequence[PolicyPeer], policy: NetworkPolicy, flow: Flow, direction: Direction) -> bool | None:
    other = flow.client if direction == "Ingress" else flow.server
    home = policy.metadata.namespace or (flow.server if direction == "Ingress" else flow.client).namespace
    return True if not peers else any_of(_is_peer(peer, home, other) for peer in peers)


def _is_peer(peer: PolicyPeer, home: str, end: End) -> bool | None:
    if peer.ip_block is not None:
        return _in_block(peer.ip_block, end)
    if end.labels is None or (peer.pod_selector is None and peer.namespace_selector is None):
        return False
    here = end.namespace == home if peer.namespace_selector is None else _in_namespace(peer.namespace_selector, end)
    return all_of([here, True if peer.pod_selector is None else matches(peer.pod_selector, end.labels)])


def _in_namespace(selector: LabelSelector, end: End) -> bool | None:
    known = {**(end.namespace_labels or {}), NAMESPACE_NAME: end.namespace}
    return matches(selector, known, complete=end.namespace_labels is not None)


def _in_block(block: IPBlock, end: End) -> bool | None:
    """For pods an address block decides nothing: some network plug-ins apply it to them, Cilium does not.

    Nor does it for a pod whose address is not known yet.
    """
    if end.labels is not None and not end.addresses:
        return None
    try:
        inside = any(
            _within(address, block.cidr) and not any(_within(address, hole) for hole in block.except_ or ())
            for address in end.addresses
        )
    except ValueError:
        return None
    return None if inside and end.labels is not None else inside


def _within(address: str, block: str) -> bool:
    return ip_address(address) in ip_network(block, strict=False)
