"""Which signal tells the pods' load, and what it says.

Of a Service that leads straight to its pods: calls where a source counts them (`calls.py`), else bytes, else
connections that last, else those that pass. Behind Envoys of ours `behind.py` chooses, since Envoys' own connections
say nothing.
"""

from collections.abc import Sequence
from itertools import zip_longest

from msgspec import Struct
from msgspec.structs import replace

from kubectl_grpclb.balance import is_uneven, most_effective, uneven_beyond_chance
from kubectl_grpclb.model.facts import PodSockets
from kubectl_grpclb.model.finding import Confidence, Signal
from kubectl_grpclb.rules.passing import passing_of

__all__ = ["Measured", "by_bytes", "by_connections", "by_requests", "by_streams", "measure"]

_EVENTS_A_POD = 10
"""So many events a ready pod are enough to judge an even split by; below it the next signal is used."""
_UNEVEN_EVENTS = 0.01
"""An even split would be as uneven as this more rarely, so that chance does not explain it."""
_ENOUGH = 0.8
_CALLS_A_SECOND = 20.0
"""What a channel that lasts is taken to carry where nothing counts its calls. A connection that comes and goes carries
a call or a few, so that more of them a second beside each channel may carry as much as the channels do."""


class Measured(Struct, frozen=True):
    """The load of each pod that was read, by one signal."""

    signal: Signal
    loads: tuple[float, ...]
    """Requests, bytes or connections, a pod."""
    confidence: Confidence
    """How sure the signal lets anybody be: connections say where load can go, not where it goes."""
    uneven: bool
    """Fewer effective pods than 80% of them; of events, also more uneven than an even split is by chance."""
    churning: bool = False
    """Connections come and go, and none of them lasts."""
    enough: bool = True
    """Enough of those that come and go were seen to say where they land."""
    unplaced: int = 0
    """Connections that the pods accepted, where few to the target port were seen and other ports may have had them."""
    what: str = ""
    """What the loads are, in words that fit more closely than the signal's."""
    lasting: int = 0
    """Connections that last, of all pods."""
    beside: int = 0
    """Connections that came and went meanwhile, where they are so many that they may carry more; else 0."""
    outnumbered: bool = False
    """More connections came and went meanwhile than last, though not so many that they may carry more."""
    meanwhile: tuple[int, ...] = ()
    """What else came to each pod, where the loads are connections that last: connections that do not, and calls."""

    @property
    def unclear(self) -> bool:
        """The loads are not what the pods carry: too few were seen, or other connections may carry more elsewhere."""
        too_few = self.signal == "requests" and not self.enough
        return too_few or self.unplaced > 0 or (self.uneven and self.beside > 0)

    @property
    def of_calls(self) -> bool:
        """The loads are calls, or messages in them, which a source counts and no look at sockets shows."""
        return self.signal in {"requests", "streams"}

    @property
    def idle(self) -> int:
        """Pods that carry nothing, and to which nothing else came, either."""
        return sum(not load and not other for load, other in zip_longest(self.loads, self.meanwhile, fillvalue=0))

    def stays_uneven(self, unread: int) -> bool:
        """Say whether load is uneven, and would be whatever so many unread pods hold."""
        if self.churning or not self.uneven:
            return False
        return not unread or most_effective(self.loads, unread) < _ENOUGH * (len(self.loads) + unread)


def measure(read: Sequence[PodSockets]) -> Measured:
    """Take bytes where every connection's are known and enough segments were seen, else connections.

    Where any pod could be looked at only once, its connections are not known to last.
    """
    lasting = [sum(connection.lasting for connection in sockets.connections) for sockets in read]
    if any(lasting):
        return _with_passing(by_bytes(read) or by_connections(lasting), read, sum(lasting))
    if not read or not all(sockets.waited for sockets in read):
        return by_connections(lasting)
    return _passing(read)


def by_requests(counts: Sequence[int], confidence: Confidence, what: str = "the requests") -> Measured | None:
    """Compare how many requests each pod got; None where they are too few.

    A single pod has whatever there is, so one request is enough.
    """
    return _by_events("requests", counts, confidence, what)


def by_streams(messages: Sequence[int], confidence: Confidence) -> Measured | None:
    """Compare how many messages each pod received in streams that stay open; None where they are too few."""
    return _by_events("streams", messages, confidence, "the messages in open streams")


def _by_events(signal: Signal, counts: Sequence[int], confidence: Confidence, what: str) -> Measured | None:
    enough = 1 if len(counts) == 1 else _EVENTS_A_POD * len(counts)
    if not counts or sum(counts) < enough:
        return None
    loads = tuple(map(float, counts))
    uneven = is_uneven(loads) and uneven_beyond_chance(counts) < _UNEVEN_EVENTS
    return Measured(signal, loads, confidence, uneven, what=what)


def by_bytes(read: Sequence[PodSockets]) -> Measured | None:
    """Compare the bytes of windows; None where any are not known, or too few came.

    What a single look gives is the bytes of lives: they tell which connections are old, and not where the load is.
    """
    events = [count for sockets in read if sockets.waited and (count := _events(sockets)) is not None]
    if len(events) < len(read) or sum(events) < _EVENTS_A_POD * len(read):
        return None
    lasting = [sum(connection.lasting for connection in sockets.connections) for sockets in read]
    loads = tuple(float(sum(connection.received or 0 for connection in sockets.connections)) for sockets in read)
    uneven = is_uneven(loads) and uneven_beyond_chance(events) < _UNEVEN_EVENTS
    # A burst over connections that are spread evenly may be over in a moment.
    agreed = uneven == is_uneven([float(count) for count in lasting])
    return Measured("bytes", loads, "high" if agreed else "medium", uneven)


def by_connections(lasting: Sequence[int]) -> Measured:
    """Compare how many lasting connections each pod holds."""
    loads = tuple(map(float, lasting))
    return Measured("connections", loads, "medium", bool(loads) and is_uneven(loads))


def _with_passing(measured: Measured, read: Sequence[PodSockets], lasting: int) -> Measured:
    """Set what lasts against what comes and goes meanwhile, which may carry more: then it makes nobody sure.

    It may be so, too, where a look caught a connection that does not last, and how many more there were is not known.
    """
    passing = passing_of(read)
    came, seconds = sum(passing.counts), max(sockets.waited for sockets in read)
    known = replace(measured, lasting=lasting)
    most = came + passing.unplaced if came else 0
    if most <= lasting or most < _EVENTS_A_POD * len(read):
        return known
    less: Confidence = "medium" if measured.signal == "bytes" else "low"
    if came <= lasting or came < _EVENTS_A_POD * len(read):
        return replace(known, confidence=less)
    drowns = came > _CALLS_A_SECOND * lasting * seconds
    return replace(known, outnumbered=True, beside=came if drowns else 0, confidence=less)


def _passing(read: Sequence[PodSockets]) -> Measured:
    passing = passing_of(read)
    loads = tuple(map(float, passing.counts))
    enough = sum(loads) >= _EVENTS_A_POD * len(read)
    return Measured(
        signal="connections",
        loads=loads,
        confidence="low",
        uneven=is_uneven(loads) and uneven_beyond_chance(passing.counts) < _UNEVEN_EVENTS,
        churning=any(loads),
        enough=enough,
        unplaced=0 if enough else passing.unplaced,
    )


def _events(sockets: PodSockets) -> int | None:
    segments = [connection.segments for connection in sockets.connections]
    return None if None in segments else sum(count for count in segments if count is not None)
