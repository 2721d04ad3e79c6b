"""Event loops in which waiting takes no time: the clock jumps to whatever comes next."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar
from unittest.mock import patch

__all__ = ["run"]

Result = TypeVar("Result")


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def read(self) -> float:
        return self.now


class _Selector(selectors.SelectSelector):
    """Never waits; where nothing is ready, so many seconds have passed."""

    def __init__(self, clock: _Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everything waits, and nothing will ever come"
            self._clock.now += timeout
        return ready


def run(flow: Coroutine[Any, Any, Result]) -> Result:
    """Run a flow to its end, as `asyncio.run` does; `time.monotonic` goes with the loop."""
    clock = _Clock()

    def new_loop() -> asyncio.AbstractEventLoop:
        return asyncio.SelectorEventLoop(_Selector(clock))

    with patch("time.monotonic", clock.read), asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(flow)
