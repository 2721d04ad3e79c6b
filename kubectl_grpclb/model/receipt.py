"""The receipt of a fix: what was there before, what is changed, and how far it came. Enough to undo it anywhere."""

import copy
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Struct

from kubectl_grpclb.model.errors import BadReceiptError, DamagedReceiptError
from kubectl_grpclb.model.finding import Balance, Verdict
from kubectl_grpclb.model.plan import EnvoyPorts, Field, Patch, Restart, Strategy

__all__ = [
    "BEFORE_THE_CUT_OVER",
    "RECEIPT_SCHEMA",
    "Before",
    "Made",
    "Receipt",
    "Step",
    "decode_receipt",
    "differences",
    "encode_receipt",
    "expected_spec",
    "is_carried",
    "is_in_place",
    "is_touched",
]

RECEIPT_SCHEMA = 1

Json: TypeAlias = Any
"""A value of JSON, or UNSET."""

Step = Literal["planned", "staged", "checked", "cut over", "proved", "done", "rolling back"]
"""How far the fix has come; each is written down when it is reached."""

BEFORE_THE_CUT_OVER: frozenset[Step] = frozenset({"planned", "staged", "checked"})
"""Steps at which nothing but objects of our own is changed, unless the process was killed in the very next moment."""


class _Wire(Struct, frozen=True, rename="camel", kw_only=True, omit_defaults=True):
    """Camel case in JSON."""


class Made(_Wire, frozen=True, kw_only=True):
    """An object that the fix brings about."""

    resource: str
    name: str


class Before(_Wire, frozen=True, kw_only=True):
    """What the diagnosis before the fix came to."""

    verdict: Verdict
    balance: Balance
    taken_at: str


class Receipt(_Wire, frozen=True, kw_only=True):
    """One fix of one Service."""

    schema: int
    tool: str
    context: str
    namespace: str
    service: str
    uid: str
    """The Service's, so that one of the same name that was made later is not taken for it."""
    strategy: Strategy
    step: Step
    at: str
    """When that step was reached, RFC 3339."""
    original: dict[str, Any]
    """The Service's whole spec before the first change."""
    change: Patch | None
    made: tuple[Made, ...]
    found: tuple[Made, ...] = ()
    """What of that stood already when the fix began; where the fix fails, it is left."""
    renewed: str = ""
    """When Envoys that had been told to drain were last replaced; drained once, an Envoy is of no use any more."""
    restart: tuple[Restart, ...] = ()
    """The clients that a recycling restarts."""
    drain_path: str = ""
    ports: EnvoyPorts | None = None
    """None where the cure is not Envoy."""
    port: int | None = None
    """The Service's port that was fixed; None in receipts of before it was kept."""
    options: dict[str, Any] = {}
    """The user's choices, so that a later fix keeps them."""
    before: Before


class _Envelope(Struct, frozen=True, rename="camel"):
    schema: int


def encode_receipt(receipt: Receipt) -> bytes:
    """Give the receipt's JSON, indented and ending in a newline."""
    return msgspec.json.format(msgspec.json.encode(receipt), indent=1) + b"\n"


def decode_receipt(raw: bytes) -> Receipt:
    """Read a receipt. Raises BadReceiptError that says what is wrong with it."""
    try:
        schema = msgspec.json.decode(raw, type=_Envelope).schema
        if schema > RECEIPT_SCHEMA:
            raise BadReceiptError(
                f"the receipt has schema {schema}, and this version reads up to {RECEIPT_SCHEMA}: it was written by a "
                "newer kubectl-grpclb, so update this one"
            )
        return msgspec.json.decode(raw, type=Receipt)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedReceiptError(f"the receipt of the fix cannot be read: {error}") from error


def expected_spec(receipt: Receipt) -> dict[str, Any]:
    """Give the Service's spec as it is after the cut-over, if nobody else changes it."""
    spec = copy.deepcopy(receipt.original)
    for field in receipt.change.fields if receipt.change else ():
        _set({"spec": spec}, field)
    return spec


def is_in_place(receipt: Receipt, spec: dict[str, Any]) -> bool:
    """Tell whether there is anything to restore: whether any of the changed fields is not what it was before."""
    fields = receipt.change.fields if receipt.change else ()
    return any(_get({"spec": spec}, field.path) != field.before for field in fields)


def is_touched(receipt: Receipt, spec: dict[str, Any]) -> bool:
    """Tell whether any of the changed fields is what the fix made of it."""
    fields = receipt.change.fields if receipt.change else ()
    return any(_get({"spec": spec}, field.path) == field.after != field.before for field in fields)


def is_carried(receipt: Receipt, spec: dict[str, Any]) -> bool:
    """Tell whether the Service carries the fix: whether all of the changed fields are what the fix made of them."""
    fields = receipt.change.fields if receipt.change else ()
    return bool(fields) and all(_get({"spec": spec}, field.path) == field.after for field in fields)


def differences(one: Json, other: Json, path: str = "spec") -> list[str]:
    """Name what differs between two values of JSON, as `spec.ports[0].targetPort: 50051 is now 50052`."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted(one.keys() | other.keys())
        return [
            line for key in keys for line in differences(one.get(key, UNSET), other.get(key, UNSET), f"{path}.{key}")
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            line
            for place, (left, right) in enumerate(zip(one, other, strict=True))
            for line in differences(left, right, f"{path}[{place}]")
        ]
    return [] if one == other else [f"{path}: {_shown(one)} is now {_shown(other)}"]


def _shown(value: Json) -> str:
    return "absent" if value is UNSET else msgspec.json.encode(value).decode()


def _parts(path: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _get(document: Json, path: str) -> Json:
    """Give the value at a JSON pointer, UNSET where there is none."""
    place = document
    for part in _parts(path):
        try:
            place = place[int(part)] if isinstance(place, list) else place[part]
        except (KeyError, IndexError, ValueError, TypeError):
            return UNSET
    return place


def _set(document: dict[str, Any], field: Field) -> None:
    *parents, last = _parts(field.path)
    place: Any = document
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place[part]
    if field.after is UNSET:
        del place[last]
    else:
        place[last] = field.after
