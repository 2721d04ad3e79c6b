"""How many gRPC calls each pod got, by its own Prometheus metrics: where to read them, and what they say."""

from collections.abc import Sequence

from kubectl_grpclb.model.facts import Counted
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Output, Reading, Refused, Scrape
from kubectl_grpclb.probes._counters import WANTED
from kubectl_grpclb.probes._exposition import Exposed, count, parse
from kubectl_grpclb.probes._targets import Target, port_of, targets
from kubectl_grpclb.probes.ask import Ask, between
from kubectl_grpclb.probes.endpoints import Backend, runs

__all__ = ["counted_by_metrics", "request_scrape"]

_LIMIT = 10.0
"""Seconds that one pod's metrics may take, as with Prometheus by default."""

_NOWHERE = "nothing says where its metrics are: no annotation, no monitor, and no port with a known name"


def request_scrape(readings: Sequence[Reading], ask: Ask, server: Backend) -> Scrape | None:
    """Ask for a pod's metrics where they are said to be; None where nothing says, or nothing runs."""
    if not ask.asks("metrics") or server.pod is None or not runs(server):
        return None
    target = _target(readings, ask, server)
    if target is None:
        return None
    path = ask.metrics_path or target.path
    return Scrape(ask.namespace, server.name, target.port, path, WANTED, _LIMIT, target.scheme)


def counted_by_metrics(readings: Sequence[Reading], ask: Ask, server: Backend) -> Counted | Gap | None:
    """Say how many calls a pod got between its first scrape and its last, or ever where there was one.

    None where its metrics were not asked for, and the user did not name them either.
    """
    asked = _asked(readings, ask, server)
    if not asked:
        return _unasked(readings, ask, server)
    first, last = asked[0], asked[-1]
    after = _exposed(last)
    if isinstance(after, Gap):
        return after
    if first is last or ask.window <= 0:
        return count(None, after, 0.0, server.target_port)
    before = _exposed(first)
    if isinstance(before, Gap):
        return before
    return count(before, after, between(first, last) or ask.window, server.target_port)


def _target(readings: Sequence[Reading], ask: Ask, server: Backend) -> Target | None:
    if server.pod is None:
        return None
    if ask.metrics_port is None:
        return next(targets(readings, ask, server.pod), None)
    port = port_of(server.pod, ask.metrics_port)
    return None if port is None else Target(port)


def _unasked(readings: Sequence[Reading], ask: Ask, server: Backend) -> Gap | None:
    """Say why metrics were not read where the user named them, or a port that the pod lacks."""
    pod, port = server.pod, ask.metrics_port
    if pod is not None and port is not None and ask.asks("metrics") and port_of(pod, port) is None:
        return Gap(GapReason.NOT_SERVED, f"no container of the pod declares a port {port!r}")
    if not ask.names("metrics"):
        return None
    if pod is None:
        return Gap(GapReason.NOT_A_POD, "the endpoint is no pod of this cluster")
    if not runs(server):
        return Gap(GapReason.UNREAD, "no container of the pod is running")
    if _target(readings, ask, server) is None:
        return Gap(GapReason.NOT_SERVED, _NOWHERE)
    return Gap(GapReason.UNREAD, "its metrics were not read")


def _asked(readings: Sequence[Reading], ask: Ask, server: Backend) -> list[Reading]:
    """Give the scrapes of the pod that are like the last one."""
    asked = [
        reading
        for reading in readings
        if isinstance(reading.request, Scrape)
        and (reading.request.namespace, reading.request.pod) == (ask.namespace, server.name)
    ]
    return [reading for reading in asked if reading.request == asked[-1].request]


def _exposed(reading: Reading) -> Exposed | Gap:
    answer = reading.answer
    if isinstance(answer, Refused):
        return Gap(answer.reason, answer.message)
    if not isinstance(answer, Output):
        return Gap(GapReason.GARBLED, "the request for metrics was not answered with metrics")
    if answer.gap is not None:
        return Gap(answer.gap, answer.detail)
    if answer.exit_code:
        return Gap(GapReason.NOT_SERVED, f"the pod answered HTTP {answer.exit_code}")
    return parse(answer.stdout.raw())
