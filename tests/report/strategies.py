"""Any report that the types allow, with text at its worst."""

from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from kubectl_grpclb.model.facts import Target
from kubectl_grpclb.model.finding import (
    Balance,
    ClientRow,
    Finding,
    PodRow,
    ProxyHostRow,
    Report,
    Skipped,
    TierPodRow,
    TierRow,
)

NASTY = (
    "\x00\x07\x08\t\n\r\x1b\x7f\x85\x9b\u200b\u200e\u202e\u2028\u2029\u2066\ufeff\ue000\U000e0001"
    " \u3000挨👩\ufe0f\u0301[]$"
)

clean_text = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from(NASTY)), max_size=60)
"""Text that JSON can hold."""
any_text = st.one_of(clean_text, st.text(st.characters(categories=["Cs"]), max_size=3))
"""The same with lone surrogates, as undecodable bytes become in Python."""

Row = TypeVar("Row")

counts = st.integers(0, 2**50)
rates = st.floats(0, 1e12).map(lambda value: round(value, 4))
shares = st.floats(0, 1).map(lambda value: round(value, 4))
chances = st.floats(0, 1).map(lambda value: float(f"{value:.4g}"))


def reports(text: SearchStrategy[str]) -> SearchStrategy[Report]:
    words = st.lists(text, max_size=8).map(tuple)
    return st.builds(
        Report,
        target=st.builds(
            Target,
            context=text,
            namespace=text,
            service=text,
            port=st.none() | counts,
            target_port=st.none() | counts | text,
        ),
        taken_at=text,
        window_seconds=rates,
        verdict=st.sampled_from(["balanced", "unbalanced", "idle", "inconclusive"]),
        reason=text,
        balance=balances(),
        pods=many(pods(text, words)),
        clients=many(clients(text, words)),
        tiers=st.lists(tiers(text), max_size=2).map(tuple),
        findings=st.lists(findings(text, words), max_size=3).map(tuple),
        skipped=st.lists(st.builds(Skipped, code=text, reason=text), max_size=8).map(tuple),
    )


def many(rows: SearchStrategy[Row]) -> SearchStrategy[tuple[Row, ...]]:
    """Few different rows, but sometimes so often that they must be folded."""
    return st.builds(lambda some, times: tuple(some * times), st.lists(rows, max_size=5), st.sampled_from([1, 1, 9]))


def balances() -> SearchStrategy[Balance]:
    return st.builds(
        Balance,
        signal=st.sampled_from([None, "requests", "streams", "bytes", "connections"]),
        pods=counts,
        unread=counts,
        idle=st.none() | counts,
        max_over_mean=st.none() | rates,
        effective_pods=st.none() | rates,
        chance=st.none() | chances,
    )


def pods(text: SearchStrategy[str], words: SearchStrategy[tuple[str, ...]]) -> SearchStrategy[PodRow]:
    return st.builds(
        PodRow,
        name=text,
        ip=text,
        target_port=st.none() | counts,
        ready=st.booleans(),
        terminating=st.booleans(),
        age_seconds=st.none() | counts,
        node=st.none() | text,
        zone=st.none() | text,
        owner=st.none() | text,
        connections=st.none() | counts,
        lasting=st.none() | counts,
        passed=st.none() | counts,
        requests_per_second=st.none() | rates,
        bytes_per_second=st.none() | rates,
        share=st.none() | shares,
        sources=words,
        gap=st.none() | text,
    )


def clients(text: SearchStrategy[str], words: SearchStrategy[tuple[str, ...]]) -> SearchStrategy[ClientRow]:
    return st.builds(
        ClientRow,
        ip=text,
        namespace=st.none() | text,
        name=text,
        kind=text,
        owner=st.none() | text,
        connections=counts,
        pods=counts,
        reaches=words,
    )


def tiers(text: SearchStrategy[str]) -> SearchStrategy[TierRow]:
    host = st.builds(
        ProxyHostRow,
        address=text,
        pod=st.none() | text,
        requests=counts,
        active_requests=counts,
        connections=counts,
    )
    pod = st.builds(
        TierPodRow,
        name=text,
        ip=text,
        ready=st.booleans(),
        age_seconds=st.none() | counts,
        node=st.none() | text,
        zone=st.none() | text,
        connections=st.none() | counts,
        gap=st.none() | text,
        hosts=st.none() | many(host),
    )
    return st.builds(TierRow, name=text, kind=text, pods=many(pod))


def findings(text: SearchStrategy[str], words: SearchStrategy[tuple[str, ...]]) -> SearchStrategy[Finding]:
    return st.builds(
        Finding,
        code=text,
        title=text,
        severity=st.sampled_from(["error", "warning", "info"]),
        confidence=st.sampled_from(["high", "medium", "low"]),
        subject=text,
        message=text,
        evidence=words,
        remedies=words,
        next=words,
        page=text,
    )
