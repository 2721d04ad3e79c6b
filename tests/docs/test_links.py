"""Links in the pages lead somewhere, read beside the code as well as on the site."""

import pathlib
import re
from urllib.parse import urlsplit

import pytest

from tests.docs.commands import ROOT, WRITTEN

PAGES = [*WRITTEN, ROOT / "CHANGELOG.md", *sorted((ROOT / "tests").glob("cases/*.md"))]


def prose(page: pathlib.Path) -> str:
    """The page without its blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def links(page: pathlib.Path) -> list[str]:
    return re.findall(r"\]\(([^)]+)\)", prose(page))


def anchors(page: pathlib.Path) -> set[str]:
    """What GitHub, and the site, call the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_nowhere(page: pathlib.Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return not target.exists() or bool(anchor and anchor not in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_project_lead_to_a_file_and_a_heading(page: pathlib.Path) -> None:
    within = [link for link in links(page) if not re.match(r"[a-z]+:", link)]

    assert [link for link in within if leads_nowhere(page, link)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_elsewhere_are_whole_and_encrypted(page: pathlib.Path) -> None:
    outward = [urlsplit(link) for link in links(page) if re.match(r"[a-z]+:", link)]

    assert [url for url in outward if url.scheme != "https" or "." not in url.netloc] == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached, ahead = set[pathlib.Path](), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        targets = {(page.parent / link.partition("#")[0]).resolve() for link in links(page) if ":" not in link}
        ahead += [target for target in targets - reached if target.suffix == ".md"]
        reached |= targets

    assert [page for page in WRITTEN if page not in reached | {ROOT / "README.md", ROOT / "docs" / "index.md"}] == []
