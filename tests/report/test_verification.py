"""What a fix came to, as its reader and as a script sees it."""

import json
from collections.abc import Callable

import pytest
import yaml

from kubectl_grpclb.model.finding import Balance
from kubectl_grpclb.report.page import Page
from kubectl_grpclb.report.verification import render_verification, verification_data
from tests.report.builders import balance, nothing_measured, report, weighed
from tests.report.scenes import SCENES

Golden = Callable[[str, str], str]

PLAIN = Page(width=80, colour=False)
STUCK = weighed((2, 0, 0), 0.11)
REASON = (
    "connections from before the fix are still open and stay where they are until they close; "
    "`kubectl grpclb fix greeter -n shop --recycle clients`, or a rolling restart of the clients, moves them"
)
CASES: dict[str, tuple[str, Balance]] = {
    "fixed": ("requests are spread over 3 ready pods, which do the work of 3.0", balance(signal="requests")),
    "pending": (REASON, STUCK),
    "unchanged": ("the load sticks to 1 of 3 ready pods", STUCK),
    "worse": ("the load sticks to 1 of 3 ready pods", STUCK),
    "unknown": ("none of 3 pods could be looked into", nothing_measured(3)),
}


@pytest.mark.parametrize("outcome", CASES)
def test_the_outcome_is_the_accepted_one(outcome: str, golden: Golden) -> None:
    reason, now = CASES[outcome]

    got = render_verification(outcome, reason, STUCK, report(balance=now), PLAIN)

    assert got == golden(f"verification-{outcome}.txt", got)


@pytest.mark.parametrize("outcome", ["fixed", "pending", "worse"])
def test_the_outcome_in_colour_is_the_accepted_one(outcome: str, golden: Golden) -> None:
    reason, now = CASES[outcome]

    got = render_verification(outcome, reason, STUCK, report(balance=now), Page(width=80, colour=True))

    assert got == golden(f"verification-{outcome}-colour.txt", got)


def test_a_reason_with_terminal_escapes_is_shown_without_them() -> None:
    shown = render_verification("unknown", "pods \x1b[2J\u202e is forbidden", STUCK, report(), PLAIN)

    assert not {"\x1b", "\u202e"} & set(shown)


def test_ascii_pages_get_ascii() -> None:
    shown = render_verification(
        "unchanged", "the load sticks", STUCK, report(), Page(width=80, colour=False, ascii=True)
    )

    assert shown.isascii()


def test_json_is_the_report_with_the_outcome_and_the_balance_before() -> None:
    data = json.loads(verification_data("fixed", "spread over 3 ready pods", STUCK, report(), "json"))

    assert (data["kind"], data["verdict"]) == ("Report", "balanced")
    assert (data["outcome"], data["outcomeReason"]) == ("fixed", "spread over 3 ready pods")
    assert data["before"]["effectivePods"] == 1.0
    assert data["balance"]["effectivePods"] == 3.0


def test_json_tells_why_the_outcome_is_not_known_beside_the_verdicts_own_reason() -> None:
    data = json.loads(verification_data("unknown", "no client is connected now", STUCK, report(), "json"))

    assert data["outcomeReason"] == "no client is connected now"
    assert data["reason"] == report().reason


def test_yaml_says_the_same_as_json() -> None:
    one = json.loads(verification_data("pending", REASON, STUCK, report(), "json"))

    assert yaml.safe_load(verification_data("pending", REASON, STUCK, report(), "yaml")) == one


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_data_of_a_hostile_cluster_holds_no_terminal_escapes(form: str) -> None:
    data = verification_data("fixed", "pods \x1b[2J\x9b is forbidden", STUCK, SCENES["hostile"](), form)

    assert not {"\x1b", "\x9b"} & set(data)
