"""Make facts of readings: everything that a Snapshot says about its Service, typed."""

from collections.abc import Sequence

from msgspec import Struct, ValidationError, convert

from kubectl_grpclb.model import facts, kube, rbac
from kubectl_grpclb.model.command import NOT_GIVEN, SourceFlags
from kubectl_grpclb.model.errors import BadSnapshotError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.needs import lost_without
from kubectl_grpclb.model.snapshot import (
    AskChannelz,
    AskEnvoy,
    Exec,
    Get,
    List,
    LookFromNode,
    OpenUp,
    Output,
    Reading,
    Refused,
    Request,
    Scrape,
    Snapshot,
    SnapshotTarget,
)
from kubectl_grpclb.probes.ask import Ask, Via
from kubectl_grpclb.probes.bypassed import bypassed_envoys, without_envoys
from kubectl_grpclb.probes.client_channelz import client_channels
from kubectl_grpclb.probes.clients import read_clients
from kubectl_grpclb.probes.endpoints import Backend, age_of
from kubectl_grpclb.probes.envoys import Sent, requests_to
from kubectl_grpclb.probes.loads import Loads, loads_of
from kubectl_grpclb.probes.lookalikes import declared_ports, ended_pods, lookalikes
from kubectl_grpclb.probes.looks import Views, sockets_of
from kubectl_grpclb.probes.nodes import zones
from kubectl_grpclb.probes.owners import owner_of, replicas_wanted
from kubectl_grpclb.probes.proxies import proxies_of
from kubectl_grpclb.probes.route import Ends, ends_of, request_headless
from kubectl_grpclb.probes.service import read_service, the_service
from kubectl_grpclb.probes.sockets import search_domains
from kubectl_grpclb.probes.tiers import tiers_of
from kubectl_grpclb.probes.usage import autoscaler_of, usage_of
from kubectl_grpclb.probes.uses import uses_of

__all__ = ["ask_of", "derive"]

_DEFAULT_DOMAIN = "cluster.local"


def ask_of(snapshot: Snapshot) -> Ask:
    """Give back what was asked for when the snapshot was taken."""
    target = snapshot.target
    return Ask(
        namespace=target.namespace,
        service=target.service,
        port=target.port,
        window=snapshot.window_seconds,
        cluster_domain=target.cluster_domain,
        via=_via(target.via),
        metrics_port=target.metrics_port,
        prometheus=target.prometheus,
        prometheus_range=target.prometheus_range or 0.0,
        flags=target.flags or NOT_GIVEN,
        source_flags=target.source_flags or _older(target),
    )


def _older(target: SnapshotTarget) -> SourceFlags:
    """Give what a file of before these flags were kept still says of them."""
    port = target.metrics_port
    return SourceFlags(metrics_port=None if port is None else str(port), prometheus=target.prometheus)


def _via(recorded: tuple[str, ...] | None) -> tuple[Via, ...]:
    try:
        return ("auto",) if recorded is None else convert(recorded, tuple[Via, ...])
    except ValidationError as error:
        raise BadSnapshotError(
            f"the snapshot was taken via sources that this version does not know: {error}"
        ) from error


def derive(snapshot: Snapshot) -> facts.Facts:
    """Read a Snapshot. Raises ClusterError or UsageError where it does not hold the Service or its port."""
    ask, readings = ask_of(snapshot), snapshot.readings
    service = read_service(the_service(readings, ask), ask.port)
    ends = ends_of(readings, ask, service)
    views, sent = sockets_of(readings, ask, ends.servers), requests_to(readings, ask, ends.envoys, ends.servers)
    seen = _Seen(zones(readings), usage_of(readings, ask), snapshot.taken_at)
    bypassed = bypassed_envoys(readings, ask, ends)
    every = (
        _pod(server, views[server.name], sent.get(server.name), loads_of(readings, ask, server), seen)
        for server in ends.servers
    )
    pods = tuple(without_envoys(pod, bypassed) for pod in every)
    matching = [server.pod for server in ends.servers if server.pod]
    proxies = {address for envoy in ends.envoys for address in envoy.addresses}
    return facts.Facts(
        target=_target(snapshot, service, ends, pods),
        aim=ask.aim,
        taken_at=snapshot.taken_at,
        window=snapshot.window_seconds,
        service=service,
        pods=pods,
        clients=read_clients(readings, pods, snapshot.taken_at, without=proxies),
        lookalikes=() if matching else lookalikes(readings, ask.namespace, ends.selector),
        named_ports=declared_ports(matching),
        replicas=replicas_wanted(readings),
        refusals=tuple(_refusals(readings, ask, ends, counted=_is_counted(pods))),
        cluster_domain=ask.cluster_domain or _domain(readings, ask) or _DEFAULT_DOMAIN,
        tiers=tiers_of(readings, ask, ends, snapshot.taken_at),
        bundle=ends.bundle,
        ended=() if ends.servers else ended_pods(readings, ask.namespace, ends.selector),
        channels=client_channels(readings, ask, ends.servers),
        proxies=proxies_of(readings, ask, service, ends.servers),
        autoscaler=autoscaler_of(readings, ask, ends.servers),
        sources=uses_of(readings),
        via=ask.via,
        server_version=snapshot.target.server_version,
    )


