"""What a report is written on."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from kubectl_grpclb.model.finding import Report

__all__ = ["Format", "Page"]


class Page(Struct, frozen=True):
    """The terminal, or what stands in for it where output is piped."""

    width: int
    """Columns. Less than 60 is taken, but then lines may be longer."""
    colour: bool
    """Whether SGR sequences may be written; nothing is said by colour alone."""
    ascii: bool = False
    """Whether everything but ASCII must be replaced, as the output's encoding has nothing else."""


Format = Callable[[Sequence[Report], Page], str]
"""Gives the whole text for some reports, each line ending in a newline."""
