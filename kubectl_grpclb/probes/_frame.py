"""The frame that the script puts around what the tools print: what is where, and whether all of it came."""

import re
from itertools import pairwise

from msgspec import Struct

from kubectl_grpclb.model.errors import BadSnapshotError
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.look import FORMAT, MARK, NARROW, NONE, PROC, SS, WIDE
from kubectl_grpclb.model.snapshot import Output
from kubectl_grpclb.probes._listing import Part

__all__ = ["Frame", "Look", "frame_of"]

_ORDER = re.compile(r"script( search)*( gateway)? look sockets status( waited( look sockets status)?)? end")
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_DOMAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")
_GATEWAY = re.compile(r"[0-9A-Fa-f]{8}|[0-9A-Fa-f]{32}")
_COUNTER = re.compile(r"[0-9]{1,20}")


class Look(Struct, frozen=True):
    """One look's output; `accepted` counts the connections accepted since the pod's network began."""

    sockets: Part
    accepted: int | None


class Frame(Struct, frozen=True):
    """A whole answer of the script; `first` is None where there was one look, and then `waited` is 0."""

    tool: str
    first: Look | None
    last: Look
    waited: float
    """Seconds between the looks."""
    search: tuple[str, ...]
    """The resolver's search list."""
    gateway: str | None
    """As /proc/net/route or ipv6_route has it, in hexadecimal."""


class _Mark(Struct, frozen=True):
    name: str
    words: tuple[str, ...]
    body: Part


def frame_of(output: Output) -> Frame | Gap:
    """Find the parts of the script's answer, or say why it is none; any output is welcome."""
    if output.gap is not None:
        return Gap(output.gap, output.detail)
    try:
        text = output.stdout.text or output.stdout.raw().decode("latin-1")
    except BadSnapshotError as error:
        return Gap(GapReason.GARBLED, str(error))
    marks = _marks(text)
    if not marks:
        return _unmarked(text, output)
    if marks[-1].name != "end":
        return Gap(GapReason.DIED, _ending("the look ended half-way", output))
    return _framed(marks)


def _unmarked(text: str, output: Output) -> Gap:
    if output.exit_code in {126, 127}:
        said = (output.stderr.text or text).strip()
        return Gap(GapReason.NO_SHELL, said[:200] or f"sh ended with status {output.exit_code}")
    if MARK.startswith(text) and (text or output.exit_code != 0):
        return Gap(GapReason.DIED, _ending("the look ended before it began", output))
    return Gap(GapReason.GARBLED, "what the container's sh printed is not the look's output")


def _ending(what: str, output: Output) -> str:
    return what if output.exit_code is None else f"{what}, with status {output.exit_code}"


def _marks(text: str) -> list[_Mark]:
    starts = [0] if text.startswith(MARK) else []
    at = text.find("\n" + MARK)
    while at >= 0:
        starts.append(at + 1)
        at = text.find("\n" + MARK, at + 1)
    return [_mark(text, start, end) for start, end in pairwise([*starts, len(text)])]


def _mark(text: str, start: int, end: int) -> _Mark:
    line_end = text.find("\n", start, end)
    body = end if line_end < 0 else line_end + 1
    name, *words = text[start + len(MARK) : body].split() or [""]
    return _Mark(name, tuple(words), Part(text, body, end))


def _framed(marks: list[_Mark]) -> Frame | Gap:
    if not _ORDER.fullmatch(" ".join(mark.name for mark in marks)) or marks[0].words != (FORMAT,):
        return Gap(GapReason.GARBLED, "the parts of the look's output are not in order")
    tools = {mark.words[1:] for mark in marks if mark.name == "look"}
    if tools == {(NONE,)}:
        return Gap(
            GapReason.NO_SHELL, "the container has no working ss, no readable /proc/net/tcp and no working netstat"
        )
    if not tools < {(SS,), (PROC,), (WIDE,), (NARROW,)} or len(tools) != 1:
        return Gap(GapReason.GARBLED, "the look does not say which tool it used")
    ((tool,),) = tools
    failed = [mark.words for mark in marks if mark.name == "status" and mark.words != ("0",)]
    if failed:
        return Gap(GapReason.DIED, f"{tool} ended with status {' '.join(failed[0])[:20]}")
    return _frame(tool, marks)


def _frame(tool: str, marks: list[_Mark]) -> Frame | Gap:
    waits = [" ".join(mark.words) for mark in marks if mark.name == "waited"]
    counts = [_accepted(mark.body) for mark in marks if mark.name == "look"]
    parts = [mark.body for mark in marks if mark.name == "sockets"]
    looks = [Look(sockets, accepted) for sockets, accepted in zip(parts, counts, strict=True)]
    if len(looks) == 2 and not _SECONDS.fullmatch(waits[0]):
        return Gap(GapReason.GARBLED, "the look does not say how long it waited")
    return Frame(
        tool=tool,
        first=looks[0] if len(looks) == 2 else None,
        last=looks[-1],
        waited=float(waits[0]) if len(looks) == 2 else 0.0,
        search=_search(marks),
        gateway=_gateway(marks),
    )


def _search(marks: list[_Mark]) -> tuple[str, ...]:
    lists = [mark.words for mark in marks if mark.name == "search"]
    return tuple(word for word in lists[-1] if _DOMAIN.fullmatch(word)) if lists else ()


def _gateway(marks: list[_Mark]) -> str | None:
    words = [word for mark in marks if mark.name == "gateway" for word in mark.words[:1]]
    return words[0] if words and _GATEWAY.fullmatch(words[0]) else None


def _accepted(snmp: Part) -> int | None:
    """Read PassiveOpens of /proc/net/snmp: its first `Tcp:` line names the columns, the second holds them."""
    lines = [line.split() for line in snmp.text[snmp.start : snmp.end].split("\n") if line.startswith("Tcp:")]
    if len(lines) != 2:
        return None
    value = dict(zip(*lines, strict=False)).get("PassiveOpens", "")
    return int(value) if _COUNTER.fullmatch(value) else None
