"""Reads plain values of the command line without pydantic, whose import would take a third of the start-up."""

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from typer.core import TyperCommand, TyperGroup, TyperOption

if TYPE_CHECKING:
    from typer._click.core import Context, Parameter
    from typer._coercion import RuntimeParam

__all__ = ["PlainCommand", "PlainGroup"]

_READER = "get_runtime_param"
"""What typer 0.29 asks a parameter for whoever turns words into its value."""


class _Plain:
    """Reads what is absent, text, a path, and a choice in its own spelling; everything else as typer does."""

    def __init__(self, otherwise: "Callable[[], RuntimeParam]") -> None:
        self._otherwise = otherwise

    def coerce(self, value: object, param: TyperOption, ctx: "Context") -> object:
        """Give the value that the verb gets."""
        wanted = param.type_descriptor.annotation
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if wanted is str and isinstance(value, str):
            return value
        if wanted is Path and isinstance(value, str):
            return Path(value)
        if wanted == list[str] and isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
            return list(value)
        if isinstance(value, str) and isinstance(wanted, type) and issubclass(wanted, StrEnum) and value in set(wanted):
            return wanted(value)
        return self._otherwise().coerce(value, param, ctx)


def _plainly(parameters: "list[Parameter]") -> "list[Parameter]":
    """Have plain values read here: for any value, even an absent one, typer would import pydantic (0.1 s)."""
    for parameter in parameters:
        reads = getattr(parameter, _READER, None)
        if reads is not None:  # another version of typer may do it otherwise, and then does it alone
            vars(parameter).setdefault(_READER, partial(_Plain, reads))
    return parameters


class PlainCommand(TyperCommand):
    """A verb whose plain values are read here."""

    def get_params(self, ctx: "Context") -> "list[Parameter]":
        """Give the parameters, each with its reader."""
        return _plainly(super().get_params(ctx))


class PlainGroup(TyperGroup):
    """The command with its verbs, likewise."""

    def get_params(self, ctx: "Context") -> "list[Parameter]":
        """Give the parameters, each with its reader."""
        return _plainly(super().get_params(ctx))
