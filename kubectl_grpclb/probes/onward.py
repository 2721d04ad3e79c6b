"""Where the Service leads: its pods, what they tell, and who their clients are.

`probes.gather` imports this, and with it every source, when the first requests have left.
"""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial

from kubectl_grpclb.cluster.port import Cluster
from kubectl_grpclb.model import facts, kube
from kubectl_grpclb.model.snapshot import Refused
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.client_channelz import request_client_channelz
from kubectl_grpclb.probes.clients import (
    known_addresses,
    request_clients,
    request_own_namespace,
    request_second_addresses,
)
from kubectl_grpclb.probes.endpoints import Backend, request_pods
from kubectl_grpclb.probes.envoys import ask_envoy
from kubectl_grpclb.probes.looks import peers_of
from kubectl_grpclb.probes.nodes import addresses_of_nodes
from kubectl_grpclb.probes.owners import request_deployments, request_owners
from kubectl_grpclb.probes.proxies import ask_proxies
from kubectl_grpclb.probes.reader import Reader
from kubectl_grpclb.probes.required import require_pods
from kubectl_grpclb.probes.route import Ends, ends_of, request_behind
from kubectl_grpclb.probes.service import read_service, the_service
from kubectl_grpclb.probes.sources import ask_sources, request_usage

__all__ = ["read_onward"]


async def read_onward(cluster: Cluster, reader: Reader, ask: Ask) -> str | None:
    """Read on from the Service and its EndpointSlices; give the API server's version, None where it does not tell.

    Raises ClusterError where the pods cannot be read, UsageError where the port cannot be told.
    """
    service = read_service(the_service(reader.readings, ask), ask.port)
    await reader.ask("pods", [*request_pods(ask, service), *request_behind(reader.readings, ask, service)])
    require_pods(reader.readings)
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
    return version


def _of_servers(service: facts.Service, ends: Ends) -> facts.Service:
    """Give the Service that selects the servers: behind the Envoys of a fix the headless one."""
    return ends.service if isinstance(ends.service, facts.Service) else service


async def _owners(reader: Reader, pods: Iterable[kube.Pod]) -> None:
    replica_sets = await reader.ask("owners", request_owners(pods))
    await reader.ask("owners", request_deployments(replica_sets))


async def _surroundings(reader: Reader, ask: Ask, ends: Ends) -> None:
    """Where nothing matches the selector, see what nearly does."""
    if ends.selector and not ends.servers:
        await reader.ask("pods", [request_own_namespace(ask)])


async def _clients(reader: Reader, ask: Ask, servers: Sequence[Backend]) -> None:
    """Find the pods behind the peers' addresses; where other namespaces may not be read, in the Service's."""
    peers = peers_of(reader.readings, ask, servers)
    unknown = sorted(peers - known_addresses(reader.readings).keys() - addresses_of_nodes(reader.readings).keys())
    answers = await reader.ask("clients", request_clients(unknown))
    if any(isinstance(reading.answer, Refused) for reading in answers):
        await reader.ask("clients", [request_own_namespace(ask)])
    else:
        await reader.ask("clients", request_second_addresses(answers, servers))


async def _proxies(reader: Reader, ask: Ask, ends: Ends) -> None:
    """Ask Envoys of others what they send here; once the Service leads to ours, it no longer matters how."""
    if ends.bundle != "in use":
        await ask_proxies(reader.readings, ask, ends.servers, partial(reader.ask, "proxies"))
