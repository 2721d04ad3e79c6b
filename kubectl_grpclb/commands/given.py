"""Which flags and arguments the user gave, also those whose value is the default."""

from collections.abc import Collection
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from typer._click.core import Parameter

__all__ = ["OF_A_PLAN", "given"]

OF_A_PLAN = {"replay", "verbose", "dry_run", "output", "strategy", "recycle", "stage_only", "timeout"} | {
    "envoy_image",
    "replicas",
    "lb_policy",
    "autoscale",
    "network_policy",
    "access_log",
    "connection_age",
}
"""The parameters of `fix` that say what a plan is to be like and how it is shown, so they may stand beside --from."""


def given(invocation: typer.Context, *, but: Collection[str]) -> list[str]:
    """Name what stands on the command line as a user writes it, but not these parameters of the verb."""
    return [
        _shown(parameter)
        for parameter in invocation.command.params
        if parameter.name and parameter.name not in but and _is_given(invocation, parameter.name)
    ]


def _shown(parameter: "Parameter") -> str:
    """Give a flag's long name, or an argument as the help has it."""
    flag = max(parameter.opts, key=len)
    return flag if flag.startswith("-") else (parameter.metavar or flag.upper()).removesuffix("...")


def _is_given(invocation: typer.Context, name: str) -> bool:
    source = invocation.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
