"""Flags that several verbs share, gathered into one value."""

from collections.abc import Callable, Sequence
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any

__all__ = ["flags_of", "with_flags"]


def flags_of(gathered: Callable[..., object]) -> list[Parameter]:
    """Give the flags that a function gathers: its parameters, as typer reads them."""
    return [*signature(gathered).parameters.values()]


def with_flags(
    command: Callable[..., None], place: str, flags: Sequence[Parameter], gathered: Callable[..., object]
) -> Callable[..., None]:
    """Give a command these flags in the place of one of its parameters, which gets what is gathered of them."""

    @wraps(command)
    def run(**given: Any) -> None:  # noqa: ANN401  # each is the flag of that name, as typer read it
        command(**{place: gathered(**{flag.name: given.pop(flag.name) for flag in flags})}, **given)

    own = signature(command).parameters
    places = [flags if name == place else [parameter] for name, parameter in own.items()]
    parameters = [parameter for each in places for parameter in each]
    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # what inspect, and so typer, goes by
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run