def _target(snapshot: Snapshot, service: facts.Service, ends: Ends, pods: Sequence[facts.Pod]) -> facts.Target:
    numbers = {pod.target_port for pod in pods if pod.target_port is not None}
    behind = ends.service if isinstance(ends.service, facts.Service) else service
    declared = behind.port.target if behind.port else None
    return facts.Target(
        context=snapshot.target.context,
        namespace=snapshot.target.namespace,
        service=snapshot.target.service,
        port=service.port.number if service.port else None,
        target_port=numbers.pop() if len(numbers) == 1 else declared,
    )


class _Seen(Struct, frozen=True):
    """What is known of all pods together."""

    zones: dict[str, str]
    usage: dict[str, facts.Usage]
    now: str


def _pod(server: Backend, views: Views, sent: Sent | None, loads: Loads, seen: _Seen) -> facts.Pod:
    pod = server.pod
    return facts.Pod(
        name=server.name,
        ip=server.addresses[0] if server.addresses else "",
        target_port=server.target_port,
        ready=server.ready,
        serving=server.serving,
        terminating=server.terminating,
        age=age_of(pod.metadata.creation_timestamp, seen.now) if pod else None,
        node=server.node,
        zone=server.zone or seen.zones.get(server.node or ""),
        owner=owner_of(pod) if pod else None,
        waiting=None if pod is None or server.ready else _waiting(pod),
        sockets=views.best,
        others=views.others,
        requests=None if sent is None else sent.requests,
        request_rate=None if sent is None else sent.rate,
        declares=declared_ports([pod] if pod else []),
        counted=loads.counted,
        silent=loads.silent,
        usage=seen.usage.get(server.name),
    )


def _waiting(pod: kube.Pod) -> str | None:
    if pod.metadata.deletion_timestamp is not None:
        return "Terminating"
    statuses = (*(pod.status.init_container_statuses or ()), *(pod.status.container_statuses or ()))
    for status in statuses:
        if status.state is not None and status.state.waiting is not None and status.state.waiting.reason:
            return status.state.waiting.reason
    conditions = (each for each in pod.status.conditions or () if each.status == "False" and each.reason)
    return next((each.reason for each in conditions), pod.status.reason or pod.status.phase)


def _refusals(readings: Sequence[Reading], ask: Ask, ends: Ends, *, counted: bool) -> list[facts.Refusal]:
    """Give what was refused and is missed; `counted` says whether anybody counted the calls of every ready pod."""
    refused: dict[str, Request] = {}
    for reading in readings:
        request, answer = reading.request, reading.answer
        forbidden = isinstance(answer, Refused) and answer.reason is GapReason.FORBIDDEN
        if forbidden and _is_missed(request, ask, ends, counted=counted):
            where = getattr(request, "namespace", "")
            refused.setdefault(f"{rbac.rule_for(request)} {where}", _in_general(request))
    return [
        facts.Refusal(rbac.describe(request), _consequence(request, ask, ends), rbac.rule_for(request))
        for request in refused.values()
    ]


def _is_counted(pods: Sequence[facts.Pod]) -> bool:
    return all(pod.counted or pod.requests is not None for pod in pods if pod.ready)


def _is_missed(request: Request, ask: Ask, ends: Ends, *, counted: bool) -> bool:
    """Tell whether anybody misses the answer: an exec is told with its pod.

    Where the user left the choice of sources to us, one that may not be asked is missed if no other counts the calls.
    """
    match request:
        case Exec() | OpenUp() | LookFromNode():
            return False
        case AskEnvoy():
            return _is_of_a_fix(request, ask, ends) or "channelz" in ask.via
        case AskChannelz():
            return ask.names("channelz") or request.role == "client" or not counted
        case Scrape():
            return ask.names("metrics") or not counted
        case Get() | List():
            return request.resource not in _OF_AN_OPERATOR or "metrics" in ask.via
        case _:
            return True


_OF_AN_OPERATOR = frozenset({"servicemonitors", "podmonitors"})
"""What most clusters do not have, which is refused as forbidden all the same."""


def _is_of_a_fix(request: AskEnvoy, ask: Ask, ends: Ends) -> bool:
    return any((request.namespace, request.pod) == (ask.namespace, each.name) for each in ends.envoys)


def _consequence(request: Request, ask: Ask, ends: Ends) -> str:
    match request:
        case AskEnvoy():
            if _is_of_a_fix(request, ask, ends):
                return "how many clients are connected to Envoy, and how many requests it sends to each pod, is unknown"
            return "which pods that proxy knows is unknown"
        case AskChannelz() if request.role == "client":
            return "which policy its channels have, and what they share, is unknown"
        case Get() | List():
            if request == request_headless(ask):
                return "whether a fix is in use, and which servers are behind it, is unknown"
            return lost_without(request.resource, "service" if request.namespace else "cluster")
        case _:
            return "this source cannot tell how many calls each pod gets"


def _in_general(request: Request) -> Request:
    return List(resource=request.resource, namespace=request.namespace) if isinstance(request, List) else request


def _domain(readings: Sequence[Reading], ask: Ask) -> str | None:
    """Find the cluster's domain in a pod's DNS search path: `shop.svc.cluster.local svc.cluster.local …`."""
    prefix = f"{ask.namespace}.svc."
    domains = (
        domain
        for reading in readings
        if isinstance(reading.answer, Output)
        for domain in search_domains(reading.answer)
    )
    return next((domain.removeprefix(prefix) for domain in domains if domain.startswith(prefix)), None)
