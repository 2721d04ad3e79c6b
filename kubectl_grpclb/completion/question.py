"""From the words before the cursor to what may stand there, by the command line's own definition.

typer reads the words as it does for a verb that runs, but takes no offence: what cannot be read is passed over.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kubectl_grpclb.commands import VERBS
from kubectl_grpclb.completion.protocol import Answer, Candidate, Directive

if TYPE_CHECKING:
    from typer._click.core import Command, Context, Parameter

__all__ = ["Given", "Source", "answer"]

Given = Mapping[str, Any]
"""What the words before the cursor gave: each parameter's value by its name, None where it was not given."""

Source = Callable[[Given, str], Iterable[Candidate]]
"""Finds what a parameter may be, from what was given and the beginning of the word."""


def answer(root: "Command", words: Sequence[str], sources: Mapping[str, Source]) -> Answer:
    """Tell what the last word may become, the ones before it being whole.

    Raises whatever a source raises.
    """
    # typer has no public way to ask this but through scripts of its own, which know neither files nor `:` in names.
    from typer._click.shell_completion import _resolve_context, _resolve_incomplete

    *before, word = words or [""]
    context = _resolve_context(root, {}, root.name or "", before)
    asked, beginning = _resolve_incomplete(context, before, word)
    if asked is context.command:
        unknown_verb = context.parent is None and any(not each.startswith("-") for each in before)
        return Answer() if unknown_verb else _names(context, beginning)
    if before and before[-1] in getattr(asked, "opts", ()):
        # A flag that has no value yet keeps typer from reading the arguments.
        context = _resolve_context(root, {}, root.name or "", before[:-1])
    return _values(asked, context.params, beginning, sources)  # type: ignore[arg-type] # the only other kind


def _names(context: "Context", beginning: str) -> Answer:
    """Offer flags after a hyphen, else verbs where one may stand."""
    verbs = (Candidate(name, meaning) for name, meaning in VERBS.items()) if context.parent is None else ()
    found = _flags(context) if beginning.startswith("-") else verbs
    return Answer(tuple(each for each in found if each.word.startswith(beginning)))


def _flags(context: "Context") -> Iterable[Candidate]:
    """Give the long names of the flags, without those that were given and cannot be again."""
    from typer._click.core import ParameterSource

    for parameter in context.command.get_params(context):
        again = getattr(parameter, "multiple", False)
        if context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE and not again:
            continue
        if parameter.param_type_name == "option" and not getattr(parameter, "hidden", False):
            names = [name for name in parameter.opts if name.startswith("--")]
            yield from (Candidate(name, getattr(parameter, "help", None) or "") for name in names)
            yield from (Candidate(name, f"The opposite of {names[0]}.") for name in parameter.secondary_opts)


def _values(parameter: "Parameter", given: Given, beginning: str, sources: Mapping[str, Source]) -> Answer:
    typed: Any = parameter
    if typed.type_descriptor.is_path:
        return Answer(directive=Directive.FILES)
    source = sources.get(parameter.name)
    if typed.type_descriptor.is_choice:
        found: Iterable[Candidate] = (Candidate(each.value) for each in typed.type_descriptor.choices)
    else:
        found = source(given, beginning) if source else ()
    # The metavar SOURCE,... says that the word may go on with a comma.
    more = Directive.NO_SPACE if (parameter.metavar or "").endswith(",...") else Directive(0)
    return Answer(tuple(each for each in found if each.word.startswith(beginning)), Directive.NO_FILES | more)
