"""A Snapshot keeps what was read from a cluster, not what was made of it.

It is one JSON file: the target, the options that shape the reading, and a list of readings, each with
its request, its time and its answer. `docs/snapshot.md` describes the file.
"""

import base64
import binascii
from codecs import BOM_UTF8
from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec import Struct

from kubectl_grpclb.model.channelz import ChannelzLook
from kubectl_grpclb.model.command import ClusterFlags, SourceFlags
from kubectl_grpclb.model.errors import BadSnapshotError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.kube import KubeObject
from kubectl_grpclb.model.look import MARK
from kubectl_grpclb.model.request import (
    AskChannelz,
    AskEnvoy,
    AskPrometheus,
    Exec,
    Get,
    List,
    LookFromNode,
    OpenUp,
    Request,
    Resource,
    Scrape,
)

__all__ = [
    "SCHEMA",
    "Answer",
    "AskChannelz",
    "AskEnvoy",
    "AskPrometheus",
    "Blob",
    "Channelz",
    "Exec",
    "Get",
    "List",
    "LookFromNode",
    "Objects",
    "OpenUp",
    "Output",
    "Reading",
    "Refused",
    "Request",
    "Resource",
    "Scrape",
    "Snapshot",
    "SnapshotTarget",
    "decode_snapshot",
    "encode_snapshot",
    "schema_for",
]

SCHEMA = 3
"""The newest snapshot schema this program writes and reads."""


class Blob(Struct, frozen=True, omit_defaults=True):
    """Bytes as text where they are UTF-8, so that people can read the file, else in base64."""

    text: str = ""
    base64: str = ""

    @classmethod
    def of(cls, raw: bytes) -> "Blob":
        """Wrap raw bytes."""
        try:
            return cls(text=raw.decode("utf-8"))
        except UnicodeDecodeError:
            return cls(base64=base64.b64encode(raw).decode("ascii"))

    def raw(self) -> bytes:
        """Give back the bytes, exactly. Raises BadSnapshotError where the base64 is not valid."""
        try:
            return base64.b64decode(self.base64, validate=True) if self.base64 else self.text.encode("utf-8")
        except (binascii.Error, UnicodeEncodeError, ValueError) as error:
            raise BadSnapshotError(f"the snapshot holds bytes that cannot be decoded: {error}") from error


class Objects(Struct, frozen=True, tag_field="answer", tag="objects"):
    """The objects that were asked for, one for a Get."""

    items: tuple[KubeObject, ...]


class Output(Struct, frozen=True, omit_defaults=True, rename="camel", tag_field="answer", tag="output"):
    """What a command printed, and its exit status, or Envoy's page; `gap` says why the output is not whole."""

    stdout: Blob = Blob()
    stderr: Blob = Blob()
    exit_code: int | None = None
    gap: GapReason | None = None
    detail: str = ""


class Channelz(Struct, frozen=True, omit_defaults=True, rename="camel", tag_field="answer", tag="channelz"):
    """What a pod's channelz said, look by look; `gap` says why the last look, or the second one, is not whole."""

    looks: tuple[ChannelzLook, ...] = ()
    gap: GapReason | None = None
    detail: str = ""


class Refused(Struct, frozen=True, omit_defaults=True, rename="camel", tag_field="answer", tag="refused"):
    """The cluster did not carry out the request; `status` is the HTTP status where there was one."""

    reason: GapReason
    message: str
    status: int | None = None

    @property
    def is_missing(self) -> bool:
        """Whether there is no such object, or no such API."""
        return self.status == 404


Answer = Objects | Output | Channelz | Refused


class Reading(Struct, frozen=True, rename="camel"):
    """One request and what came back; `at` is RFC 3339, `took` seconds."""

    request: Request
    answer: Answer
    at: str
    took: float


class SnapshotTarget(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What was asked for, and of whom: `port` is the name or number the user gave, if any."""

    context: str
    namespace: str
    service: str
    port: str | None = None
    cluster_domain: str | None = None
    via: tuple[str, ...] | None = None
    """The sources that the user chose; None for those that answer cheapest."""
    metrics_port: int | str | None = None
    prometheus: str | None = None
    prometheus_range: float | None = None
    server_version: str | None = None
    """What the API server called itself, `v1.37.2`; None where it did not tell, as in older files."""
    flags: ClusterFlags | None = None
    """Those that the user gave to say which cluster, for the commands that a report shows; None for none."""
    source_flags: SourceFlags | None = None
    """Those that say where figures are, for the same commands; None for none."""


class Snapshot(Struct, frozen=True, rename="camel"):
    """Everything that was read for one diagnosis."""

    schema: int
    tool: str
    target: SnapshotTarget
    taken_at: str
    window_seconds: float
    readings: tuple[Reading, ...]
    api_version: Literal["grpclb/v1"] = "grpclb/v1"
    kind: Literal["Snapshot"] = "Snapshot"


def schema_for(readings: Iterable[Reading]) -> int:
    """Give the oldest schema whose versions can read a file of these.

    AskEnvoy and a pod's gateway came with 2, what is neither an object nor a socket with 3.
    """
    return max((_schema_for(each) for each in readings), default=1)


_THIRD = frozenset({"podmetrics", "horizontalpodautoscalers", "servicemonitors", "podmonitors"})


def _schema_for(reading: Reading) -> int:
    request = reading.request
    if isinstance(request, AskChannelz | Scrape | AskPrometheus | OpenUp | LookFromNode):
        return 3
    if isinstance(request, Get | List) and request.resource in _THIRD:
        return 3
    return 2 if isinstance(request, AskEnvoy) or _tells_gateway(reading.answer) else 1


def _tells_gateway(answer: Answer) -> bool:
    return isinstance(answer, Output) and f"\n{MARK}gateway " in (answer.stdout.text or "")


class _Envelope(Struct, frozen=True, rename="camel"):
    schema: int
    kind: str = ""


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """Give the file's bytes: indented JSON that ends in a newline."""
    return msgspec.json.format(msgspec.json.encode(snapshot), indent=1) + b"\n"


def decode_snapshot(raw: bytes) -> Snapshot:
    """Read a file's bytes. Raises BadSnapshotError that says what is wrong with them."""
    raw = raw.removeprefix(BOM_UTF8)  # which some editors write
    try:
        envelope = msgspec.json.decode(raw, type=_Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadSnapshotError(f"not a whole snapshot of grpclb: {error}") from error
    if envelope.kind != "Snapshot":
        raise BadSnapshotError(f"not a snapshot of grpclb: its kind is {envelope.kind!r}")
    if envelope.schema > SCHEMA:
        raise BadSnapshotError(
            f"the snapshot has schema {envelope.schema}, and this version reads up to {SCHEMA}: "
            "it was recorded by a newer kubectl-grpclb, so update this one"
        )
    try:
        return msgspec.json.decode(raw, type=Snapshot)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadSnapshotError(f"the snapshot does not fit its schema {envelope.schema}: {error}") from error
