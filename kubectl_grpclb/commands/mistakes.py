"""What is wrong with a command line, in a message that says what to write instead.

Imported only where something is.
"""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from kubectl_grpclb.commands import VERBS
from kubectl_grpclb.model.errors import UsageError
from kubectl_grpclb.model.text import printable

if TYPE_CHECKING:
    from typer import TyperException
    from typer._click.core import Context

__all__ = ["mistake", "no_such_verb"]

_EXTRA = re.compile(r"Got unexpected extra argument(?:s|\(s\))? \((.*)\)", re.DOTALL)


def no_such_verb(word: str, verbs: Sequence[str], ctx: "Context") -> UsageError:
    """Say that there is no such verb, and which ones are near."""
    return _error(f"unknown verb: {printable(word)}{_did_you_mean(get_close_matches(word, verbs, n=2))}", ctx)


def mistake(error: "TyperException") -> UsageError:
    """Say what typer found, in one message that ends in where to read on.

    Its errors are told apart by their names: the classes are in a module of typer's own.
    """
    ctx: Context | None = getattr(error, "ctx", None)
    flag = getattr(error, "option_name", "")
    words = printable(error.format_message()).rstrip(".")
    match type(error).__name__:
        case "NoSuchOption":
            words = _no_such_flag(flag, getattr(error, "possibilities", None) or (), ctx)
        case "MissingParameter":
            words = f"{getattr(getattr(error, 'param', None), 'metavar', None) or 'an argument'} is missing"
        case "BadOptionUsage":
            words = f"{flag} {'takes no value' if 'does not take' in words else 'needs a value'}"
    extra = _EXTRA.fullmatch(words)
    return _error(f"unexpected argument: {extra[1]}" if extra else words, ctx)


def _no_such_flag(flag: str, near: Sequence[str], ctx: "Context | None") -> str:
    said = f"unknown flag: {printable(flag)}"
    if ctx is not None and ctx.parent is None and flag.lstrip("-") in VERBS:
        return f"{said}; did you mean {ctx.command_path} {flag.lstrip('-')}?"
    if ctx is not None and ctx.parent is None:
        return f"{said}; flags go after the verb: {ctx.command_path} diagnose SERVICE {printable(flag)}"
    likely = get_close_matches(flag.strip("-"), [each.strip("-") for each in near])  # typer counts the dashes, too
    return f"{said}{_did_you_mean([each for each in near if each.strip('-') in likely])}"


def _did_you_mean(near: Sequence[str]) -> str:
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _error(said: str, ctx: "Context | None") -> UsageError:
    return UsageError(said if ctx is None else f"{said}\nSee `{ctx.command_path} --help`.")
