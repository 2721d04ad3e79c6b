"""The problem on one machine: real servers and clients, diagnosed as a Service with pods would be."""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from kubectl_grpclb.cluster.local import LocalCluster
from kubectl_grpclb.flows.diagnose import diagnosed, recorded
from kubectl_grpclb.lab.lab import Lab
from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.probes.ask import Ask

__all__ = ["Act", "demonstrate"]

_SERVERS, _CLIENTS = 3, 2
_WINDOW = 2.0


class Act(Struct, frozen=True):
    """One half of the demonstration: how clients connected, what was diagnosed, and who answered."""

    policy: Literal["pick_first", "round_robin"]
    report: Report
    answered: dict[str, int]
    """Requests that each server answered."""


async def demonstrate(say: Callable[[str], None], show: Callable[[Act], None]) -> None:
    """Run the problem, then the clients' own balancing, and diagnose each. Raises GrpclbError.

    Every process that is started is ended again, also when the demonstration is interrupted.
    """
    say(
        f"1. Starting {_SERVERS} gRPC servers, each on an address of its own, {_CLIENTS} clients with one channel "
        "each, and a balancer that picks a server at random for each connection, as kube-proxy does."
    )
    show(await _act(say, headless=False, policy="pick_first"))
    say(
        "2. The same servers and clients once more, but the clients know every server's address (a headless "
        "Service) and take turns (round_robin)."
    )
    show(await _act(say, headless=True, policy="round_robin"))


async def _act(say: Callable[[str], None], *, headless: bool, policy: Literal["pick_first", "round_robin"]) -> Act:
    async with Lab(servers=_SERVERS, clients=_CLIENTS, headless=headless, policy=policy) as lab:
        await lab.until_answered(50)
        say(f"   Clients call 50 times a second. Diagnosing, with {_WINDOW:.0f} seconds between two looks …")
        ask = Ask(namespace=lab.topology.namespace, service=lab.topology.service, window=_WINDOW)
        snapshot = await recorded(LocalCluster(lab.topology), ask)
        return Act(policy=policy, report=diagnosed(snapshot), answered=lab.answered())
