"""Read everything that one diagnosis needs, concurrently, into a Snapshot."""

import asyncio
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import partial

from kubectl_grpclb import __version__
from kubectl_grpclb.cluster.port import Cluster
from kubectl_grpclb.model import facts, kube, rbac
from kubectl_grpclb.model.errors import ClusterError, NotPermittedError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import (
    Get,
    List,
    Objects,
    Reading,
    Refused,
    Request,
    Snapshot,
    SnapshotTarget,
    schema_for,
)
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.probes.ask import Ask, Observer, found, quiet
from kubectl_grpclb.probes.client_channelz import request_client_channelz
from kubectl_grpclb.probes.clients import known_addresses, request_clients, request_own_namespace
from kubectl_grpclb.probes.endpoints import Backend, request_pods, request_slices
from kubectl_grpclb.probes.envoys import ask_envoy
from kubectl_grpclb.probes.looks import peers_of
from kubectl_grpclb.probes.metrics import request_monitors
from kubectl_grpclb.probes.nodes import addresses_of_nodes, request_nodes
from kubectl_grpclb.probes.owners import request_deployments, request_owners
from kubectl_grpclb.probes.proxies import ask_proxies
from kubectl_grpclb.probes.route import Ends, ends_of, request_behind, request_headless
from kubectl_grpclb.probes.service import read_service, request_service, the_service
from kubectl_grpclb.probes.sources import ask_sources, request_usage

__all__ = ["gather"]


async def gather(cluster: Cluster, ask: Ask, observe: Observer = quiet) -> Snapshot:
    """Read the Service, its endpoints, their sockets and who their clients are.

    Raises ClusterError where the Service or what it leads to cannot be read, UsageError where the port
    cannot be told. Everything else that fails is kept as an answer.
    """
    reader = _Reader(cluster, observe)
    first: list[Request] = [request_service(ask), request_slices(ask), request_nodes(), request_headless(ask)]
    first += request_monitors(ask) if ask.asks("metrics") else []
    await reader.ask("Service", first)
    await _require(cluster, ask, reader.readings)
    service = read_service(the_service(reader.readings, ask), ask.port)
    await reader.ask("pods", [*request_pods(ask, service), *request_behind(reader.readings, ask, service)])
    _permitted(reader.readings)
    ends = ends_of(reader.readings, ask, service)
    version, _ = await asyncio.gather(
        cluster.version(),  # beside what takes longest, over a connection that is there already
        asyncio.gather(
            ask_sources(reader.ask, reader.readings, ask, ends.servers),
            reader.ask("usage", request_usage(ask, _of_servers(service, ends)) if ask.asks("metrics") else []),
            *(ask_envoy(ask, envoy, partial(reader.ask, "Envoy")) for envoy in ends.envoys),
            _owners(reader, [server.pod for server in ends.servers if server.pod]),
            _surroundings(reader, ask, ends),
        ),
    )
    await _clients(reader, ask, ends.servers)
    await asyncio.gather(
        reader.ask("clients' channelz", request_client_channelz(reader.readings, ask, ends.servers)),
        _proxies(reader, ask, ends),
    )
    return Snapshot(
        schema=schema_for(reader.readings),
        tool=f"kubectl-grpclb {__version__}",
        target=SnapshotTarget(
            cluster.context,
            ask.namespace,
            ask.service,
            ask.port,
            ask.cluster_domain,
            None if ask.via == ("auto",) else ask.via,
            ask.metrics_port,
            ask.prometheus,
            None if ask.prometheus is None else ask.prometheus_range,
            version,
        ),
        taken_at=reader.readings[0].at,
        window_seconds=ask.window,
        readings=tuple(reader.readings),
    )


class _Reader:
    """Carries out requests side by side and keeps the readings in the order of the requests."""

    def __init__(self, cluster: Cluster, observe: Observer) -> None:
        self._cluster = cluster
        self._observe = observe
        self.readings: list[Reading] = []

    async def ask(self, what: str, requests: Sequence[Request]) -> list[Reading]:
        done = 0

        async def one(request: Request) -> Reading:
            nonlocal done
            reading = await self._cluster.read(request)
            done += 1
            self._observe(what, done, len(requests))
            return reading

        answers = await asyncio.gather(*map(one, requests))
        self.readings.extend(answers)
        return answers


