"""What makes a site of pages that also read well beside the code: mkdocs calls these while it builds.

The page of a finding lies beside its rule, where `explain` prints it from. It is a page of the site as well, with
links to the findings that it names.
"""

import pathlib
import posixpath
import re

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = pathlib.Path(__file__).parent.parent
RULES = sorted((ROOT / "kubectl_grpclb" / "rules").glob("glb*.md"))
ELSEWHERE = {f"kubectl_grpclb/rules/{rule.name}": f"findings/{rule.name}" for rule in RULES} | {
    "CHANGELOG.md": "changelog.md"
}
"""Files outside of docs/ that are pages of the site, and where they are there."""

Nav = str | list["Nav"] | dict[str, "Nav"]

_LINK = re.compile(r"(?<=\]\()[^)#\s]+(?=[)#])")
_CODE_OF_A_FINDING = re.compile(r"(?<![\w`\[])GLB\d{3}(?![\w`])")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the findings' pages into the navigation, where it says `findings/`."""
    config.nav = [_with_findings(entry) for entry in config.nav or []]
    return config


def _with_findings(entry: Nav) -> Nav:
    if isinstance(entry, dict):
        return {title: _with_findings(below) for title, below in entry.items()}
    if isinstance(entry, list):
        return [each for one in entry for each in (_findings() if one == "findings/" else [_with_findings(one)])]
    return entry


def _findings() -> list[Nav]:
    return [{_title(rule): f"findings/{rule.name}"} for rule in RULES]


def _title(rule: pathlib.Path) -> str:
    return rule.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ").replace(":", "", 1)


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that lie elsewhere."""
    for source, page in ELSEWHERE.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to files that lie elsewhere to their pages, and findings that a finding's page names to theirs."""
    del config, files
    here = posixpath.dirname(page.file.src_uri)
    if here == "findings":
        own = posixpath.basename(page.file.src_uri).removesuffix(".md").upper()
        return "\n".join(_linked(line, own) for line in markdown.split("\n"))
    return _LINK.sub(lambda link: _within(link[0], here), markdown)


def _linked(line: str, own: str) -> str:
    if line.startswith(("#", "    ")):
        return line
    return _CODE_OF_A_FINDING.sub(lambda code: code[0] if code[0] == own else _to_finding(code[0]), line)


def _to_finding(code: str) -> str:
    known = any(rule.stem == code.lower() for rule in RULES)
    return f"[{code}]({code.lower()}.md)" if known else code


def _within(link: str, here: str) -> str:
    """Give the site's page for a link that leads out of docs/; other links stay as they are."""
    target = posixpath.normpath(posixpath.join("docs", here, link))
    page = ELSEWHERE.get(target)
    return posixpath.relpath(page, here or ".") if page else link
