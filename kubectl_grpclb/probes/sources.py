"""Ask the sources that the user chose, or with `auto` the cheapest that answer, and the next ones for pods still dark.

Calls are asked of metrics, channelz and Prometheus side by side. Connections are asked of channelz, which tells the
calls on each as well; then of a shell in the pod; then, only where the user said so, of a pod of ours on each node
and of an ephemeral container.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import replace

from kubectl_grpclb.model import facts
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.look import LOOK
from kubectl_grpclb.model.snapshot import AskChannelz, Exec, List, Objects, OpenUp, Reading, Refused, Request
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.channelz import request_channelz
from kubectl_grpclb.probes.endpoints import Backend, request_pods
from kubectl_grpclb.probes.looks import dark_of, request_look, request_looks, shows_nothing
from kubectl_grpclb.probes.metrics import request_scrape
from kubectl_grpclb.probes.node import request_node_looks
from kubectl_grpclb.probes.prometheus import request_prometheus

__all__ = ["Asking", "ask_sources", "opened_container", "request_usage"]

Asking = Callable[[str, Sequence[Request]], Awaitable[list[Reading]]]
"""Carries out requests side by side: what they are in a word, and the requests."""

_TRIED = 2
"""How many pods of a kind are asked before the others."""
_FIRST = 4.0
"""Seconds that the first pods of a kind may take to show that it serves channelz: a port may accept and say nothing."""

_UNAVAILING = frozenset({GapReason.NOT_SERVED, GapReason.FORBIDDEN, GapReason.TIMED_OUT, GapReason.GARBLED})


async def ask_sources(carry_out: Asking, readings: Sequence[Reading], ask: Ask, servers: Sequence[Backend]) -> None:
    """Ask everything about the servers; `readings` grows meanwhile."""
    await asyncio.gather(
        _metrics(carry_out, readings, ask, servers),
        _prometheus(carry_out, ask, servers),
        _connections(carry_out, readings, ask, servers),
    )


def request_usage(ask: Ask, service: facts.Service) -> list[List]:
    """Ask for the CPU and memory of the Service's pods, and for the autoscalers beside it."""
    usage = [
        List(resource="podmetrics", namespace=each.namespace, label_selector=each.label_selector)
        for each in request_pods(ask, service)
        if service.selector
    ]
    return [*usage, List(resource="horizontalpodautoscalers", namespace=ask.namespace)] if usage else []


def opened_container(reading: Reading) -> str | None:
    """Name the running container that an OpenUp gave a pod."""
    if not isinstance(reading.request, OpenUp) or not isinstance(reading.answer, Objects):
        return None
    statuses = (
        status
        for pod in reading.answer.items
        for status in getattr(getattr(pod, "status", None), "ephemeral_container_statuses", None) or ()
    )
    running = [each.name for each in statuses if each.state is not None and each.state.running is not None]
    return next((name for name in reversed(running) if name.startswith(LOOK)), None)


async def _metrics(carry_out: Asking, readings: Sequence[Reading], ask: Ask, servers: Sequence[Backend]) -> None:
    if not ask.asks("metrics"):
        return
    scrapes = [scrape for server in servers if (scrape := request_scrape(readings, ask, server)) is not None]
    answers = await carry_out("metrics", scrapes)
    answering = [reading.request for reading in answers if not isinstance(reading.answer, Refused)]
    if ask.window > 0 and answering:
        await asyncio.sleep(ask.window)
        await carry_out("metrics", answering)


async def _prometheus(carry_out: Asking, ask: Ask, servers: Sequence[Backend]) -> None:
    if ask.prometheus is not None:
        await carry_out("Prometheus", request_prometheus(ask, servers))


async def _connections(carry_out: Asking, readings: Sequence[Reading], ask: Ask, servers: Sequence[Backend]) -> None:
    def still_dark(source: str) -> list[Backend]:
        """Those that nobody has shown; with a source that the user named beside nothing automatic, all of them."""
        if source in ask.via and "auto" not in ask.via:
            return list(servers)
        return dark_of(readings, ask, servers)

    if ask.asks("channelz"):
        await _channelz(carry_out, ask, servers)
    if ask.asks("exec") or ask.debug:
        await _exec(carry_out, ask, still_dark("exec"))
    if "node" in ask.via:
        await carry_out(
            "nodes", request_node_looks(ask, still_dark("node"), ask.node_namespace or ask.namespace, ask.debug_image)
        )
    if ask.debug:
        without_shell = {
            reading.request.pod: shows_nothing(reading) for reading in readings if isinstance(reading.request, Exec)
        }
        dark = dark_of(readings, ask, servers)
        await _debug(carry_out, ask, [server for server in dark if without_shell.get(server.name)])


async def _channelz(carry_out: Asking, ask: Ask, servers: Sequence[Backend]) -> None:
    """Ask the pods of one kind only where one of the first two shows that it serves channelz.

    Two, since the one that has all the load may be too slow to answer.
    """
    kinds: defaultdict[str, list[AskChannelz]] = defaultdict(list)
    for server in servers:
        if (request := request_channelz(ask, server)) is not None:
            kinds[_kind_of(server)].append(request)
    await asyncio.gather(*(_channelz_of_kind(carry_out, ask, requests) for requests in kinds.values()))


async def _channelz_of_kind(carry_out: Asking, ask: Ask, requests: Sequence[AskChannelz]) -> None:
    if "channelz" in ask.via:
        await carry_out("channelz", requests)
        return
    first = [replace(request, window=0.0, seconds=_FIRST) for request in requests[:_TRIED]]
    if all(map(_is_unavailing, await carry_out("channelz", first))):
        return
    await carry_out("channelz", requests if ask.window > 0 else requests[_TRIED:])


def _is_unavailing(reading: Reading) -> bool:
    return isinstance(reading.answer, Refused) and reading.answer.reason in _UNAVAILING


def _kind_of(server: Backend) -> str:
    """Give what pods of one template have in common, as a rule their ReplicaSet."""
    owners = (server.pod.metadata.owner_references or ()) if server.pod else ()
    return next((f"{owner.kind}/{owner.name}" for owner in owners if owner.controller), server.name)


async def _exec(carry_out: Asking, ask: Ask, servers: Sequence[Backend]) -> None:
    """Look at each pod's sockets through its first container; where that has no shell, the next one."""
    waiting = {server.name: list(request_looks(ask, server)) for server in servers}
    while requests := {name: left.pop(0) for name, left in waiting.items() if left}:
        answers = await carry_out("sockets", list(requests.values()))
        for name, reading in zip(requests, answers, strict=True):
            if not shows_nothing(reading):
                waiting[name].clear()


async def _debug(carry_out: Asking, ask: Ask, servers: Sequence[Backend]) -> None:
    wanted = [server for server in servers if server.pod is not None and server.target_port is not None]
    answers = await carry_out(
        "containers", [OpenUp(ask.namespace, server.name, LOOK, ask.debug_image) for server in wanted]
    )
    looks = [
        request_look(ask, server.name, container)
        for server, reading in zip(wanted, answers, strict=True)
        if (container := opened_container(reading)) is not None
    ]
    await carry_out("sockets", looks)
