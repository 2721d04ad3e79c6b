"""Which flags and arguments the user gave, also those whose value is the default."""

from collections.abc import Collection

import typer

__all__ = ["given"]


def given(invocation: typer.Context, *, but: Collection[str]) -> list[str]:
    """Name what stands on the command line as a user writes it, but not these parameters of the verb."""
    parameters = invocation.command.params
    names = {parameter.name or "": max(parameter.opts, key=len) for parameter in parameters}
    return [
        shown if shown.startswith("-") else shown.upper()
        for name, shown in names.items()
        if name not in but and _is_given(invocation, name)
    ]


def _is_given(invocation: typer.Context, name: str) -> bool:
    source = invocation.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
