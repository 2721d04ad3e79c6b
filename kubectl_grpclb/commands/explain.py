"""`explain CODE`: the page of a finding."""

from pathlib import Path
from typing import Annotated

import typer

from kubectl_grpclb.commands.output import write
from kubectl_grpclb.model.errors import UsageError
from kubectl_grpclb.model.text import printable

__all__ = ["explain"]

_RULES = Path(__file__).parent.parent / "rules"
"""The pages lie beside the rules; reading one imports none of them."""


def explain(
    code: Annotated[str | None, typer.Argument(metavar="CODE", help="Code of a finding, such as GLB101.")] = None,
) -> None:
    """Explain a finding.

    Prints what it means, how it is detected and what to do. Without CODE, lists all findings.

    Exit codes: 0 explained; 2 usage, or there is no such finding.
    """
    pages = {page.stem.upper(): page for page in sorted(_RULES.glob("glb*.md"))}
    if code is None:
        write("".join(f"{_title(page)}\n" for page in pages.values()))
        return
    page = pages.get(code.upper())
    if page is None:
        raise UsageError(f"there is no finding {printable(code)}; the findings are {', '.join(pages)}")
    write(page.read_text("utf-8"))


def _title(page: Path) -> str:
    with page.open(encoding="utf-8") as lines:
        return lines.readline().removeprefix("# ").rstrip()
