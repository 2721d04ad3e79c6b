"""The command line's classes: plain values, help as kubectl's, and errors in one message.

Plain values are read here, without pydantic, whose import would take a third of the start-up.
"""

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer import TyperException
from typer.core import TyperCommand, TyperGroup, TyperOption

from kubectl_grpclb.model.errors import UsageError
from kubectl_grpclb.model.text import printable

if TYPE_CHECKING:
    from typer._click.core import Command, Context, Parameter
    from typer._click.formatting import HelpFormatter
    from typer._coercion import RuntimeParam

__all__ = ["PlainCommand", "PlainGroup"]

_READER = "get_runtime_param"
"""What typer 0.29 asks a parameter for whoever turns words into its value."""

_INTERRUPTED = 130
"""The exit code that typer makes of Ctrl-C, without a word; no verb ends with it by itself."""


class _Plain:
    """Reads what is absent, text, numbers, a path, and a choice in its own spelling; all else as typer does."""

    def __init__(self, otherwise: "Callable[[], RuntimeParam]") -> None:
        self._otherwise = otherwise

    def coerce(self, value: object, param: TyperOption, ctx: "Context") -> object:
        """Give the value that the verb gets. Raises UsageError."""
        wanted = param.type_descriptor.annotation
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if wanted is str and isinstance(value, str):
            return value
        if wanted is Path and isinstance(value, str):
            return _path(value, param)
        if wanted is int and isinstance(value, int | str):
            return _number(value, param)
        if wanted == list[str] and isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
            return list(value)
        if isinstance(value, str) and isinstance(wanted, type) and issubclass(wanted, StrEnum):
            return _choice(value, wanted, param)
        return self._otherwise().coerce(value, param, ctx)


def _path(value: str, param: TyperOption) -> Path | None:
    """Read a path; an empty one would be the working directory. Raises UsageError."""
    if value:
        return Path(value)
    if "--kubeconfig" in param.opts:
        return None  # as kubectl takes it
    raise UsageError(f"{_spelled(param)} needs a path, but got an empty one")


def _number(value: int | str, param: TyperOption) -> int:
    """Read a whole number within the flag's limits. Raises UsageError."""
    least, most = (None if end is None else int(end) for end in (param.min, param.max))
    digits = str(value).strip()
    if digits.isascii() and digits.isdecimal():
        number = int(digits)
        if (least is None or least <= number) and (most is None or number <= most):
            return number
    within = "" if least is None or most is None else f" from {least} to {most}"
    raise UsageError(f"{_spelled(param)} takes a number{within}, not '{printable(str(value))}'")


def _choice(value: str, choices: type[StrEnum], param: TyperOption) -> StrEnum:
    """Read one of a few words. Raises UsageError."""
    if value in set(choices):
        return choices(value)
    *others, last = choices
    raise UsageError(f"{_spelled(param)} takes {', '.join(others)} or {last}, not '{printable(value)}'")


def _spelled(param: "Parameter") -> str:
    return max(param.opts, key=len)


def _plainly(parameters: "list[Parameter]") -> "list[Parameter]":
    """Have plain values read here: for any value, even an absent one, typer would import pydantic (0.1 s)."""
    for parameter in parameters:
        reads = getattr(parameter, _READER, None)
        if reads is not None:  # another version of typer may do it otherwise, and then does it alone
            vars(parameter).setdefault(_READER, partial(_Plain, reads))
    return parameters


class PlainCommand(TyperCommand):
    """A verb whose plain values are read here, and whose help is that of `commands.help`."""

    def get_params(self, ctx: "Context") -> "list[Parameter]":
        """Give the parameters, each with its reader."""
        return _plainly(super().get_params(ctx))

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        """Read the words after the verb; where it has -v, also as kubectl spells it."""
        if any(word.startswith(("-v", "--v")) for word in args) and any(
            "--verbose" in each.opts for each in self.params
        ):
            from kubectl_grpclb.commands.verbosity import plain_verbosity

            args = plain_verbosity(args)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Write the help."""
        from kubectl_grpclb.commands.help import write_verb_help

        write_verb_help(self, ctx, formatter)


class PlainGroup(TyperGroup):
    """The command with its verbs, likewise; what the user got wrong is raised as UsageError."""

    def get_params(self, ctx: "Context") -> "list[Parameter]":
        """Give the parameters, each with its reader."""
        return _plainly(super().get_params(ctx))

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        """Read the words before the verb; without any word the help is the answer, as kubectl's."""
        unasked = not args and not ctx.resilient_parsing
        return super().parse_args(ctx, ctx.help_option_names[-1:] if unasked else args)

    def resolve_command(self, ctx: "Context", args: list[str]) -> "tuple[str | None, Command | None, list[str]]":
        """Find the verb. Raises UsageError that names the nearest ones."""
        word = args[0]
        if word not in self.list_commands(ctx) and not ctx.resilient_parsing:
            from kubectl_grpclb.commands.mistakes import no_such_verb

            raise no_such_verb(word, self.list_commands(ctx), ctx)
        return super().resolve_command(ctx, args)

    def main(self, *words: Any, **extra: Any) -> Any:  # noqa: ANN401 -- typer's own signature
        """Run the verb, and give its exit code if it ends with one. Raises UsageError and whatever the verb raises."""
        try:
            code = super().main(*words, **{**extra, "standalone_mode": False})
        except TyperException as error:
            from kubectl_grpclb.commands.mistakes import mistake

            raise mistake(error) from error
        if code == _INTERRUPTED:
            raise KeyboardInterrupt
        return code
