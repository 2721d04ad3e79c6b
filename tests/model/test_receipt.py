"""The receipt: written, read again, refused, and what it says of a Service."""

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from kubectl_grpclb.model.errors import BadReceiptError
from kubectl_grpclb.model.plan import EnvoyPorts, Field, Patch, Restart
from kubectl_grpclb.model.receipt import (
    RECEIPT_SCHEMA,
    Before,
    Made,
    Receipt,
    decode_receipt,
    differences,
    encode_receipt,
    expected_spec,
    is_in_place,
)
from tests.fake_api import FailedTestError, patched
from tests.report.builders import nothing_measured, weighed

ORIGINAL = {
    "type": "ClusterIP",
    "clusterIP": "10.96.0.10",
    "selector": {"app": "greeter", "example.com/role": "server"},
    "ports": [{"name": "grpc", "port": 80, "targetPort": 443, "protocol": "TCP"}],
}
CHANGE = Patch(
    resource="services",
    kind="Service",
    namespace="shop",
    name="greeter",
    uid="5f0c",
    resource_version="1041",
    fields=(
        Field(
            path="/spec/selector",
            before=ORIGINAL["selector"],
            after={"app": "greeter-grpclb-envoy", "example.com/role": "server"},
        ),
        Field(path="/spec/ports/0/targetPort", before=443, after=10443),
    ),
    why="new connections go to Envoy",
)
RECEIPT = Receipt(
    schema=RECEIPT_SCHEMA,
    tool="kubectl-grpclb 0.2.0",
    context="kind-shop",
    namespace="shop",
    service="greeter",
    uid="5f0c",
    strategy="envoy",
    step="cut over",
    at="2026-11-23T12:00:31Z",
    original=ORIGINAL,
    change=CHANGE,
    made=(Made(resource="deployments", name="greeter-grpclb-envoy"),),
    restart=(Restart(resource="deployments", kind="Deployment", namespace="shop", name="caller", why="old"),),
    drain_path="/drain-3q2-7wABAgMEBQYHCAkKCwwNDg8QERIT",
    ports=EnvoyPorts(listen=50051, proof=19001),
    options={"replicas": 3},
    before=Before(verdict="unbalanced", balance=weighed((2, 0, 0), 0.11), taken_at="2026-11-23T12:00:00Z"),
)
CUT_OVER = {
    **ORIGINAL,
    "selector": {"app": "greeter-grpclb-envoy", "example.com/role": "server"},
    "ports": [{"name": "grpc", "port": 80, "targetPort": 10443, "protocol": "TCP"}],
}

KEYS = st.text("abcxyz/~.-", min_size=1, max_size=6)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)
PRESENT = st.one_of(VALUES, st.just(UNSET))


@pytest.mark.parametrize(
    "receipt",
    [
        RECEIPT,
        replace(RECEIPT, change=None, ports=None, drain_path="", restart=(), made=(), options={}),
        replace(RECEIPT, before=replace(RECEIPT.before, balance=nothing_measured(3))),
        replace(RECEIPT, change=replace(CHANGE, fields=(Field(path="/spec/sessionAffinityConfig", before={"a": 1}),))),
    ],
    ids=["whole", "least", "unmeasured", "removal"],
)
def test_a_receipt_that_is_read_again_is_the_same(receipt: Receipt) -> None:
    assert decode_receipt(encode_receipt(receipt)) == receipt


def test_a_receipt_can_be_read_by_people() -> None:
    text = encode_receipt(RECEIPT).decode()

    assert text.endswith("}\n")
    assert '\n "step": "cut over",\n' in text


def test_a_field_that_a_later_version_adds_is_passed_over() -> None:
    data = msgspec.json.decode(encode_receipt(RECEIPT))

    assert decode_receipt(msgspec.json.encode({**data, "mood": "hopeful"})) == RECEIPT


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b'{"schema": 2, "kind": "whatever"}', "newer kubectl-grpclb, so update this one"),
        (b"", "cannot be read"),
        (encode_receipt(RECEIPT)[:400], "cannot be read"),
        (b'{"schema": 1}', "cannot be read"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (encode_receipt(RECEIPT).replace(b'"cut over"', b'"baked"'), "cannot be read"),
    ],
    ids=["newer", "empty", "half", "bare", "binary", "deep", "unknown-step"],
)
def test_a_receipt_that_cannot_be_made_sense_of_is_refused(raw: bytes, says: str) -> None:
    with pytest.raises(BadReceiptError, match=says):
        decode_receipt(raw)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_receipt_or_refused(raw: bytes) -> None:
    with pytest.raises(BadReceiptError):
        decode_receipt(raw)


