"""What a shell is told: the protocol of cobra's `__complete`, which kubectl speaks with its plugins.

A candidate a line, with what it means after a tab, and `:` with a number as the last line
(spf13/cobra completions.go, kubernetes/kubectl pkg/cmd/plugin/plugin_completion.go).
"""

import re
from enum import IntFlag

from msgspec import Struct

from kubectl_grpclb.model.text import printable

__all__ = ["Answer", "Candidate", "Directive", "rendered"]

_WORD = re.compile(r"[A-Za-z0-9-][A-Za-z0-9._:/@+,-]*")
"""What shells take as it is, also those whose completion expands it once more. Nothing else is offered."""


class Directive(IntFlag):
    """How the shell goes on; cobra's ShellCompDirective has the numbers."""

    FILES = 0
    """Where there is no candidate, files are."""
    NO_SPACE = 2
    """The word may go on after the candidate."""
    NO_FILES = 4


class Candidate(Struct, frozen=True):
    """One word that fits, and what it means."""

    word: str
    meaning: str = ""


class Answer(Struct, frozen=True):
    """Everything that a shell is told; by default nothing."""

    candidates: tuple[Candidate, ...] = ()
    directive: Directive = Directive.NO_FILES


def rendered(answer: Answer) -> str:
    """Give the lines; a word that a shell could take for anything but a word is left out."""
    lines = [_line(each) for each in answer.candidates if _WORD.fullmatch(each.word)]
    return "".join(f"{line}\n" for line in [*lines, f":{answer.directive.value}"])


def _line(candidate: Candidate) -> str:
    meaning = printable(" ".join(candidate.meaning.split()))
    return f"{candidate.word}\t{meaning}" if meaning else candidate.word
