"""What a report is written on."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from kubectl_grpclb.model.finding import Report

__all__ = ["Format", "Page"]


class Page(Struct, frozen=True):
    """The terminal, or what stands in for it where output is piped, and what was asked for."""

    width: int
    """Columns. Less than 60 is taken, but then lines may be longer."""
    colour: bool
    """Whether SGR sequences may be written; nothing is said by colour alone."""
    ascii: bool = False
    """Whether everything but ASCII must be replaced, as the output's encoding has nothing else."""
    several: bool = False
    """Whether several reports were asked for: then data is a list even where there is but one."""


Format = Callable[[Sequence[Report], Page], str]
"""Gives the whole text for some reports, each line ending in a newline."""
