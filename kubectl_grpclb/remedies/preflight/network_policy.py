"""NetworkPolicies that would cut the way through Envoy: from clients to it, from it to servers, DNS and its like."""

from collections.abc import Iterable, Sequence

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.kube import NetworkPolicy
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.model.words import names
from kubectl_grpclb.remedies.preflight.ends import (
    client_pods,
    dns_servers,
    envoy,
    own_labels,
    server_ends,
    strangers,
)
from kubectl_grpclb.remedies.preflight.intent import Intent
from kubectl_grpclb.remedies.preflight.policies import (
    Direction,
    End,
    Flow,
    allows,
    isolating,
    may_lead_out,
    opens,
)
from kubectl_grpclb.remedies.preflight.policy_rules import envoys, from_clients, in_namespace, on_port, to_envoy
from kubectl_grpclb.remedies.words import flow, labels

__all__ = ["check"]

_NAME = "network-policy"
_DNS_PORTS = (53, 5353)
"""Policies see the port of the DNS pods: 53, and 5353 on OpenShift."""


def check(facts: Facts, around: Surroundings, intent: Intent) -> Iterable[Check]:
    """Follow every connection that the cut-over brings about through the policies of the namespace."""
    if isinstance(around.policies, Gap):
        return [_unread(facts, around.policies)]
    return [
        *_into_envoy(facts, around, intent, around.policies),
        *_out_of_clients(facts, around, intent, around.policies),
        *_into_servers(facts, around, intent, around.policies),
        *_out_to_servers(facts, around, intent, around.policies),
        *_among_envoys(facts, around, intent, around.policies),
        *_out_to_dns(facts, around, intent, around.policies),
        *_unguarded(facts, around, intent, around.policies),
    ]


def _unread(facts: Facts, gap: Gap) -> Check:
    return _warn(
        f"The NetworkPolicies of the namespace could not be read ({gap.detail or gap.reason}), so whether clients "
        "may reach Envoy, and Envoy the servers, is not known.",
        "Ask for the right to list networkpolicies.networking.k8s.io, or look yourself: "
        + facts.aim.kubectl("get", "networkpolicy"),
    )


def _into_envoy(
    facts: Facts, around: Surroundings, intent: Intent, policies: Sequence[NetworkPolicy]
) -> Iterable[Check]:
    proxy, port = envoy(facts, around, intent), intent.grpc_port(facts)
    isolates = isolating(policies, proxy, "Ingress")
    if not isolates or port is None or intent.own_policy:
        return
    clients = client_pods(facts, around)
    let_in = {name: allows(isolates, Flow(end, proxy, port), "Ingress") for name, end in clients}
    by_address = {client.name: allows(isolates, Flow(end, proxy, port), "Ingress") for client, end in strangers(facts)}
    shut = [name for name, verdict in let_in.items() if verdict is False]
    doubtful = [name for name, verdict in let_in.items() if verdict is None]
    doubtful += [name for name, verdict in by_address.items() if verdict is not True]
    do = (
        f"Add a NetworkPolicy that selects {labels(intent.bundle.envoy_pods)} with this ingress rule, or run fix with "
        f"--network-policy, which lets everybody in on Envoy's ports: {from_clients(clients, facts, intent, port)}"
    )
    nobody = Flow(End(labels=None, namespace="", namespace_labels=None), proxy, port)
    if shut:
        yield _refuse(
            f"{_policies(isolates)} would isolate Envoy's pods, and no rule lets {names(shut)} in on port {port}: "
            "after the cut-over these clients would reach nobody.",
            do,
        )
    elif not opens(isolates, nobody, "Ingress"):
        yield _refuse(
            f"{_policies(isolates)} would isolate Envoy's pods, and no rule lets anybody in on port {port}.", do
        )
    if doubtful or not (clients or by_address):
        who = names(doubtful) if doubtful else "clients, of which none is connected now,"
        yield _warn(
            f"{_policies(isolates)} would isolate Envoy's pods, and whether {who} may come in on port {port} cannot "
            "be told from here: it hangs on labels of other namespaces or on address blocks.",
            do,
        )


