"""The question that `fix` and `rollback` ask at a terminal."""

import signal
from types import FrameType

import pytest

from kubectl_grpclb.commands.conversation import Conversation
from kubectl_grpclb.commands.progress import Progress


class _Terminal:
    """Both sides of a terminal; the user presses Ctrl-C as soon as the question shows."""

    def __init__(self) -> None:
        self.shown = ""

    def isatty(self) -> bool:
        return True

    def flush(self) -> None:
        """Everything shows at once."""

    def write(self, text: str) -> int:
        self.shown += text
        if "[y/N]" in text:
            signal.raise_signal(signal.SIGINT)
        return len(text)

    def readline(self) -> str:
        return "y\n"


def ignored(_: int, __: FrameType | None) -> None:
    """A handler that interrupts nothing, as asyncio's while it runs a coroutine."""


def test_ctrl_c_that_comes_as_soon_as_the_question_shows_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr("sys.stderr", terminal)
    before = signal.signal(signal.SIGINT, ignored)

    try:
        with pytest.raises(KeyboardInterrupt):
            Conversation(Progress(), yes=False).confirm("Apply this to Service greeter in namespace shop?")
        assert signal.getsignal(signal.SIGINT) is ignored
    finally:
        signal.signal(signal.SIGINT, before)