def test_the_spec_after_the_cut_over_differs_in_the_changed_fields_only() -> None:
    assert expected_spec(RECEIPT) == CUT_OVER


def test_expecting_a_spec_leaves_the_original_as_it_is() -> None:
    before = copy.deepcopy(ORIGINAL)

    expected_spec(RECEIPT)

    assert RECEIPT.original == before


@pytest.mark.parametrize(
    ("spec", "in_place"),
    [
        (CUT_OVER, True),
        (ORIGINAL, False),
        ({**ORIGINAL, "sessionAffinity": "ClientIP"}, False),
        ({**CUT_OVER, "ports": ORIGINAL["ports"]}, True),
        ({**CUT_OVER, "selector": ORIGINAL["selector"]}, True),
        ({**CUT_OVER, "ports": []}, True),
    ],
    ids=["cut-over", "original", "changed-elsewhere", "port-back", "selector-back", "ports-gone"],
)
def test_the_change_is_in_place_where_any_of_its_fields_is_not_what_it_was(
    spec: dict[str, Any], in_place: bool
) -> None:
    assert is_in_place(RECEIPT, spec) is in_place


def test_a_fix_without_a_change_of_the_service_is_never_in_place() -> None:
    assert not is_in_place(replace(RECEIPT, change=None), CUT_OVER)


@pytest.mark.parametrize(
    ("one", "other", "lines"),
    [
        (ORIGINAL, ORIGINAL, []),
        (ORIGINAL, CUT_OVER, ["spec.ports[0].targetPort: 443 is now 10443",
                              'spec.selector.app: "greeter" is now "greeter-grpclb-envoy"']),
        ({"a": 1}, {"a": 1, "b": [2]}, ["spec.b: absent is now [2]"]),
        ({"a": None}, {}, ["spec.a: null is now absent"]),
        ({"ports": [1, 2]}, {"ports": [1]}, ["spec.ports: [1,2] is now [1]"]),
        ({"a": {"b": 1}}, {"a": [1]}, ['spec.a: {"b":1} is now [1]']),
    ],
    ids=["none", "cut-over", "added", "removed", "shorter", "another-type"],
)  # fmt: skip
def test_what_differs_is_named_with_its_path(one: Any, other: Any, lines: list[str]) -> None:
    assert differences(one, other) == lines


@given(VALUES)
def test_a_value_does_not_differ_from_itself(value: Any) -> None:
    assert differences(value, copy.deepcopy(value)) == []


@given(VALUES, VALUES)
def test_values_that_are_not_equal_differ_somewhere(one: Any, other: Any) -> None:
    assert bool(differences(one, other)) == (one != other)


def escaped(key: str) -> str:
    """Write a key into a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


@given(st.dictionaries(KEYS, st.tuples(PRESENT, PRESENT), max_size=5))
def test_a_patch_and_its_inverse_together_change_nothing(values: dict[str, tuple[Any, Any]]) -> None:
    pairs = {key: pair for key, pair in values.items() if pair != (UNSET, UNSET)}
    service = {
        "metadata": {"uid": "5f0c", "resourceVersion": "1041"},
        "spec": {key: before for key, (before, _) in pairs.items() if before is not UNSET},
    }
    fields = tuple(Field(path=f"/spec/{escaped(key)}", before=b, after=a) for key, (b, a) in pairs.items())
    patch = replace(CHANGE, fields=fields)

    after = patched(service, patch.operations())

    assert after["spec"] == {key: then for key, (_, then) in pairs.items() if then is not UNSET}
    assert after["spec"] == expected_spec(replace(RECEIPT, original=service["spec"], change=patch))
    assert patched(after, patch.inverted("back").operations()) == service


@pytest.mark.parametrize(
    "changed",
    [
        {"metadata": {"uid": "6a1d", "resourceVersion": "1041"}, "spec": ORIGINAL},
        {"metadata": {"uid": "5f0c", "resourceVersion": "1042"}, "spec": ORIGINAL},
        {"metadata": {"uid": "5f0c", "resourceVersion": "1041"}, "spec": {**ORIGINAL, "selector": {"app": "v2"}}},
    ],
    ids=["made-anew", "another-version", "another-selector"],
)
def test_a_patch_changes_only_what_still_is_what_was_seen(changed: dict[str, Any]) -> None:
    with pytest.raises(FailedTestError):
        patched(changed, CHANGE.operations())
