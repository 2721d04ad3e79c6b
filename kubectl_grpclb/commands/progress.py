"""Standard error: how far a reading has come, where that is a terminal, and what went wrong."""

import os
import sys
from contextlib import suppress
from types import TracebackType

from kubectl_grpclb.model.text import printable

__all__ = ["Progress", "tell_error", "tell_user"]

_CLEAR = "\r\033[K"


def tell_user(text: str) -> None:
    """Write to standard error. That nobody listens any more, as after `2>&1 | head`, must stop no change half-way."""
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


def tell_error(message: str) -> None:
    """Say on standard error what went wrong, in one message of one or more lines."""
    lines = [printable(line) for line in message.split("\n")]
    tell_user("error: " + "\n".join(lines) + "\n")


class Progress:
    """Shows one line and takes it away again at the end, also after an error or Ctrl-C."""

    def __init__(self) -> None:
        self._shows = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write("")

    def observe(self, what: str, done: int, total: int) -> None:
        """Say how many of the readings of one sort are done."""
        self._write(f"reading {what}: {done} of {total}")

    def clear(self) -> None:
        """Make room for what stays."""
        self._write("")

    def tell(self, line: str) -> None:
        """Write a line that stays."""
        self.clear()
        tell_user(f"{line}\n")

    def _write(self, line: str) -> None:
        if self._shows:
            tell_user(_CLEAR + line)