def _out_of_clients(
    facts: Facts, around: Surroundings, intent: Intent, policies: Sequence[NetworkPolicy]
) -> Iterable[Check]:
    """Clients that may only talk to the servers' labels could not talk to Envoy."""
    proxy, port = envoy(facts, around, intent), intent.grpc_port(facts)
    if port is None:
        return
    home = [(name, end) for name, end in client_pods(facts, around) if end.namespace == facts.target.namespace]
    isolates = {name: isolating(policies, end, "Egress") for name, end in home}
    let_out = {name: allows(isolates[name], Flow(end, proxy, port), "Egress") for name, end in home}
    shut = [name for name, verdict in let_out.items() if verdict is False]
    rule = flow({"to": [envoys(intent)], "ports": [on_port(port)]})
    if shut:
        yield _refuse(
            f"{_isolated(shut)} for egress by {_policies(isolates[shut[0]])}, and no rule allows Envoy's pods on port "
            f"{port}: after the cut-over there would be nobody to reach.",
            f"Add this egress rule to a policy that selects these clients: {rule}",
        )
    away = sorted({end.namespace for _, end in client_pods(facts, around)} - {facts.target.namespace})
    if away and policies:
        yield _warn(
            f"Clients are in {names(away)} too, and policies there were not read. One that allows egress only to the "
            "servers' labels would cut these clients off, since they connect to Envoy's pods from now on.",
            f"Look with {facts.aim.kubectl('get', 'networkpolicy', namespace=away[0])}; such a policy needs this "
            f"egress rule: {flow(to_envoy(facts, intent, port))}",
        )


def _into_servers(
    facts: Facts, around: Surroundings, intent: Intent, policies: Sequence[NetworkPolicy]
) -> Iterable[Check]:
    proxy = envoy(facts, around, intent)
    servers = server_ends(facts, around)
    verdicts = [
        (name, port, isolates, allows(isolates, Flow(proxy, end, port), "Ingress"))
        for name, end, port in servers
        if (isolates := isolating(policies, end, "Ingress"))
    ]
    yield from _between(verdicts, intent, "Ingress")


def _out_to_servers(
    facts: Facts, around: Surroundings, intent: Intent, policies: Sequence[NetworkPolicy]
) -> Iterable[Check]:
    proxy = envoy(facts, around, intent)
    isolates = isolating(policies, proxy, "Egress")
    verdicts = [
        (name, port, isolates, allows(isolates, Flow(proxy, end, port), "Egress"))
        for name, end, port in server_ends(facts, around)
        if isolates
    ]
    yield from _between(verdicts, intent, "Egress", own_labels(end for _, end, _ in server_ends(facts, around)))


def _between(
    verdicts: Sequence[tuple[str, int, list[NetworkPolicy], bool | None]],
    intent: Intent,
    direction: Direction,
    servers: Sequence[dict[str, str]] = (),
) -> Iterable[Check]:
    """Say what keeps Envoy from the servers, at their end (ingress) or at its own (egress)."""
    for verdict in (False, None):
        found = [each for each in verdicts if each[3] is verdict]
        if not found:
            continue
        _, port, isolates, _ = found[0]
        who = names([name for name, *_ in found])
        if direction == "Ingress":
            seen = f"{_isolated([name for name, *_ in found])} for ingress by {_policies(isolates)}"
            rule = {"from": [envoys(intent)], "ports": [on_port(port)]}
            do = f"Add this ingress rule to a policy that selects the servers: {flow(rule)}"
        else:
            seen = f"{_policies(isolates)} would isolate Envoy's pods for egress"
            rule = {"to": [{"podSelector": {"matchLabels": each}} for each in servers[:3]], "ports": [on_port(port)]}
            do = f"Add a NetworkPolicy that selects {labels(intent.bundle.envoy_pods)} with this rule: {flow(rule)}"
        if verdict is False:
            yield _refuse(f"{seen}, and no rule lets Envoy reach {who} on port {port}.", do)
        else:
            yield _warn(f"{seen}, and whether Envoy may reach {who} on port {port} cannot be told.", do)


