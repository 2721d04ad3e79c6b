"""What each source was asked, how many answered, and what that cost."""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from kubectl_grpclb.model import facts
from kubectl_grpclb.model.snapshot import (
    Answer,
    AskChannelz,
    AskEnvoy,
    AskPrometheus,
    Channelz,
    Exec,
    Get,
    List,
    LookFromNode,
    Objects,
    OpenUp,
    Output,
    Reading,
    Refused,
    Request,
    Scrape,
)
from kubectl_grpclb.probes.looks import is_ours

__all__ = ["uses_of"]

_ORDER: tuple[facts.Source, ...] = (
    "metrics",
    "prometheus",
    "channelz",
    "envoy",
    "node",
    "exec",
    "debug",
    "metrics-api",
)


class _Asked(Struct, frozen=True):
    who: str
    answered: bool
    seconds: float
    size: int


def uses_of(readings: Sequence[Reading]) -> tuple[facts.SourceUse, ...]:
    """Add up the requests to each source; who answered once has answered."""
    by_source: defaultdict[facts.Source, list[_Asked]] = defaultdict(list)
    for reading in readings:
        if (source := _source(reading.request)) is not None:
            asked = _Asked(_who(reading.request), _answered(reading.answer), reading.took, _size(reading.answer))
            by_source[source].append(asked)
    return tuple(_use(source, by_source[source]) for source in _ORDER if source in by_source)


def _use(source: facts.Source, asked: Sequence[_Asked]) -> facts.SourceUse:
    return facts.SourceUse(
        source=source,
        asked=len({each.who for each in asked}),
        answered=len({each.who for each in asked if each.answered}),
        requests=len(asked),
        seconds=max(each.seconds for each in asked),
        bytes=sum(each.size for each in asked),
    )


def _source(request: Request) -> facts.Source | None:
    match request:
        case Scrape():
            return "metrics"
        case AskChannelz():
            return "channelz"
        case AskEnvoy():
            return "envoy"
        case AskPrometheus():
            return "prometheus"
        case LookFromNode():
            return "node"
        case OpenUp():
            return "debug"
        case Exec():
            return "debug" if is_ours(request) else "exec"
        case Get() | List():
            return "metrics-api" if request.resource == "podmetrics" else None


def _who(request: Request) -> str:
    match request:
        case Scrape() | AskChannelz() | AskEnvoy() | Exec() | OpenUp():
            return f"{request.namespace}/{request.pod}"
        case LookFromNode():
            return request.node
        case AskPrometheus():
            return request.query
        case Get() | List():
            return request.resource


def _answered(answer: Answer) -> bool:
    match answer:
        case Refused():
            return False
        case Output():
            return answer.gap is None and not answer.exit_code
        case Channelz():
            return bool(answer.looks)
        case Objects():
            return True


def _size(answer: Answer) -> int:
    """Give the size of what a command or a page said, in characters of text; objects and channelz are not counted."""
    return len(answer.stdout.text) or len(answer.stdout.base64) * 3 // 4 if isinstance(answer, Output) else 0
