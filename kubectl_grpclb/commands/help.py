"""The help of the command and of each verb: a sentence, examples, usage, flags in groups, exit codes.

Imported only where help is shown. To add a flag, put its long name into a group of `FLAGS`; a verb, into `VERB_GROUPS`.
"""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from typer.core import TyperOption

from kubectl_grpclb.commands.examples import EXAMPLES

if TYPE_CHECKING:
    from typer._click.core import Command, Context, Parameter
    from typer._click.formatting import HelpFormatter

__all__ = ["FLAGS", "OTHERS", "VERB_GROUPS", "write_group_help", "write_verb_help"]

_COLUMN = 34
"""Columns that a flag takes at most beside its text; the text of a longer one begins on the next line."""

_NARROW = 70
"""Columns from which on there is room for that."""

_EXIT_CODES = "Exit codes: "

FLAGS: Mapping[str, tuple[str, ...]] = {
    "Arguments": ("code", "verbs", "shell"),
    "Target": (
        "service",
        "services",
        "namespace",
        "port",
        "window",
        "from",
        "cluster-domain",
        "client-namespace",
    ),
    "Bindings": ("service-account", "user", "group"),
    "Action": (
        "strategy",
        "dry-run",
        "diff",
        "stage-only",
        "install",
        "uninstall",
        "dir",
        "yes",
        "recycle",
        "timeout",
        "receipt",
    ),
    "Envoy": (
        "envoy-image",
        "replicas",
        "lb-policy",
        "autoscale",
        "network-policy",
        "connection-age",
        "access-log",
    ),
    "Sources": (
        "via",
        "metrics-port",
        "metrics-path",
        "channelz-port",
        "client-channelz-port",
        "tls",
        "tls-ca",
        "tls-server-name",
        "prometheus",
        "prometheus-range",
        "debug",
        "debug-image",
        "node-namespace",
    ),
    "Output": ("output", "fail-on", "record", "filename", "verbose", "help"),
    "Connection to the cluster": ("context", "cluster", "kubeconfig", "as", "as-group", "request-timeout"),
}
"""Long names of flags, and names of arguments, by the group under which every verb shows them, in this order."""

OTHERS = "Others"
"""Where what is in no group would be shown; a test keeps this empty."""

VERB_GROUPS: Mapping[str, tuple[str, ...]] = {
    "Diagnose": ("diagnose", "record"),
    "Fix": ("fix", "verify", "rollback"),
    "Learn": ("explain", "demo"),
    "Set up": ("rbac", "completion", "version"),
}
"""The verbs, by the group under which the command's help shows them."""


def write_verb_help(command: "Command", ctx: "Context", formatter: "HelpFormatter") -> None:
    """Write a verb's help."""
    sentence, *paragraphs = _paragraphs(command.help or "")
    formatter.write_text(sentence)
    _write_examples(command.name or "", formatter)
    parameters = command.get_params(ctx)
    arguments = [each for each in parameters if each.param_type_name == "argument"]
    with formatter.section("Usage"):
        formatter.write_text(" ".join([ctx.command_path, *map(_piece, arguments), "[flags]"]))
    for paragraph in paragraphs:
        if not paragraph.startswith(_EXIT_CODES):
            formatter.write_paragraph()
            formatter.write_text(paragraph)
    for group, rows in _groups(parameters):
        _write_rows(group, rows, formatter)
    _write_exit_codes(paragraphs, formatter)


def write_group_help(summaries: Mapping[str, str], command: "Command", ctx: "Context", fmt: "HelpFormatter") -> None:
    """Write the help of the command as a whole; `summaries` has a sentence for each verb."""
    for paragraph in _paragraphs(command.help or ""):
        fmt.write_text(paragraph)
    _write_examples("", fmt)
    with fmt.section("Usage"):
        fmt.write_text(f"{ctx.command_path} VERB [flags]")
    placed = {name for names in VERB_GROUPS.values() for name in names}
    others = [name for name in summaries if name not in placed]
    widest = max(map(len, summaries), default=0)
    for group, names in {**VERB_GROUPS, OTHERS: others}.items():
        _write_rows(group, [(name.ljust(widest), summaries[name]) for name in names if name in summaries], fmt)
    fmt.write_paragraph()
    fmt.write_text(f'Use "{ctx.command_path} VERB --help" for more about a verb.')


def _paragraphs(text: str) -> list[str]:
    return [" ".join(each.split()) for each in inspect.cleandoc(text).split("\n\n")]


def _write_examples(verb: str, formatter: "HelpFormatter") -> None:
    """Write commands as they are: one that is wrapped could not be copied."""
    examples = EXAMPLES.get(verb, ())
    if not examples:
        return
    with formatter.section("Examples"):
        pieces = [f"  # {each.wish}\n  {each.command}\n".replace("\n    ", "\n      ") for each in examples]
        formatter.write("\n".join(pieces))


def _write_rows(heading: str, rows: Sequence[tuple[str, str]], formatter: "HelpFormatter") -> None:
    if rows:
        with formatter.section(heading):
            formatter.write_dl(rows, col_max=_COLUMN if formatter.width >= _NARROW else _COLUMN // 3)


def _write_exit_codes(paragraphs: Iterable[str], formatter: "HelpFormatter") -> None:
    """Write the codes of a paragraph `Exit codes: 0 this; 1 that. A sentence.` as a list, sentences after them."""
    for paragraph in paragraphs:
        if paragraph.startswith(_EXIT_CODES):
            codes, _, rest = paragraph.removeprefix(_EXIT_CODES).partition(". ")
            pairs = [each.strip().partition(" ") for each in codes.rstrip(".").split(";")]
            _write_rows("Exit codes", [(code, meaning) for code, _, meaning in pairs], formatter)
            if rest:
                with formatter.indentation():
                    formatter.write_text(rest)


def _groups(parameters: "Iterable[Parameter]") -> Iterable[tuple[str, list[tuple[str, str]]]]:
    """Give each group's rows; what is in none comes last."""
    shown = {_name(each): each for each in parameters if not getattr(each, "hidden", False)}
    placed = {name for names in FLAGS.values() for name in names}
    others = [name for name in shown if name not in placed]
    for group, names in {**FLAGS, OTHERS: others}.items():
        yield group, [_row(shown[name]) for name in names if name in shown]


def _name(parameter: "Parameter") -> str:
    """Name a flag by its longest spelling, an argument as the verb's function does."""
    return max(parameter.opts, key=len).lstrip("-")


def _row(parameter: "Parameter") -> tuple[str, str]:
    if isinstance(parameter, TyperOption):
        return _flag(parameter), _text(parameter)
    return _metavar(parameter), getattr(parameter, "help", None) or ""


def _piece(argument: "Parameter") -> str:
    return _metavar(argument) if argument.required else f"[{_metavar(argument)}]"


def _metavar(argument: "Parameter") -> str:
    return argument.metavar or argument.name.upper()


def _flag(option: TyperOption) -> str:
    """Spell a flag: `-n, --namespace NAME`; flags without a letter line up with those that have one."""
    letters = [each for each in option.opts if not each.startswith("--")]
    letter = f"{letters[0]}, " if letters else "    "
    return f"{letter}--{_name(option)}{_value(option)}"


def _value(option: TyperOption) -> str:
    if option.is_flag or option.count:
        return ""
    choices = option.type_descriptor.choices
    return f" {'|'.join(map(str, choices)) if choices else option.metavar or 'VALUE'}"


def _text(option: TyperOption) -> str:
    default = option.default
    said = option.help or ""
    if option.show_default and not option.is_flag and not option.count and default not in (None, ()):
        return f"{said} (default {default})"
    return said
