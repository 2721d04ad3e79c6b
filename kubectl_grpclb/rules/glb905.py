"""GLB905: a source that the user asked for, by name or by a flag of its own, gives no number of some pods' calls."""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from kubectl_grpclb.model.command import NO_SOURCE_FLAGS
from kubectl_grpclb.model.facts import Facts, Source
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.words import names
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.rule import Claim, Rule


class _Words(Struct, frozen=True):
    tells: str
    advice: str
    """What to do where the pods do not offer it."""


_SOURCES: dict[Source, _Words] = {
    "metrics": _Words("Metrics say", "--metrics-port and --metrics-path say where they are."),
    "channelz": _Words(
        "channelz says",
        "The server has to serve it; --channelz-port says on which port, and --tls that the port uses TLS.",
    ),
    "prometheus": _Words(
        "Prometheus says", "It has to scrape the pods, with their names in `pod` or their addresses in `instance`."
    ),
}


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where such a source is silent about ready pods; what it may not be asked is GLB902's."""
    asked = {*facts.via, *facts.aim.sources.named}
    silent = {source: gaps for source in _SOURCES if source in asked and (gaps := _gaps(facts, source))}
    if not silent:
        return ()
    ready = sum(pod.ready for pod in facts.pods)
    return (
        Claim(
            message=" ".join(_said(source, list(gaps.values()), ready) for source, gaps in silent.items()),
            evidence=[each for source, gaps in silent.items() for each in _evidence(source, gaps)],
            confidence="high",
            explains=0.0,
            next=_ask_others(facts) if load.verdict == "inconclusive" and "auto" not in facts.via else (),
        ),
    )


def _gaps(facts: Facts, source: Source) -> dict[str, Gap]:
    gaps = {pod.name: pod.silent[source] for pod in facts.pods if pod.ready and source in pod.silent}
    return {name: gap for name, gap in gaps.items() if gap.reason is not GapReason.FORBIDDEN}


def _said(source: Source, gaps: Sequence[Gap], ready: int) -> str:
    words = _SOURCES[source]
    said = (
        f"{words.tells} nothing about the calls of {len(gaps)} of {ready} ready pods, which does not mean that there "
        "are none."
    )
    return f"{said} {words.advice}" if any(gap.reason is GapReason.NOT_SERVED for gap in gaps) else said


def _evidence(source: Source, gaps: dict[str, Gap]) -> list[str]:
    """Say what came in place of a number, pods with the same answer together."""
    said: defaultdict[str, list[str]] = defaultdict(list)
    for name, gap in gaps.items():
        said[gap.detail or gap.reason].append(name)
    return [f"{names(of)} ({source}): {detail}" for detail, of in said.items()]


def _ask_others(facts: Facts) -> list[str]:
    return [replace(facts.aim, sources=NO_SOURCE_FLAGS).grpclb("diagnose")]


RULE = Rule(code="GLB905", title="A source that was asked for says nothing", severity="info", check=check)
