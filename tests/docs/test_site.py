"""The documentation as a site."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from kubectl_grpclb.rules import RULES
from tests.docs.commands import ROOT


def build(place: pathlib.Path, site: pathlib.Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(words, cwd=place, env=env, text=True, capture_output=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The site, built strictly."""
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT, folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("code", [rule.code.lower() for rule in RULES])
def test_every_finding_is_a_page(site: pathlib.Path, code: str) -> None:
    assert (site / "findings" / f"{code}.html").exists()


def test_a_finding_leads_to_the_findings_that_it_names(site: pathlib.Path) -> None:
    assert '<a href="glb103.html">GLB103</a>' in (site / "findings" / "glb101.html").read_text()


def test_nothing_is_fetched_from_elsewhere(site: pathlib.Path) -> None:
    tags = r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=\"?(?:https?:)?//[^>]*>"
    pages = [path.read_text(encoding="utf-8") for path in site.rglob("*.html")]
    sheets = [path.read_text(encoding="utf-8") for path in [*site.rglob("*.css"), *site.rglob("*.svg")]]

    assert [tag for page in pages for tag in re.findall(tags, page) if 'rel="canonical"' not in tag] == []
    assert [found for sheet in sheets for found in re.findall(r"url\(['\"]?https?:[^)]*|@import[^;]*", sheet)] == []


def test_the_program_of_the_documentation_is_no_part_of_the_site(site: pathlib.Path) -> None:
    assert [path for path in site.rglob("*") if path.suffix == ".pyc" or path.name == "hooks.py"] == []


def test_a_link_that_leads_nowhere_fails_the_build(tmp_path: pathlib.Path) -> None:
    for name in ("mkdocs.yml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copytree(ROOT / "kubectl_grpclb" / "rules", tmp_path / "kubectl_grpclb" / "rules")
    (tmp_path / "docs" / "json.md").write_text("# JSON\n\n[one](fix.md#what-is-not-there)\n")

    done = build(tmp_path, tmp_path / "site")

    assert done.returncode != 0
    assert "what-is-not-there" in done.stderr
