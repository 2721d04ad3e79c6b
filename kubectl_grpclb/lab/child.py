"""The parent's side: processes that are started, listened to, and never left behind."""

import asyncio
import os
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from kubectl_grpclb.lab.messages import Message

__all__ = ["Child", "end_all"]

_GRACE = 2.0
"""Seconds that a process has to end before it is killed."""

_LONGEST_LINE = 1 << 20
"""Bytes; a tally of a hundred servers takes some four thousand."""


class Child:
    """A process of the lab that is given its name and whatever it says."""

    def __init__(self, name: str, process: Process, hear: Callable[[str, Message | None], None]) -> None:
        self.name = name
        self.pid = process.pid
        self._process = process
        self._hear = hear
        self._words: deque[str] = deque(maxlen=8)
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(
        cls, name: str, module: str, arguments: Iterable[str], hear: Callable[[str, Message | None], None]
    ) -> "Child":
        """Run a module of the lab; `hear` is told the name and the message, None when the process ends.

        It gets a session of its own, so that Ctrl-C reaches the parent alone, which then ends it in order.
        """
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", f"kubectl_grpclb.lab.{module}", *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            limit=_LONGEST_LINE,
            env=os.environ | {"PYTHONPATH": _path(), "GRPC_VERBOSITY": "ERROR"},
        )
        return cls(name, process, hear)

    @property
    def ended(self) -> bool:
        """Whether the process, and whatever it has started, has closed its output, as it does when it ends."""
        return self._listening.done()

    @property
    def last_words(self) -> str:
        """What it said last that was no message: why it failed, as a rule."""
        return self._words[-1] if self._words else "it gave no reason"

    def tell(self, instruction: Struct) -> None:
        """Send the process its instruction."""
        if self._process.stdin is not None:
            self._process.stdin.write(msgspec.json.encode(instruction) + b"\n")

    def end(self) -> None:
        """Ask the process to end."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()

    def kill(self) -> None:
        """Leave the process no choice, nor any process that it has started and that holds its output."""
        if not self.ended:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    async def gone(self) -> None:
        """Wait until the process has ended and is reaped, and what it has started has ended."""
        await self._process.wait()
        await asyncio.wait([self._listening])

    async def _listen(self) -> None:
        if self._process.stdout is not None:
            async for line in self._process.stdout:
                self._take(line)
        asyncio.get_running_loop().call_soon(self._hear, self.name, None)

    def _take(self, line: bytes) -> None:
        try:
            message: Message = msgspec.json.decode(line, type=Message)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._words.append(line.decode(errors="replace").strip())
        else:
            self._hear(self.name, message)


async def end_all(children: Iterable[Child]) -> None:
    """End and reap every process, whatever it takes."""
    ending = list(children)
    for child in ending:
        child.end()
    try:
        async with asyncio.timeout(_GRACE):
            await _all_gone(ending)
    except TimeoutError:
        pass
    finally:
        for child in ending:
            child.kill()
        await _all_gone(ending)


async def _all_gone(children: list[Child]) -> None:
    await asyncio.gather(*(child.gone() for child in children))


def _path() -> str:
    """Say where this package and what it needs are found; the user's working directory is not among it."""
    return os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)])
