"""What a report says of the balance, and how likely chance alone is to leave it so."""

from collections.abc import Sequence

from kubectl_grpclb.balance import chance_of_counts, chance_of_loads, effective_pods, max_over_mean
from kubectl_grpclb.model.facts import Connection
from kubectl_grpclb.model.finding import Balance, Signal
from kubectl_grpclb.rules.measure import Measured
from kubectl_grpclb.rules.servers import Server

__all__ = ["ENVOY", "balance_of"]

ENVOY = ("envoy",)
"""Who told, where Envoys of ours counted the requests."""


def balance_of(measured: Measured, servers: Sequence[Server], unread: int, sources: tuple[str, ...]) -> Balance:
    """Say how even a load is; `unread` is of how many ready pods it is not known, `sources` who told it."""
    loads = measured.loads
    if not loads or measured.unclear:
        return Balance(
            signal=None,
            sources=(),
            pods=len(loads) + unread,
            unread=unread,
            idle=None,
            max_over_mean=None,
            effective_pods=None,
            chance=None,
        )
    return Balance(
        signal=measured.signal,
        sources=sources,
        pods=len(loads) + unread,
        unread=unread,
        idle=measured.idle,
        max_over_mean=max_over_mean(loads),
        effective_pods=effective_pods(loads),
        chance=None if unread or not any(loads) else _chance(measured, servers, sources),
    )


def _chance(measured: Measured, servers: Sequence[Server], sources: tuple[str, ...]) -> float | None:
    """Say how often the same connections, placed at random, would leave the pods this unevenly loaded.

    Of calls that is known only where they are counted by connection, and all of them are over these. Requests that
    Envoy spreads are placed one by one.
    """
    if measured.signal == "connections" or sources == ENVOY:
        return chance_of_counts([int(load) for load in measured.loads])
    weights = [[_weight(each, measured.signal) for each in server.sockets.connections] for server in servers]
    known = [[each for each in pod if each is not None] for pod in weights]
    if known != weights or (measured.signal != "bytes" and not _are_all(known, measured.loads)):
        return None
    return chance_of_loads(known)


_OVER_CONNECTIONS = 0.9
"""The part of all calls that must have come over the connections that are there, for these to stand for them."""


def _are_all(weights: Sequence[Sequence[float]], loads: Sequence[float]) -> bool:
    return sum(map(sum, weights)) >= _OVER_CONNECTIONS * sum(loads)


def _weight(connection: Connection, signal: Signal) -> float | None:
    weighed = {"bytes": connection.received or 0, "requests": connection.streams, "streams": connection.messages}
    weight = weighed[signal]
    return None if weight is None else float(weight)
