"""How many gRPC calls each pod got, by what a Prometheus server has recorded: what to ask it, and what it says."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import msgspec
from msgspec import Struct

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.addresses import canonical
from kubectl_grpclb.model.facts import Counted
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.prometheus import prometheus_server
from kubectl_grpclb.model.snapshot import Answer, AskPrometheus, Output, Reading, Refused
from kubectl_grpclb.probes._counters import LIBRARIES, SIDECARS, Row
from kubectl_grpclb.probes._promql import LABEL, key_of, queries
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.endpoints import Backend, age_of

__all__ = ["counted_by_prometheus", "prometheus_server", "request_prometheus"]

_LIMIT = 30.0
"""Seconds that one query may take; Prometheus itself gives up after two minutes."""

_INFO = "PromQL info:"
"""How Prometheus before 3 began the warnings that are none, such as of a counter whose name does not end in _total."""

_EXACT = 2.0**53


class _Sample(Struct, frozen=True):
    metric: dict[str, str]
    value: tuple[float, str]


class _Told(Struct, frozen=True):
    """The samples of all answers: those with a pod's name by that, the others by the host that was scraped."""

    by_pod: dict[str, list[_Sample]]
    by_host: dict[str, list[_Sample]]


class _Data(Struct, frozen=True, rename="camel"):
    result_type: str
    result: tuple[_Sample, ...]


class _Said(Struct, frozen=True, rename="camel"):
    """What /api/v1/query answers (prometheus.io/docs/prometheus/latest/querying/api)."""

    status: str
    data: _Data | None = None
    error_type: str = ""
    error: str = ""
    warnings: tuple[str, ...] | None = None


def request_prometheus(ask: Ask, servers: Sequence[Backend]) -> list[AskPrometheus]:
    """Ask for what all the pods' counters grew by over the range; nothing where no server was given."""
    if ask.prometheus is None:
        return []
    return [AskPrometheus(ask.prometheus, query, _LIMIT) for query in queries(ask, servers)]


def counted_by_prometheus(readings: Sequence[Reading], ask: Ask, server: Backend) -> Counted | Gap | None:
    """Say how many calls a pod got within the range, as Prometheus extrapolates it; None where it was not asked.

    One query that failed leaves every pod unknown: what it asked for might have been what counts.
    """
    asked = [
        reading
        for reading in readings
        if isinstance(reading.request, AskPrometheus) and reading.request.server == ask.prometheus
    ]
    if not asked or server.pod is None:
        return None
    told = _told(tuple(reading.answer for reading in asked))
    if isinstance(told, Gap):
        return told
    age = age_of(server.pod.metadata.creation_timestamp, asked[0].at)
    young = age is not None and age < ask.prometheus_range
    values: dict[str, float] = {}
    for sample in _of(server, told, young=young):
        key = sample.metric.get(LABEL, "")
        value = _count(sample.value[1], floor=key.startswith("open "))
        if value is None:
            return Gap(GapReason.GARBLED, f"Prometheus gave no count for {key}")
        # More than one job may scrape the pod, and each has counted everything.
        values[key] = max(value, values.get(key, 0.0))
    return _counted(values, ask.prometheus_range, age if age and young else ask.prometheus_range)


def _counted(values: Mapping[str, float], asked: float, seconds: float) -> Counted | Gap:
    """Make a count of a pod's values; of the seconds asked about it was there for so many."""
    row = _first(LIBRARIES, values) or _first(SIDECARS, values)
    if row is None:
        return Gap(GapReason.NOT_SERVED, f"Prometheus has no known counter of the pod's calls for {asked:g} s")
    return Counted(
        requests=round(values[key_of("requests", row)]),
        seconds=seconds,
        open_streams=_rounded(values.get(key_of("open", row))),
        messages=_rounded(values.get(key_of("messages", row))),
        source="prometheus",
    )


def _first(rows: Sequence[Row], values: Mapping[str, float]) -> Row | None:
    """Give the first row that counted something, else the first that is there."""
    there = [row for row in rows if key_of("requests", row) in values]
    return next((row for row in there if values[key_of("requests", row)] > 0), there[0] if there else None)


def _rounded(value: float | None) -> int | None:
    return None if value is None else round(value)


def _of(server: Backend, told: _Told, *, young: bool) -> Iterator[_Sample]:
    """Give the samples of a server.

    A StatefulSet's pod has the name of the one before it, whose samples have another address.
    """
    again = young and server.pod is not None and _keeps_its_name(server.pod)
    for sample in told.by_pod.get(server.name, ()):
        host = _host(sample)
        if not again or host in server.addresses or not _is_address(host):
            yield sample
    for address in server.addresses:
        yield from told.by_host.get(address, ())


def _keeps_its_name(pod: kube.Pod) -> bool:
    return any(owner.kind == "StatefulSet" for owner in pod.metadata.owner_references or ())


def _host(sample: _Sample) -> str:
    host = sample.metric.get("instance", "").rpartition(":")[0]
    return canonical(host.removeprefix("[").removesuffix("]"))


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def _count(text: str, *, floor: bool) -> float | None:
    """Read a count; streams may be seen to end before they are seen to begin, so that fewer than none are open."""
    try:
        value = float(text)
    except ValueError:
        return None
    value = max(value, 0.0) if floor and value >= -_EXACT else value
    return value if math.isfinite(value) and 0 <= value <= _EXACT else None


@lru_cache(maxsize=1)
def _told(answers: tuple[Answer, ...]) -> _Told | Gap:
    """Read all answers, once for all the pods."""
    told = _Told({}, {})
    for answer in answers:
        samples = _samples(answer)
        if isinstance(samples, Gap):
            return samples
        for sample in samples:
            pod = sample.metric.get("pod")
            known = told.by_pod.setdefault(pod, []) if pod else told.by_host.setdefault(_host(sample), [])
            known.append(sample)
    return told


def _samples(answer: Answer) -> Sequence[_Sample] | Gap:
    if isinstance(answer, Refused):
        return Gap(answer.reason, answer.message)
    if not isinstance(answer, Output):
        return Gap(GapReason.GARBLED, "the query was not answered by a Prometheus server")
    if answer.gap is not None:
        return Gap(answer.gap, answer.detail)
    try:
        said = msgspec.json.decode(answer.stdout.raw(), type=_Said)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        start = answer.stdout.raw()[:200].decode("utf-8", "replace").strip()
        code = f" (HTTP {answer.exit_code})" if answer.exit_code else ""
        return Gap(GapReason.GARBLED, f"this is no answer of a Prometheus server{code}: {start!r}")
    return _data(said, answer.exit_code)


def _data(said: _Said, code: int | None) -> Sequence[_Sample] | Gap:
    if said.status != "success" or said.data is None or code:
        reason = GapReason.TIMED_OUT if said.error_type in {"timeout", "canceled"} else GapReason.NOT_SERVED
        return Gap(reason, f"Prometheus refused the query: {said.error or said.error_type or f'HTTP {code}'}")
    warnings = [each for each in said.warnings or () if not each.startswith(_INFO)]
    if warnings:
        return Gap(GapReason.DIED, f"Prometheus gave a part of the answer only: {warnings[0]}")
    if said.data.result_type != "vector":
        return Gap(GapReason.GARBLED, f"Prometheus answered with a {said.data.result_type}")
    return said.data.result
