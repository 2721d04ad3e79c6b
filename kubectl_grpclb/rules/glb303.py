"""GLB303: an Envoy of somebody else's sends to the pods themselves, and lacks some of the ready ones."""

from collections.abc import Sequence

from msgspec import Struct

from kubectl_grpclb.model.facts import Facts, Pod, Proxy, ProxyHost
from kubectl_grpclb.model.words import names
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.proxies import carried_by, named
from kubectl_grpclb.rules.rule import Claim, Rule
from kubectl_grpclb.rules.words import connections

_SETTLED = 60.0
"""Seconds after which a proxy should have heard of a pod: a DNS name is asked again every 5 s by default."""


class _Lack(Struct, frozen=True):
    """What one proxy does not know."""

    proxy: Proxy
    missing: tuple[str, ...]

    @property
    def hosts(self) -> list[ProxyHost]:
        """The servers that it knows."""
        return [host for host in self.proxy.hosts if host.pod is not None]


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where a proxy among the clients knows servers, and not all ready pods that have been there for a while."""
    if facts.tiers:
        return ()
    wanted = [pod.name for pod in facts.pods if pod.ready and pod.target_port is not None and _is_settled(pod)]
    lacks = [_lack(proxy, wanted) for proxy in facts.proxies if not proxy.dials_service]
    lacks = [lack for lack in lacks if lack.hosts and lack.missing]
    if not lacks:
        return ()
    return (
        Claim(
            message=_message(lacks, len(wanted)),
            evidence=[said for lack in lacks for said in _said(lack)],
            confidence="high",
            explains=0.9 * carried_by(facts, load, [lack.proxy for lack in lacks]) if load.unbalanced else 0.3,
            severity=None if load.unbalanced else "info",
            remedies=("proxy",),
        ),
    )


def _is_settled(pod: Pod) -> bool:
    return pod.age is None or pod.age >= _SETTLED


def _lack(proxy: Proxy, wanted: Sequence[str]) -> _Lack:
    known = {host.pod for host in proxy.hosts}
    return _Lack(proxy, tuple(name for name in wanted if name not in known))


def _message(lacks: Sequence[_Lack], ready: int) -> str:
    who = names([lack.proxy.name for lack in lacks], at_most=3)
    missing = list(dict.fromkeys(name for lack in lacks for name in lack.missing))
    knows, sends, its = ("does not know", "sends", "its") if len(lacks) == 1 else ("do not know", "send", "their")
    return (
        f"{who} {knows} {len(missing)} of {ready} ready pods ({names(missing, 3)}) and {sends} nothing there. Either "
        f"that is intended, such as a subset by version, or {its} list of hosts is out of date or written by hand: "
        "check "
        "where it comes from, and use the Service's EndpointSlices (EDS) or a headless Service's name (STRICT_DNS)."
    )


def _said(lack: _Lack) -> list[str]:
    return [f"{named(lack.proxy)}: knows {_host(host)} (Envoy's admin interface)" for host in lack.hosts]


def _host(host: ProxyHost) -> str:
    requests = f"{host.requests:,} {'request' if host.requests == 1 else 'requests'} since it has known it"
    unfit = "" if host.healthy else ", does not choose it now"
    return f"{host.pod} at {host.address}:{host.port}, {connections(host.connections)}, {requests}{unfit}"


RULE = Rule(
    code="GLB303",
    title="A proxy in front knows only some of the ready pods",
    severity="warning",
    check=check,
)
