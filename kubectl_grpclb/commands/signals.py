"""Lets what ends a process from outside end a verb that changes a cluster as Ctrl-C does: in order."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from kubectl_grpclb.model.errors import EndedError

__all__ = ["end_at_once", "ended_in_order", "ending"]

_ENDING = tuple(signal.Signals[name] for name in ("SIGTERM", "SIGHUP") if name in signal.Signals.__members__)
"""Of a job that is cancelled, and of a terminal or connection that is gone; Windows has no SIGHUP."""

_OF_A_SIGNAL = 128
"""What shells add to a signal's number for the exit code."""


def ending() -> Iterator[signal.Signals]:
    """Give the signals that end this process, without those that it is to ignore, as nohup has it."""
    yield from (each for each in _ENDING if signal.getsignal(each) is not signal.SIG_IGN)


def end_at_once(number: int, _: FrameType | None) -> NoReturn:
    """End what is asked or done now; a handler. Raises EndedError."""
    raise _ended(signal.Signals(number))


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Cancel this task at the first such signal, so that it takes back what it began; a further one disturbs nothing.

    Raises EndedError where the task ends with that.
    """
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    heeded: list[signal.Signals] = []

    def end(each: signal.Signals) -> None:
        if task is not None and not task.cancelling():  # else it is at it: a cancelled job is sent several
            heeded.append(each)
            task.cancel()

    taken = [each for each in ending() if _is_taken(loop, each, end)]
    try:
        yield
    except asyncio.CancelledError:
        if not heeded:
            raise
        raise _ended(heeded[0]) from None
    finally:
        for each in taken:
            loop.remove_signal_handler(each)


def _is_taken(loop: asyncio.AbstractEventLoop, each: signal.Signals, end: Callable[[signal.Signals], None]) -> bool:
    """Have the loop call this at a signal, where it can: that of Windows cannot."""
    try:
        loop.add_signal_handler(each, end, each)
    except NotImplementedError:
        return False
    return True


def _ended(by: signal.Signals) -> EndedError:
    return EndedError(f"ended by {by.name}", _OF_A_SIGNAL + by)
