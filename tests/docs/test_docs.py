"""The documentation says what the program does."""

import importlib.util
import pathlib
import re
import tomllib
from types import ModuleType

import pytest

from kubectl_grpclb import __version__
from kubectl_grpclb.commands import VERBS

ROOT = pathlib.Path(__file__).parent.parent.parent


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", sorted(generator().GENERATED), ids=lambda path: path.name)
def test_generated_files_are_what_make_docs_would_write(path: pathlib.Path) -> None:
    assert path.read_text(encoding="utf-8") == generator().GENERATED[path]()


def test_the_changelog_begins_with_the_version() -> None:
    released = re.search(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert released is not None
    assert released[1] == __version__


@pytest.mark.parametrize("verb", VERBS)
def test_the_readme_names_every_verb(verb: str) -> None:
    assert f"kubectl grpclb {verb}" in (ROOT / "README.md").read_text()


def test_links_in_the_documentation_lead_somewhere() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    links = {
        (page.parent / target).resolve()
        for page in pages
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text())
    }

    assert {link for link in links if not link.exists()} == set()


def test_every_requirement_is_pinned() -> None:
    lines = [
        line
        for name in ("requirements.txt", "requirements-dev.txt")
        for line in (ROOT / name).read_text().splitlines()
        if line and not line.startswith("#")
    ]

    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


def test_every_dependency_is_among_the_pinned_ones() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = {line.partition("==")[0].lower() for line in (ROOT / "requirements.txt").read_text().splitlines()}

    assert {re.split(r"[>=<]", each)[0].lower() for each in project["dependencies"]} <= pinned
