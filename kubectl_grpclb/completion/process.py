"""One process that answers a shell: quick or silent, and never in the way of the user's terminal."""

import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from kubectl_grpclb.completion.protocol import Answer, rendered

if TYPE_CHECKING:
    from typer._click.core import Command

__all__ = ["LIMIT_VARIABLE", "complete"]

LIMIT = 1.5
"""Seconds within which there is an answer, whatever hangs: a cluster, a credential plugin, a disk."""

LIMIT_VARIABLE = "GRPCLB_COMPLETION_SECONDS"
"""The environment's own limit, for who has a slow cluster and would rather wait."""

LONGEST = 60.0
"""Seconds that it may be at most."""


def complete(root: "Command", words: Sequence[str]) -> NoReturn:
    """Write what the last word may become, and end the process; whatever goes wrong is no candidate."""
    try:
        reply = _Reply(_silenced())
    except OSError:  # standard output is closed: nobody asks
        os._exit(0)
    watch = threading.Timer(_limit(os.environ), reply.give, [Answer()])
    watch.daemon = True
    watch.start()
    answered = Answer()
    with suppress(BaseException):
        from kubectl_grpclb.completion.question import answer
        from kubectl_grpclb.completion.sources import SOURCES

        answered = answer(root, words, SOURCES)
    reply.give(answered)
    raise AssertionError("the process has ended")


def _limit(environ: Mapping[str, str]) -> float:
    """Give the environment's limit where it is one, in seconds."""
    try:
        wanted = float(environ[LIMIT_VARIABLE])
    except (KeyError, ValueError):
        return LIMIT
    return wanted if 0 < wanted <= LONGEST else LIMIT


class _Reply:
    """What goes to the shell, once: from whoever is first, the answer or the end of the time."""

    def __init__(self, stdout: int) -> None:
        self._stdout = stdout
        self._first = threading.Lock()

    def give(self, answer: Answer) -> None:
        """Write it, end what was started and does not end by itself, and end the process without ado."""
        self._first.acquire()
        with suppress(OSError), open(self._stdout, "wb") as stdout:  # noqa: PTH123 -- a descriptor has no path
            stdout.write(rendered(answer).encode("utf-8", "replace"))
        if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
            with suppress(OSError):
                os.killpg(0, signal.SIGTERM)
        os._exit(0)


def _silenced() -> int:
    """Keep this process, and every one that it starts, from reading and writing anything; give standard output.

    kubectl hands a plugin's completion the user's terminal. A credential plugin that finds one, as its standard input
    or as /dev/tty, may ask there, in the middle of a line that is being typed.
    """
    _leave_terminal()
    stdout = os.dup(1)  # which no other program inherits
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    sys.stdin, sys.stdout, sys.stderr = (open(os.devnull, mode) for mode in ("r", "w", "w"))  # noqa: SIM115, PTH123 -- stay
    return stdout


def _leave_terminal() -> None:
    """Become a session of its own, without a terminal; its end ends what it started."""
    if not hasattr(os, "setsid"):
        return  # Windows
    try:
        os.setsid()
    except PermissionError:  # a shell has made it the first of a process group; its child is not
        if child := os.fork():
            os.waitpid(child, 0)
            os._exit(0)
        os.setsid()
    signal.signal(signal.SIGTERM, lambda *_: None)  # programs that it starts do not inherit a handler