def _of_servers(service: facts.Service, ends: Ends) -> facts.Service:
    """Give the Service that selects the servers: behind the Envoys of a fix the headless one."""
    return ends.service if isinstance(ends.service, facts.Service) else service


async def _owners(reader: _Reader, pods: Iterable[kube.Pod]) -> None:
    replica_sets = await reader.ask("owners", request_owners(pods))
    await reader.ask("owners", request_deployments(replica_sets))


async def _surroundings(reader: _Reader, ask: Ask, ends: Ends) -> None:
    """Where nothing matches the selector, see what nearly does."""
    if ends.selector and not ends.servers:
        await reader.ask("pods", [request_own_namespace(ask)])


async def _clients(reader: _Reader, ask: Ask, servers: Sequence[Backend]) -> None:
    """Find the pods behind the peers' addresses; where other namespaces may not be read, in the Service's."""
    peers = peers_of(reader.readings, ask, servers)
    unknown = sorted(peers - known_addresses(reader.readings).keys() - addresses_of_nodes(reader.readings).keys())
    answers = await reader.ask("clients", request_clients(unknown))
    if any(isinstance(reading.answer, Refused) for reading in answers):
        await reader.ask("clients", [request_own_namespace(ask)])


async def _proxies(reader: _Reader, ask: Ask, ends: Ends) -> None:
    """Ask Envoys of others what they send here; once the Service leads to ours, it no longer matters how."""
    if ends.bundle != "in use":
        await ask_proxies(reader.readings, ask, ends.servers, partial(reader.ask, "proxies"))


async def _require(cluster: Cluster, ask: Ask, readings: Sequence[Reading]) -> None:
    for reading in readings:
        answer = reading.answer
        if not isinstance(answer, Refused) or not _names_service(reading.request, ask):
            continue
        if answer.status == 404 and isinstance(reading.request, Get):
            raise await _not_found(cluster, ask)
        raise _refusal(reading.request, answer)


def _permitted(readings: Sequence[Reading]) -> None:
    for reading in readings:
        request, answer = reading.request, reading.answer
        if isinstance(answer, Refused) and isinstance(request, List) and request.resource in {"pods", "endpointslices"}:
            raise _refusal(request, answer)


def _names_service(request: Request, ask: Ask) -> bool:
    """Tell whether nothing can be said without it; that there is no headless Service of a fix is the rule."""
    if not isinstance(request, Get | List) or request == request_headless(ask):
        return False
    return request.resource in {"services", "endpointslices"}


def _refusal(request: Request, answer: Refused) -> ClusterError:
    what = rbac.describe(request)
    if answer.reason is GapReason.FORBIDDEN:
        return NotPermittedError(
            f"not permitted to {what}: {printable(answer.message)}\n"
            f"A role with this rule would allow it: {rbac.rule_for(request)}"
        )
    return ClusterError(f"could not {what}: {printable(answer.message)}")


async def _not_found(cluster: Cluster, ask: Ask) -> ClusterError:
    services, namespaces = await asyncio.gather(
        cluster.read(List(resource="services", namespace=ask.namespace)),
        cluster.read(List(resource="namespaces")),
    )
    known = [namespace.metadata.name for namespace in found([namespaces], "namespaces", kube.Namespace)]
    if isinstance(namespaces.answer, Objects) and ask.namespace not in known:
        return ClusterError(f'namespace "{printable(ask.namespace)}" does not exist{_nearest(ask.namespace, known)}')
    names = [service.metadata.name for service in found([services], "services", kube.Service)]
    return ClusterError(
        f'Service "{printable(ask.service)}" does not exist in namespace "{printable(ask.namespace)}"'
        f"{_nearest(ask.service, names)}"
    )


def _nearest(name: str, names: Sequence[str]) -> str:
    near = get_close_matches(name, names, n=3, cutoff=0.5) or (list(names) if len(names) <= 5 else [])
    return f"; did you mean {' or '.join(printable(each) for each in near)}?" if near else ""
