"""GLB906: a server of a version that this was not tried with, in the report and in the checks of a fix."""

import asyncio

import pytest

from kubectl_grpclb.flows.diagnose import diagnosed
from kubectl_grpclb.model.snapshot import SCHEMA, decode_snapshot, encode_snapshot
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.gather import gather
from tests.shop import sticky


def found(version: str | None) -> list[str]:
    """The evidence of GLB906 for a sticky Service on a server of that version, through a file."""
    cluster = sticky()
    cluster.server_version = version
    snapshot = asyncio.run(gather(cluster, Ask("shop", "greeter")))
    report = diagnosed(decode_snapshot(encode_snapshot(snapshot)))
    return [line for finding in report.findings if finding.code == "GLB906" for line in finding.evidence]


@pytest.mark.parametrize("version", [None, "v1.27.0", "v1.37.2", "unheard of"])
def test_of_a_version_that_was_tried_or_is_unknown_nothing_is_said(version: str | None) -> None:
    assert found(version) == []


@pytest.mark.parametrize("version", ["v1.26.15", "v1.38.0"])
def test_an_older_and_a_newer_one_are_named(version: str) -> None:
    assert found(version) == [f"the API server reports {version}"]


def test_what_the_server_says_steers_no_terminal() -> None:
    assert found("v1.24.1\x1b[2J") == ["the API server reports v1.24.1\\x1b[2J"]


def test_the_version_is_no_reading_so_that_older_programs_read_the_file() -> None:
    cluster = sticky()
    cluster.server_version = "v1.27.0"

    snapshot = asyncio.run(gather(cluster, Ask("shop", "greeter", via=("exec",))))

    assert snapshot.schema < SCHEMA
    assert b'"serverVersion": "v1.27.0"' in encode_snapshot(snapshot)
