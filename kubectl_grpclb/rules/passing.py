"""Connections that come and go: how many of them each pod had, and whether they came to the port at all."""

from collections.abc import Sequence

from msgspec import Struct

from kubectl_grpclb.model.facts import PodSockets

__all__ = ["Passing", "are_more_than_strays", "passing_of"]

_STRAYS = 3
_STRAYS_A_POD = 2
"""Connections accepted during the window that a scrape or a look of somebody else's may explain."""


class Passing(Struct, frozen=True):
    """Connections during the window that do not last."""

    counts: tuple[int, ...]
    """Those to the target port, a pod: accepted ones where every pod counts them, else those seen in one look only."""
    unplaced: int = 0
    """Accepted connections that may have been to the target port or to others, more than strays explain."""


def passing_of(read: Sequence[PodSockets]) -> Passing:
    """Count the passing connections of pods that were looked at twice.

    The kernel counts what a pod accepts on all of its ports together. So the count tells of the target port only where
    the pods listen on no other one, also where a look caught a connection to it.
    """
    seen = tuple(sockets.passed for sockets in read)
    accepted = [count for sockets in read if (count := _accepted(sockets)) is not None]
    few = sum(accepted) <= _strays(len(read))
    if len(accepted) == len(read) and all(map(_has_no_other_port, read)):
        return Passing(seen if few and not any(seen) else tuple(map(max, accepted, seen)))
    return Passing(seen, unplaced=0 if few else sum(accepted))


def are_more_than_strays(read: Sequence[PodSockets]) -> bool:
    """Tell whether more connections came and went than a scrape or a look of somebody else's may explain."""
    passing = passing_of(read)
    return sum(passing.counts) + passing.unplaced > _strays(len(read))


def _strays(pods: int) -> int:
    return max(_STRAYS, _STRAYS_A_POD * pods)


def _accepted(sockets: PodSockets) -> int | None:
    """Give what the pod accepted; where nothing listens on the target port, none of that was to it."""
    return 0 if sockets.listening is False else sockets.opened


def _has_no_other_port(sockets: PodSockets) -> bool:
    return sockets.listening is False or len(sockets.listens_on) <= 1
