"""No command to copy forgets the cluster: neither of a recorded case's findings nor of any plan for it."""

import ast
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from kubectl_grpclb.flows.diagnose import diagnosed
from kubectl_grpclb.flows.prepare import planned_from
from kubectl_grpclb.flows.wishes import Wishes
from kubectl_grpclb.model.command import ClusterFlags
from kubectl_grpclb.model.errors import GrpclbError
from kubectl_grpclb.model.snapshot import Snapshot, decode_snapshot

HERE = pathlib.Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("cases/*/snapshot.json"))
PACKAGE = HERE.parent / "kubectl_grpclb"
SPEAKING = [
    path for part in ("rules", "remedies", "flows", "change") for path in sorted((PACKAGE / part).rglob("*.py"))
]

COMMAND = re.compile(r"kubectl (?:grpclb )?[a-z]+(?: [^`;]*)?")
ANYWHERE = re.compile(r"kubectl grpclb (?:explain|rbac)|`kubectl grpclb fix` applies")
"""What asks no cluster, and what is no whole command."""


def staged(case: pathlib.Path) -> Snapshot:
    """A case as if it had been recorded with --context staging."""
    snapshot = decode_snapshot((case / "snapshot.json").read_bytes())
    target = msgspec.structs.replace(snapshot.target, flags=ClusterFlags(context="staging"))
    return msgspec.structs.replace(snapshot, target=target)


def texts(value: Any) -> Iterator[str]:
    """Give every text in plain data."""
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from texts(each)


def commands(value: object) -> list[str]:
    """Give what is to be copied and asks a cluster, with the rest of its sentence."""
    said = (found for text in texts(msgspec.to_builtins(value)) for found in COMMAND.findall(text))
    return [each for each in said if not ANYWHERE.search(each)]


def forgetful(every: list[str]) -> list[str]:
    return [each for each in every if "--context staging" not in each]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_command_of_a_recorded_case_says_which_cluster(case: pathlib.Path) -> None:
    assert forgetful(commands(diagnosed(staged(case)))) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_command_of_a_plan_for_it_says_which_cluster(case: pathlib.Path) -> None:
    try:
        plans = [planned_from(staged(case), Wishes(strategy=each)) for each in ("auto", "envoy")]
    except GrpclbError as error:
        pytest.skip(f"there is no such plan: {error}")

    assert forgetful(commands(plans)) == []


@pytest.mark.parametrize("strategy", ["headless", "client", "gateway"])
def test_every_command_of_another_plan_says_which_cluster(strategy: Any) -> None:
    plan = planned_from(staged(HERE / "cases" / "sticky"), Wishes(strategy=strategy))

    assert forgetful(commands(plan)) == []


def test_a_file_of_before_flags_were_kept_says_where_figures_were_as_far_as_it_knows() -> None:
    snapshot = staged(HERE / "cases" / "sticky")
    older = msgspec.structs.replace(snapshot.target, metrics_port=9095, prometheus="svc/monitoring/prometheus:9090")

    (first, *_) = commands(diagnosed(msgspec.structs.replace(snapshot, target=older)).findings[0].next)

    assert "--metrics-port 9095 --prometheus svc/monitoring/prometheus:9090" in first


def test_the_cases_have_commands_at_all() -> None:
    assert len([each for case in CASES for each in commands(diagnosed(staged(case)))]) > len(CASES)


def spelt(path: pathlib.Path) -> list[str]:
    """Give the texts of a module that spell a command, those that only describe the code apart."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    described = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    every = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node not in described)
    return [node.value for node in every if isinstance(node.value, str) and COMMAND.search(node.value)]


@pytest.mark.parametrize("path", SPEAKING, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_sentence_spells_a_command_without_the_flags(path: pathlib.Path) -> None:
    assert [text for text in spelt(path) if not ANYWHERE.search(text)] == []
