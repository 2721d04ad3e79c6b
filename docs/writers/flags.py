"""Every verb's own help, on one page."""

from typer.testing import CliRunner

from kubectl_grpclb.cli import app
from kubectl_grpclb.commands import VERBS

__all__ = ["flags"]

WIDTH = 100

INTRODUCTION = """# Flags

Written by `make docs` from the program's own help: `kubectl grpclb VERB --help` prints the same.

"""


def flags() -> str:
    """Give the page."""
    return INTRODUCTION + "\n".join(_section(verb) for verb in VERBS)


def _section(verb: str) -> str:
    shown = CliRunner().invoke(
        app, [verb, "--help"], prog_name="kubectl grpclb", env={"COLUMNS": str(WIDTH), "TERMINAL_WIDTH": str(WIDTH)}
    )
    return f"## {verb}\n\n```text\n{shown.output.strip()}\n```\n"
