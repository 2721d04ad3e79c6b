"""What one or two expositions of a pod's metrics say about its gRPC calls."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

from kubectl_grpclb.model.facts import Counted
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.probes._counters import LIBRARIES, SIDECARS, Row, is_internal, is_streaming

__all__ = ["Exposed", "count", "parse"]

Labels = tuple[tuple[str, str], ...]
Series = Mapping[Labels, float]
Keeps = Callable[[Mapping[str, str]], bool]

_SAMPLE = re.compile(r'([^\s{]+\s*(?:\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?)\s*(\S+)')
"""A sample's series and its value; a time stamp or an exemplar may follow."""

_EXACT = 2.0**53
"""The largest count that a float, which Prometheus counts with, holds exactly."""

_NOTHING: Series = {}


class Exposed(Struct, frozen=True):
    """The wanted samples, by the metric's name and the labels."""

    samples: Mapping[str, Series]
    declared: frozenset[str]
    """Metrics of which a TYPE is given, with or without samples."""

    def has(self, metric: str) -> bool:
        """Whether the metric is offered at all."""
        return metric in self.samples or metric in self.declared


def parse(text: bytes) -> Exposed | Gap:
    """Read the lines that were kept of an exposition (Prometheus text format 0.0.4)."""
    samples: dict[str, dict[Labels, float]] = {}
    declared = set()
    for line in text.decode("utf-8", "replace").split("\n"):
        if line.startswith("#"):
            declared.update(line.split(" ")[2:3])
        elif line.strip():
            sample = _sample(line)
            if sample is None:
                return Gap(GapReason.GARBLED, f"this is no count: {line.strip()[:200]!r}")
            name, labels, value = sample
            if labels in samples.setdefault(name, {}):
                return Gap(GapReason.GARBLED, f"this is given twice: {line.strip()[:200]!r}")
            samples[name][labels] = value
    return Exposed(samples, frozenset(declared))


def count(first: Exposed | None, last: Exposed, seconds: float, port: int | None) -> Counted | Gap:
    """Say what was called between two expositions so many seconds apart, or ever where there is one only."""
    row = _chosen(last, port)
    if row is None:
        return Gap(GapReason.NOT_SERVED, "the metrics have no known counter of gRPC calls")
    if first is not None and not first.has(row.metric):
        return Gap(GapReason.GARBLED, f"{row.metric} was not among the metrics at first")
    grown = _grown(row.metric, first, last, _keeps(row, port))
    if isinstance(grown, Gap):
        return grown
    return Counted(
        requests=grown,
        seconds=0.0 if first is None else seconds,
        open_streams=_open(row, last),
        messages=_messages(row, first, last),
        source="metrics",
    )


@lru_cache(maxsize=65536)
def _sample(line: str) -> tuple[str, Labels, float] | None:
    """Read one line. The pods of a Service have the same series, most of them at 0, so most lines are read once."""
    match = _SAMPLE.match(line)
    series = _series(match[1]) if match else None
    value = _count(match[2]) if match else None
    return None if series is None or value is None else (*series, value)


@lru_cache(maxsize=65536)
def _series(text: str) -> tuple[str, Labels] | None:
    """Take `name{label="value"}` apart."""
    from prometheus_client.parser import text_string_to_metric_families

    try:
        families = list(text_string_to_metric_families(f"{text} 0\n"))
        (sample,) = families[0].samples
    except (ValueError, IndexError, KeyError):
        return None
    return sample.name, tuple(sorted(sample.labels.items()))


def _count(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value <= _EXACT else None


def _chosen(exposed: Exposed, port: int | None) -> Row | None:
    return _first(LIBRARIES, exposed, port) or _first(SIDECARS, exposed, port)


def _first(rows: Sequence[Row], exposed: Exposed, port: int | None) -> Row | None:
    """Give the first row that counted something, else the first that is there."""
    there = [row for row in rows if _is_there(row, exposed, port)]
    busy = (row for row in there if _total(exposed.samples.get(row.metric, _NOTHING), _keeps(row, port)) > 0)
    return next(busy, there[0] if there else None)


def _is_there(row: Row, exposed: Exposed, port: int | None) -> bool:
    if not row.only:
        return exposed.has(row.metric)
    return any(_applies(row, dict(labels), port) for labels in exposed.samples.get(row.metric, _NOTHING))


def _applies(row: Row, labels: Mapping[str, str], port: int | None) -> bool:
    if not all(labels.get(label, "").startswith(beginning) for label, beginning in row.only):
        return False
    return not row.address or re.findall(r"\d+", labels.get(row.address, ""))[-1:] == [str(port)]


def _keeps(row: Row, port: int | None) -> Keeps:
    return lambda labels: _applies(row, labels, port) and not is_internal(labels.get(row.service, ""))


def _streams(row: Row) -> Keeps:
    return lambda labels: is_streaming(labels.get(row.kind, "")) and not is_internal(labels.get(row.service, ""))


def _total(series: Series, keeps: Keeps) -> float:
    return sum(value for labels, value in series.items() if keeps(dict(labels)))


def _grown(metric: str, first: Exposed | None, last: Exposed, keeps: Keeps) -> int | Gap:
    """Add up by how much the series grew; one that is new began at 0, as libraries make them when they are needed.

    One that was at 0 may be left out later, as those of many methods are.
    """
    after = last.samples.get(metric, _NOTHING)
    if first is None:
        return round(_total(after, keeps))
    before = first.samples.get(metric, _NOTHING)
    if any(after.get(labels, 0.0) < value for labels, value in before.items()):
        return Gap(GapReason.DIED, f"{metric} began anew within the window, as when the process restarts")
    return round(_total(after, keeps) - _total(before, keeps))


def _open(row: Row, last: Exposed) -> int | None:
    """Count the streaming calls that began and have not ended; ends may have been counted a moment later."""
    began = last.samples.get(row.metric, _NOTHING)
    if not (row.ended and last.has(row.ended) and _typed(began, row.kind)):
        return None
    ended = _total(last.samples.get(row.ended, _NOTHING), _streams(row))
    return max(0, round(_total(began, _streams(row)) - ended))


def _messages(row: Row, first: Exposed | None, last: Exposed) -> int | None:
    if not (row.received and _typed(last.samples.get(row.received, _NOTHING), row.kind)):
        return None
    if first is not None and not first.has(row.received):
        return None
    grown = _grown(row.received, first, last, _streams(row))
    return None if isinstance(grown, Gap) else grown


def _typed(series: Iterable[Labels], kind: str) -> bool:
    return any(label == kind for labels in series for label, _ in labels)
