"""`completion SHELL`: the script that completes in a shell, and what kubectl asks, put on PATH."""

import os
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, assert_never

import typer

from kubectl_grpclb.commands.output import write
from kubectl_grpclb.commands.progress import tell_user
from kubectl_grpclb.model.errors import RefusedError, UsageError
from kubectl_grpclb.model.text import printable

__all__ = ["completion"]

_SCRIPTS = Path(__file__).parent.parent / "completion" / "scripts"


class ShellName(StrEnum):
    """Which shell."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    shell: Annotated[
        ShellName | None, typer.Argument(metavar="bash|zsh|fish", help="Shell to print the script for.")
    ] = None,
    install: Annotated[
        bool, typer.Option("--install", help="Put kubectl_complete-grpclb, which kubectl runs, on PATH.")
    ] = False,
    uninstall: Annotated[bool, typer.Option("--uninstall", help="Remove it.")] = False,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="Where to put it. (default beside the kubectl-grpclb on PATH)"),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before writing or removing it.")] = False,
) -> None:
    """Set up shell completion.

    Prints a script that completes kubectl-grpclb: source <(kubectl-grpclb completion bash).

    kubectl grpclb is completed by kubectl's own script, which runs a program named kubectl_complete-grpclb: pip puts it
    on PATH, krew does not, --install does. It shows what it will write and where, and asks first.

    Exit codes: 0 printed, written or removed, or nothing to do; 1 you said no; 2 usage; 4 the file could not be written
    or removed, or is not this command's; 130 interrupted.
    """
    if [install, uninstall, shell is not None].count(True) != 1:
        raise UsageError("give one of these: kubectl grpclb completion bash|zsh|fish, --install or --uninstall")
    if install:
        write(_install(directory, yes=yes))
    elif uninstall:
        write(_uninstall(directory, yes=yes))
    elif directory is not None or yes:
        raise UsageError("--dir and --yes go with --install and --uninstall: a script is only printed")
    elif shell is not None:
        write((_SCRIPTS / f"kubectl-grpclb.{shell.value}").read_text("utf-8"))


def _install(directory: Path | None, *, yes: bool) -> str:
    """Put the program there, and tell what came of it."""
    from kubectl_grpclb.commands.conversation import confirm
    from kubectl_grpclb.commands.placing import Holder, directory_for, holder, place, program, target

    path = target(directory_for(directory, os.environ, sys.argv[0]))
    there, shown = holder(path), printable(str(path))
    match there:
        case Holder.STRANGER:
            raise RefusedError(
                f"{shown} already exists and was not written by this command, so it was left alone. Remove it if you "
                "know what it is, or choose another directory with --dir"
            )
        case Holder.PACKAGE:
            return f"{shown} already exists, from the Python package.\n{_needed(path)}"
        case Holder.CURRENT:
            return f"{shown} already exists.\n{_needed(path)}{_removing(path, directory)}"
        case Holder.NOBODY | Holder.OLDER:
            content = "".join(f"    {line}\n" for line in program().splitlines())
            tell_user(
                f"This will be written to {shown}{', replacing an older one' if there is Holder.OLDER else ''}:\n"
            )
            tell_user(f"\n{content}\n")
            if not yes:
                confirm("Write it?")
            place(path)
            return f"Written: {shown}\n{_needed(path)}{_removing(path, directory)}"
        case other:
            assert_never(other)


def _uninstall(directory: Path | None, *, yes: bool) -> str:
    """Remove the program, and tell what came of it."""
    import shutil

    from kubectl_grpclb.commands.conversation import confirm
    from kubectl_grpclb.commands.placing import Holder, directory_for, holder, remove, target

    found = shutil.which("kubectl_complete-grpclb") if directory is None else None
    path = Path(found) if found else target(directory_for(directory, os.environ, sys.argv[0]))
    shown = printable(str(path))
    match holder(path):
        case Holder.NOBODY:
            return f"{shown} does not exist.\n"
        case Holder.STRANGER:
            raise RefusedError(f"{shown} was not written by this command, so it was left alone")
        case Holder.PACKAGE:
            raise RefusedError(
                f"{shown} belongs to the Python package and is removed with it: pip uninstall kubectl-grpclb"
            )
        case Holder.CURRENT | Holder.OLDER:
            if not yes:
                confirm(f"Remove {shown}?")
            remove(path)
            return f"Removed: {shown}\n"
        case other:
            assert_never(other)


def _needed(path: Path) -> str:
    """Tell what else has to be there."""
    from kubectl_grpclb.commands.placing import on_path

    directory = printable(str(path.parent))
    missing = "" if on_path(path.parent, os.environ) else f"Add {directory} to PATH: kubectl looks there.\n"
    return (
        f"{missing}kubectl runs it if its own completion is loaded, for example by: source <(kubectl completion bash)\n"
    )


def _removing(path: Path, directory: Path | None) -> str:
    """Tell how it is removed again; what is in a directory of PATH is found without the directory's name."""
    from kubectl_grpclb.commands.placing import on_path

    named = "" if directory is None or on_path(path.parent, os.environ) else f" --dir {shlex.quote(str(path.parent))}"
    return f"`kubectl grpclb completion --uninstall{printable(named)}` removes it.\n"
