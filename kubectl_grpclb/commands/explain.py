"""`explain CODE`: the page of a finding."""

from importlib.resources import files
from typing import Annotated

import typer

from kubectl_grpclb.model.errors import UsageError
from kubectl_grpclb.model.text import printable

__all__ = ["explain"]


def explain(
    code: Annotated[str | None, typer.Argument(metavar="CODE", help="Code of a finding, as GLB101.")] = None,
) -> None:
    """Explain a finding.

    Prints what it means, how it is told and what to do. Without CODE, lists all findings.
    """
    from kubectl_grpclb.commands import show
    from kubectl_grpclb.rules import RULES

    if code is None:
        show.write("".join(f"{rule.code}  {rule.severity:8} {rule.title}\n" for rule in RULES))
        return
    wanted = code.upper()
    known = [rule.code for rule in RULES]
    if wanted not in known:
        raise UsageError(f"there is no finding {printable(code)}; there are {', '.join(known)}")
    show.write(files("kubectl_grpclb.rules").joinpath(f"{wanted.lower()}.md").read_text("utf-8"))
