"""Who is connected to a pod: one look at its TCP sockets, or two with a while between them, in one exec.

Every container of a pod shares its sockets, so any container with a shell will do. ss is asked first because
it alone tells how much each connection received, then the kernel's own files, then netstat.
"""

from msgspec import Struct

from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.look import PROC, SS, WIDE
from kubectl_grpclb.model.snapshot import Exec, Output
from kubectl_grpclb.probes._frame import Frame, Look, frame_of
from kubectl_grpclb.probes._listing import PEER, PORT, Addresses, Counters, Ends, Listing, NotUnderstoodError
from kubectl_grpclb.probes._look_script import SCRIPT
from kubectl_grpclb.probes._netstat import CutAddressError, parse_netstat
from kubectl_grpclb.probes._proc import address_of_route, addresses_of_proc, parse_proc
from kubectl_grpclb.probes._spelling import addresses_of
from kubectl_grpclb.probes._ss import parse_ss

__all__ = ["Looks", "Seen", "look_request", "parse_look", "search_domains", "without_tool"]

_SEGMENTS = 1 << 32
"""The kernel counts segments in 32 bits (tcpi_data_segs_in), and begins again at 0."""


class Seen(Struct, frozen=True, gc=False):
    """A connection to a wanted port, established in one of the looks or in both.

    A connection is the same in both looks when its two ends are and it did not receive less than before.
    """

    local: str
    peer: str
    peer_port: int
    lasting: bool = True
    """Seen in both looks; True for every connection of a single look."""
    established: bool = True
    """Seen in the last look."""
    received: int | None = None
    """Bytes received between the looks, or in the connection's life where there was a single look or it is
    younger than the first one; None where the tool does not tell, or the connection was gone."""
    segments: int | None = None
    """TCP segments with data, likewise."""
    streams: int | None = None
    """Calls begun over it, likewise; only channelz tells."""
    open_streams: int | None = None
    held_streams: int | None = None
    messages: int | None = None


class Looks(Struct, frozen=True):
    """What the looks showed."""

    tool: str
    """`ss`, `proc` or `netstat`, or `channelz` where the looks were not at sockets."""
    seen: tuple[Seen, ...]
    """Connections to the wanted ports, those of the last look first."""
    listens_on: tuple[int, ...]
    """TCP ports with a listener that can be reached from outside the pod, in the last look."""
    opened: int | None
    """Connections accepted between the looks, on any port; None with a single look, or where nothing counts."""
    waited: float
    """Seconds between the looks, as the container's shell counts them; 0 means a single look, also where two
    were asked for and nothing in the container could wait."""
    search: tuple[str, ...]
    """The pod's DNS search list."""
    gateway: str | None
    """Where the pod's packets to elsewhere go first; None with a single look, or where nothing says it."""


def look_request(namespace: str, pod: str, container: str, window: float, seconds: float) -> Exec:
    """Ask for two looks `window` seconds apart, or for a single one where that is 0, within `seconds`."""
    wait = f"{max(0.0, window):.3f}".rstrip("0").rstrip(".")
    return Exec(namespace, pod, container, ("sh", "-c", SCRIPT, "grpclb", wait), seconds)


def parse_look(output: Output, ports: frozenset[int]) -> Looks | Gap:
    """Read what the request's command printed; `ports` are those whose connections are wanted.

    Any output is welcome. A look with a line that cannot be understood is a Gap, never a shorter list.
    """
    frame = frame_of(output)
    if isinstance(frame, Gap):
        return frame
    try:
        addresses, first, last = _listings(frame, ports)
    except NotUnderstoodError as error:
        return Gap(GapReason.GARBLED, f"{frame.tool} printed what cannot be understood: {error}")
    except CutAddressError as error:
        return Gap(GapReason.GARBLED, f"netstat cuts IPv6 addresses off, perhaps in {error}")
    return Looks(
        tool=frame.tool.partition("-")[0],
        seen=_single(addresses, last) if first is None else _compared(addresses, first, last),
        listens_on=tuple(sorted(last.listens_on)),
        opened=_opened(frame),
        waited=frame.waited,
        search=frame.search,
        gateway=None if frame.gateway is None else address_of_route(frame.gateway),
    )


def without_tool(output: Output) -> bool:
    """Tell whether the container has no shell or nothing that lists sockets, so that another may do."""
    frame = frame_of(output)
    return isinstance(frame, Gap) and frame.reason is GapReason.NO_SHELL


def search_domains(output: Output) -> tuple[str, ...]:
    """Give the pod's DNS search list; empty where it has none or the output is not a look's."""
    frame = frame_of(output)
    return () if isinstance(frame, Gap) else frame.search


def _listings(frame: Frame, ports: frozenset[int]) -> tuple[Addresses, Listing | None, Listing]:
    ends = Ends()
    first = _listing(frame.tool, frame.first, ports, ends) if frame.first else None
    last = _listing(frame.tool, frame.last, ports, ends)
    return Addresses(ends, addresses_of_proc if frame.tool == PROC else addresses_of), first, last


def _listing(tool: str, look: Look, ports: frozenset[int], ends: Ends) -> Listing:
    if tool == PROC:
        return parse_proc(look.sockets, ports, ends)
    if tool == SS:
        return parse_ss(look.sockets, ports, ends)
    return parse_netstat(look.sockets, ports, ends, wide=tool == WIDE)


def _opened(frame: Frame) -> int | None:
    before = frame.first.accepted if frame.first else None
    after = frame.last.accepted
    return after - before if before is not None and after is not None and after >= before else None


def _single(addresses: Addresses, last: Listing) -> tuple[Seen, ...]:
    local, peer = addresses.locals, addresses.peers  # not through `of`: a call for each takes a tenth more
    return tuple(
        [
            Seen(local[number >> 48], peer[number >> 16 & PEER], number & PORT, True, True, received, segments)
            for number, (received, segments) in last.connections.items()
        ]
    )


def _compared(addresses: Addresses, first: Listing, last: Listing) -> tuple[Seen, ...]:
    seen = []
    earlier, later = first.connections, last.connections
    for number, after in later.items():
        local, peer, port = addresses.of(number)
        growth = _growth(before, after) if (before := earlier.get(number)) else None
        received, segments = growth or after
        seen.append(Seen(local, peer, port, growth is not None, True, received, segments))
    for number, before in earlier.items():
        if number not in later or not _growth(before, later[number]):
            local, peer, port = addresses.of(number)
            seen.append(Seen(local, peer, port, False, False))
    return tuple(seen)


def _growth(before: Counters, after: Counters) -> Counters | None:
    """Give what came between the looks; None where less had come, so that it is another connection."""
    if before is after:
        return after
    received = None if before[0] is None or after[0] is None else after[0] - before[0]
    segments = None if before[1] is None or after[1] is None else (after[1] - before[1]) % _SEGMENTS
    return (received, segments) if received is None or received >= 0 else None