def _among_envoys(
    facts: Facts, around: Surroundings, intent: Intent, policies: Sequence[NetworkPolicy]
) -> Iterable[Check]:
    """Follow the proof: from each Envoy through the Service to any other. Nothing can keep it from itself."""
    proxy, port = envoy(facts, around, intent), intent.grpc_port(facts)
    if port is None:
        return
    ends: tuple[tuple[Direction, str], ...] = (("Ingress", "from"), ("Egress", "to"))
    for direction, peer in ends:
        isolates = [] if direction == "Ingress" and intent.own_policy else isolating(policies, proxy, direction)
        verdict, way = allows(isolates, Flow(proxy, proxy, port), direction), direction.lower()
        rule = flow({peer: [envoys(intent)], "ports": [on_port(port)]})
        do = f"Add a NetworkPolicy that selects {labels(intent.bundle.envoy_pods)} with this {way} rule: {rule}"
        seen = f"{_policies(isolates)} would isolate Envoy's pods for {way}"
        proof = "the calls through the Service with which each of them proves the cut-over"
        if verdict is False:
            yield _refuse(
                f"{seen}, and no rule lets Envoy's pods reach each other on port {port}: {proof} would fail, and the "
                "cut-over be taken back.",
                do,
            )
        elif verdict is None:
            yield _warn(f"{seen}, and whether they may reach each other on port {port} cannot be told: {proof} do.", do)


def _out_to_dns(
    facts: Facts, around: Surroundings, intent: Intent, policies: Sequence[NetworkPolicy]
) -> Iterable[Check]:
    """Without DNS Envoy knows no server. Answers that do not fit into UDP come over TCP."""
    proxy = envoy(facts, around, intent)
    isolates = isolating(policies, proxy, "Egress")
    if not isolates:
        return
    rule = flow(
        {"to": [in_namespace("kube-system")], "ports": [{"port": 53, "protocol": each} for each in ("UDP", "TCP")]}
    )
    do = f"Add a NetworkPolicy that selects {labels(intent.bundle.envoy_pods)} with this egress rule: {rule}"
    udp, tcp = (_reaches_dns(isolates, proxy, protocol) for protocol in ("UDP", "TCP"))
    if udp is False:
        yield _refuse(
            f"{_policies(isolates)} would isolate Envoy's pods for egress, and no rule lets them ask DNS (port 53): "
            "Envoy would not find a single server.",
            do,
        )
    elif udp is None:
        yield _warn(
            f"{_policies(isolates)} would isolate Envoy's pods for egress; some DNS is allowed, but whether that is "
            "the cluster's cannot be told. Without it Envoy finds no server.",
            do,
        )
    elif tcp is False:
        yield _warn(
            f"{_policies(isolates)} would let Envoy ask DNS over UDP only. The addresses of some dozens of servers do "
            "not fit into one such answer, and Envoy would miss servers.",
            do,
        )


def _reaches_dns(isolates: Sequence[NetworkPolicy], proxy: End, protocol: str) -> bool | None:
    verdict = allows(isolates, Flow(proxy, dns_servers(), 53, protocol), "Egress")
    elsewhere = (Flow(proxy, dns_servers(), port, protocol) for port in _DNS_PORTS)
    if verdict is False and any(may_lead_out(isolates, each) for each in elsewhere):
        return None
    return verdict


def _unguarded(
    facts: Facts, around: Surroundings, intent: Intent, policies: Sequence[NetworkPolicy]
) -> Iterable[Check]:
    """Warn where a policy guards the servers and nothing guards the way through Envoy."""
    proxy = envoy(facts, around, intent)
    guards = [policy for _, end, _ in server_ends(facts, around)[:1] for policy in isolating(policies, end, "Ingress")]
    if guards and (intent.own_policy or not isolating(policies, proxy, "Ingress")):
        yield _warn(
            f"Who may connect to the servers is restricted by {_policies(guards)}, but nothing restricts who may "
            "connect to Envoy's pods: anybody may reach the servers through Envoy.",
            f"Give Envoy's pods ({labels(intent.bundle.envoy_pods)}) a NetworkPolicy with the same ingress rules.",
        )


def _policies(policies: Sequence[NetworkPolicy]) -> str:
    return names([f"NetworkPolicy {policy.metadata.name}" for policy in policies], at_most=3)


def _isolated(pods: Sequence[str]) -> str:
    return f"{names(pods)} {'is' if len(pods) == 1 else 'are'} isolated"


def _refuse(message: str, do: str) -> Check:
    return Check(level="refuse", name=_NAME, message=message, do=do)


def _warn(message: str, do: str) -> Check:
    return Check(level="warn", name=_NAME, message=message, do=do)
