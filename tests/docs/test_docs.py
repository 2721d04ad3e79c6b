"""The documentation says what the program does."""

import pathlib
import re
import tomllib

import msgspec
import pytest

from docs import generate
from docs.writers import pictures
from kubectl_grpclb import __version__
from kubectl_grpclb.commands import VERBS
from kubectl_grpclb.flows.diagnose import replayed
from kubectl_grpclb.report import FORMATS, Page
from kubectl_grpclb.rules import RULES
from kubectl_grpclb.rules.rule import Rule

ROOT = pathlib.Path(__file__).parent.parent.parent
FINDINGS = [ROOT / "kubectl_grpclb" / "rules" / f"{rule.code.lower()}.md" for rule in RULES]
PARTS = [
    "What it means",
    "How it is detected",
    "Problematic",
    "Correct",
    "When to ignore it",
    "If it is something else",
]


@pytest.mark.parametrize("name", generate.GENERATED)
def test_generated_files_are_what_make_docs_would_write(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == generate.GENERATED[name]()


@pytest.mark.parametrize(("form", "page"), [("table", pictures.NARROW), ("wide", pictures.WIDE)])
def test_no_line_of_a_picture_is_broken_at_its_edge(form: str, page: Page) -> None:
    printed = FORMATS[form]([replayed(pictures.STICKY.read_bytes())], msgspec.structs.replace(page, colour=False))

    assert max(map(len, printed.splitlines())) <= page.width


def test_nothing_generated_is_left_over() -> None:
    lying = [path for folder in ("images", "schema") for path in (ROOT / "docs" / folder).iterdir()]

    assert {str(path.relative_to(ROOT)) for path in lying} <= set(generate.GENERATED)


def test_the_changelog_begins_with_the_version() -> None:
    released = re.search(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert released is not None
    assert released[1] == __version__


@pytest.mark.parametrize("verb", VERBS)
def test_the_readme_names_every_verb(verb: str) -> None:
    assert f"kubectl grpclb {verb}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("page", FINDINGS, ids=lambda page: page.stem)
def test_the_page_of_a_finding_has_problem_evidence_cure_and_when_to_ignore_it(page: pathlib.Path) -> None:
    assert re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE) == PARTS


@pytest.mark.parametrize("page", FINDINGS, ids=lambda page: page.stem)
def test_no_part_of_the_page_of_a_finding_is_empty(page: pathlib.Path) -> None:
    parts = re.split(r"^## .+$", page.read_text(), flags=re.MULTILINE)

    assert [part for part in parts if len(part.split()) < 5] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_page_of_a_finding_has_its_title(rule: Rule) -> None:
    page = ROOT / "kubectl_grpclb" / "rules" / f"{rule.code.lower()}.md"

    assert page.read_text().startswith(f"# {rule.code}: {rule.title}\n\n")


def test_every_requirement_is_pinned() -> None:
    lines = [
        line
        for name in ("requirements.txt", "requirements-dev.txt", "requirements-docs.txt", "requirements-demo.txt")
        for line in (ROOT / name).read_text().splitlines()
        if line and not line.startswith("#")
    ]

    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


def test_every_dependency_is_among_the_pinned_ones() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = {line.partition("==")[0].lower() for line in (ROOT / "requirements.txt").read_text().splitlines()}

    assert {re.split(r"[>=<]", each)[0].lower() for each in project["dependencies"]} <= pinned
