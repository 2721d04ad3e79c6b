"""The user of `fix` and `rollback`: told each step on standard error, asked on a terminal only."""

import signal
import sys
import time

from kubectl_grpclb.commands.progress import Progress, tell_user
from kubectl_grpclb.commands.show import page
from kubectl_grpclb.commands.signals import end_at_once, ending
from kubectl_grpclb.model.errors import DeclinedError, UsageError
from kubectl_grpclb.model.plan import Plan
from kubectl_grpclb.model.text import printable

__all__ = ["Conversation", "confirm"]


def _asked(question: str) -> str:
    """Ask, and read a line; Ctrl-C ends that, which asyncio's own handlers would let go on until there is a line.

    It does so from the moment that the question is there to be answered, and so do other signals.
    """
    before = {each: signal.signal(each, end_at_once) for each in ending()}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        tell_user(f"{printable(question)} [y/N] ")
        return sys.stdin.readline().strip().lower()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def confirm(question: str, otherwise: str = "") -> None:
    """Ask whether to go on. Raises DeclinedError, or UsageError where nobody can answer, with what else to do."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "nothing was changed: there is no terminal to ask on. Give --yes to go on without being asked" + otherwise
        )
    if _asked(question) not in {"y", "yes"}:
        raise DeclinedError("nothing was changed")


class Conversation:
    """A `flows.wishes.Talk` over this process's streams; `otherwise` is what else to do where nobody can answer."""

    def __init__(self, progress: Progress, *, yes: bool, otherwise: str = "") -> None:
        self._progress, self._yes, self._otherwise = progress, yes, otherwise
        self._start = time.monotonic()

    def say(self, line: str) -> None:
        """Tell a step with the seconds since the beginning; standard output stays for results."""
        self._progress.tell(f"{time.monotonic() - self._start:6.1f}s  {printable(line)}")

    def show(self, plan: Plan) -> None:
        """Show a plan; it is no result, so it goes where the steps go."""
        from kubectl_grpclb.report.plan import render_plan

        self._progress.clear()
        tell_user(render_plan(plan, page(sys.stderr)))

    def confirm(self, question: str) -> None:
        """Ask; `--yes` has answered already. Raises DeclinedError, or UsageError where nobody can answer."""
        if self._yes:
            return
        self._progress.clear()
        confirm(question, self._otherwise)

    def observe(self, what: str, done: int, total: int) -> None:
        """Say how far a reading has come, on the line that goes away again."""
        self._progress.observe(what, done, total)
