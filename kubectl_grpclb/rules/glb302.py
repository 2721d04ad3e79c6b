"""GLB302: an Envoy of somebody else's sends to the Service's own address, so that it balances nothing."""

from collections.abc import Sequence

from kubectl_grpclb.model.facts import Facts, Proxy, ProxyHost
from kubectl_grpclb.model.words import names
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.proxies import carried_by, named
from kubectl_grpclb.rules.rule import Claim, Rule
from kubectl_grpclb.rules.words import connections, expose_headless, headless_target


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where a proxy among the clients is connected to the Service's own address, and there are pods to choose."""
    if facts.tiers or load.balance.pods < 2:
        return ()
    dialling = [proxy for proxy in facts.proxies if any(map(_is_used, _own(proxy)))]
    if not dialling:
        return ()
    return (
        Claim(
            message=_message(facts, load, dialling),
            evidence=[_said(proxy, host) for proxy in dialling for host in _own(proxy)],
            confidence="high",
            explains=carried_by(facts, load, dialling) if load.unbalanced else 0.3,
            severity=None if load.unbalanced else "info",
            remedies=("proxy",),
            next=expose_headless(facts),
        ),
    )


def _own(proxy: Proxy) -> list[ProxyHost]:
    """Give the Service's own addresses among the proxy's hosts."""
    return [host for host in proxy.hosts if host.pod is None]


def _is_used(host: ProxyHost) -> bool:
    return bool(host.connections or host.requests)


def _message(facts: Facts, load: Assessment, dialling: Sequence[Proxy]) -> str:
    who = names([proxy.name for proxy in dialling], at_most=3)
    sends, its, it = ("sends", "its", "it") if len(dialling) == 1 else ("send", "their", "them")
    target = headless_target(facts, f"{facts.target.service}-headless")
    name = f", {target.removeprefix('dns:///')}" if target else ""
    return (
        f"{who} {sends} to the Service's own address and not to its {load.balance.pods} pods, so there is only one "
        f"host to choose from: kube-proxy places {its} connections, each at random, and every call over one goes to "
        f"the same pod. Give {it} the pods: a headless Service{name} with STRICT_DNS and ROUND_ROBIN, EDS, or the "
        "endpoint mode of an ingress controller."
    )


def _said(proxy: Proxy, host: ProxyHost) -> str:
    calls = f"{host.requests:,} {'request' if host.requests == 1 else 'requests'} since it has known it"
    return (
        f"{named(proxy)}: its host {host.address}:{host.port} is the Service's own address; "
        f"{connections(host.connections)} to it, {calls} (Envoy's admin interface)"
    )


RULE = Rule(
    code="GLB302",
    title="A proxy in front dials the Service, not its pods",
    severity="error",
    check=check,
)
