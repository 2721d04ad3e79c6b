"""The command with its verbs, each imported when it runs and not before."""

from importlib import import_module
from typing import TYPE_CHECKING

import typer

from kubectl_grpclb.commands import VERBS
from kubectl_grpclb.commands.plainly import PlainCommand, PlainGroup

if TYPE_CHECKING:
    from typer._click.core import Command, Context
    from typer._click.formatting import HelpFormatter

__all__ = ["VerbGroup"]


class VerbGroup(PlainGroup):
    """Finds verbs in the table of `commands`."""

    def list_commands(self, ctx: "Context") -> list[str]:  # noqa: ARG002 -- typer's own signature
        """Give every verb."""
        return list(VERBS)

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":  # noqa: ARG002 -- as above
        """Import a verb's module and make its command; none where there is no such verb."""
        if cmd_name not in VERBS:
            return None
        verb = getattr(import_module(f"kubectl_grpclb.commands.{cmd_name}"), cmd_name)
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
        alone.command(cmd_name, cls=PlainCommand)(verb)
        return typer.main.get_command(alone)

    def format_help(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Write the help, with the verbs' first sentences, for which none is imported."""
        from kubectl_grpclb.commands.help import write_group_help

        write_group_help(VERBS, self, ctx, formatter)
