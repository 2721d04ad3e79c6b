"""Every rule of krew holds for what is generated, and tells where it does not."""

import pathlib
import shutil

import msgspec
import pytest

from kubectl_grpclb.model.yaml_text import yaml_text
from release.contents import Archive, read_archive
from release.krew_archive_rules import installed
from release.krew_manifest import FileOperation
from release.krew_rules import RULES, problems
from release.krew_submission import Rule, Submission
from release.manifest import manifest_for, render, submission
from tests.release.broken_archives import BROKEN_ARCHIVES
from tests.release.broken_archives import Broken as BrokenArchive
from tests.release.broken_manifests import BROKEN_MANIFESTS
from tests.release.broken_manifests import Broken as BrokenManifest

REPOSITORY = "grpclb/kubectl-grpclb"


def generated(archives: tuple[Archive, ...]) -> Submission:
    return submission(render(manifest_for(archives, "0.1.0", REPOSITORY)), archives)


def broken(given: Submission) -> set[str]:
    return {problem.rule for problem in problems(given)}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_generated_manifest_and_the_archives_keep(rule: Rule, archives: tuple[Archive, ...]) -> None:
    assert list(rule.check(generated(archives))) == []


@pytest.mark.parametrize("case", BROKEN_MANIFESTS, ids=str)
def test_a_broken_manifest_breaks(case: BrokenManifest, archives: tuple[Archive, ...]) -> None:
    manifest = msgspec.to_builtins(manifest_for(archives, "0.1.0", REPOSITORY))
    case.change(manifest)

    assert broken(submission(yaml_text(manifest), archives)) == case.rules


@pytest.mark.parametrize("case", BROKEN_ARCHIVES, ids=str)
def test_a_broken_archive_breaks(case: BrokenArchive, released: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = pathlib.Path(shutil.copy(released / "kubectl-grpclb_0.1.0_linux_amd64.tar.gz", tmp_path))
    case.change(path)

    assert broken(generated((read_archive(path),))) == case.rules


def test_every_rule_is_broken_once() -> None:
    about = {case.rule for case in BROKEN_MANIFESTS} | {case.rule for case in BROKEN_ARCHIVES}

    assert about == {rule.name for rule in RULES}


def test_a_problem_says_where_it_is_and_what_was_expected(archives: tuple[Archive, ...]) -> None:
    manifest = msgspec.to_builtins(manifest_for(archives, "0.1.0", REPOSITORY))
    manifest["spec"]["platforms"][1]["selector"]["matchLabels"] = {"os": "linux"}

    told = problems(submission(yaml_text(manifest), archives))

    assert [each.message for each in told] == ["platforms[0] and [1] are both for linux/amd64"]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (FileOperation("*", "."), "kubectl-grpclb/LICENSE"),
        (FileOperation("kubectl-grpclb/*", "."), "LICENSE"),
        (FileOperation("kubectl-grpclb", "plugin"), "plugin/LICENSE"),
        (FileOperation("kubectl-grpclb", "."), "kubectl-grpclb/LICENSE"),
        (FileOperation("kubectl-grpclb/LICENSE", "."), "LICENSE"),
        (FileOperation("kubectl-grpclb/LICENSE", "doc/COPYING"), "doc/COPYING"),
        (FileOperation("*/LIC*", "doc"), "doc/LICENSE"),
    ],
)
def test_files_are_taken_out_as_krew_does_it(
    operation: FileOperation, expected: str, archives: tuple[Archive, ...]
) -> None:
    linux = next(each for each in archives if "linux_amd64" in each.name)

    paths = {path for path, entry in installed(linux, (operation,)).items() if entry.name.endswith("/LICENSE")}

    assert paths == {expected}
