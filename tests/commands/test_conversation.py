"""The question that `fix` and `rollback` ask at a terminal, and the signals that end them."""

import asyncio
import signal
from types import FrameType

import pytest

from kubectl_grpclb.commands.conversation import Conversation
from kubectl_grpclb.commands.progress import Progress
from kubectl_grpclb.commands.signals import ended_in_order
from kubectl_grpclb.model.errors import EndedError

PATIENCE = 30.0


class _Terminal:
    """Both sides of a terminal; a signal comes as soon as the question shows: the user presses Ctrl-C, or another."""

    def __init__(self, comes: signal.Signals = signal.SIGINT) -> None:
        self.shown, self._comes = "", comes

    def isatty(self) -> bool:
        return True

    def flush(self) -> None:
        """Everything shows at once."""

    def write(self, text: str) -> int:
        self.shown += text
        if "[y/N]" in text:
            signal.raise_signal(self._comes)
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


@pytest.mark.parametrize(("comes", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["term", "hup"])
def test_another_signal_ends_the_question_too_and_nothing_was_changed(
    monkeypatch: pytest.MonkeyPatch, comes: signal.Signals, code: int
) -> None:
    terminal = _Terminal(comes)
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr("sys.stderr", terminal)
    before = signal.signal(comes, ignored)

    try:
        with pytest.raises(EndedError, match=f"ended by {comes.name}") as caught:
            Conversation(Progress(), yes=False).confirm("Apply this to Service greeter in namespace shop?")
        assert signal.getsignal(comes) is ignored
    finally:
        signal.signal(comes, before)

    assert caught.value.exit_code == code


async def tidying(done: list[str], *signals: signal.Signals) -> None:
    """Be ended by signals, and tidy up, which takes a moment."""
    with ended_in_order():
        try:
            signal.raise_signal(signals[0])
            await asyncio.sleep(PATIENCE)
        finally:
            for each in signals[1:]:
                signal.raise_signal(each)
            await asyncio.sleep(0.01)
            done.append("tidied")


@pytest.mark.parametrize(
    "more", [(), (signal.SIGTERM,), (signal.SIGHUP, signal.SIGTERM)], ids=["once", "twice", "more"]
)
def test_what_is_taken_back_after_a_signal_is_not_disturbed_by_the_next_one(more: tuple[signal.Signals, ...]) -> None:
    done: list[str] = []

    with pytest.raises(EndedError, match="ended by SIGTERM"):
        asyncio.run(tidying(done, signal.SIGTERM, *more))

    assert done == ["tidied"]
