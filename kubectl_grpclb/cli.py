"""Assembles the command line, and turns errors into one message and an exit code of the contract."""

import gc
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from kubectl_grpclb.commands.group import VerbGroup
from kubectl_grpclb.commands.output import FULL, nobody_listens, unwritable
from kubectl_grpclb.commands.progress import tell_error
from kubectl_grpclb.model.errors import GrpclbError

__all__ = ["app", "main"]

INTERRUPTED = 130

WIDEST = 100
"""Columns that help takes at most: longer lines are hard to read."""

app = typer.Typer(
    name="kubectl grpclb",
    cls=VerbGroup,
    help="Shows whether gRPC load sticks to a few pods of a Service, and why.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDEST},
)


@app.callback()
def grpclb() -> None:
    """Take a verb, which is what makes typer build the group although no verb is imported yet."""


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    _open_what_is_closed()
    if sys.argv[1:2] == ["__complete"]:  # what a shell asks, in words that are no flags of ours
        from kubectl_grpclb.completion.process import complete

        complete(typer.main.get_command(app), _with_values(sys.argv[2:-1]) + sys.argv[2:][-1:])
    try:
        code = app(args=_as_flags(_with_values(sys.argv[1:])), prog_name="kubectl grpclb")
    except GrpclbError as error:
        tell_error(str(error))
        _leave(error.exit_code)
    except KeyboardInterrupt:
        tell_error("interrupted")
        _leave(INTERRUPTED)
    except BrokenPipeError:
        nobody_listens()  # to a page of help; results are written by the verbs
        _leave(0)
    except Exception as error:
        if os.environ.get("GRPCLB_DEBUG"):
            raise
        tell_error(_unforeseen(error))
        _leave(GrpclbError.exit_code)
    _leave(code if isinstance(code, int) else 0)


def _unforeseen(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in FULL:
        nobody_listens()  # to a page of help, as above
        return unwritable(error)
    return (
        f"internal error: {type(error).__name__}: {error}\nThis is a bug. Set GRPCLB_DEBUG=1 to see where it happened."
    )


def _open_what_is_closed() -> None:
    """Let what was closed, as by `>&-`, lead nowhere: Python has no such stream then, and a socket gets its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 -- stays open till the process ends


def _with_values(words: Sequence[str]) -> list[str]:
    """Give a bare --dry-run its value, as kubectl does, whose flag takes one only after an equals sign."""
    return ["--dry-run=client" if word == "--dry-run" else word for word in words]


def _as_flags(words: Sequence[str]) -> list[str]:
    """Take `help fix` for `fix --help`, as kubectl does."""
    return [*words[1:], "--help"] if words[:1] == ["help"] else [*words]


def _leave(code: int) -> NoReturn:
    gc.freeze()  # the end of the process would look for garbage in everything that was imported, for 0.06 s
    raise SystemExit(code)
