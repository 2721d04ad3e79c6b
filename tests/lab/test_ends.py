"""The lab leaves nothing behind, however it ends."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from kubectl_grpclb.lab.lab import Lab

MARKER = "GRPCLB_TEST_OF_ENDS"
"""An environment variable that a demo's processes inherit, by which they are found."""

DEMO = """
import asyncio
import signal
import sys

from kubectl_grpclb.lab.lab import Lab

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it

async def demo():
    async with Lab(servers=2, clients=2) as lab:
        print("running", flush=True)
        await asyncio.Event().wait()

try:
    asyncio.run(demo())
except KeyboardInterrupt:
    sys.exit(130)
"""

PROCESSES = 5
"""Of the demo's lab: two servers, two clients and the balancer."""


PATIENCE = 30.0
"""Seconds after which what has not happened never will."""


class Demo:
    """A demo in a process of its own, at the head of its process group, as under a shell."""

    def __init__(self, script: str = DEMO) -> None:
        self._marker = uuid4().hex
        self.process = subprocess.Popen(
            [sys.executable, "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
            cwd=Path(__file__).parents[2],
            env=os.environ | {MARKER: self._marker},
        )

    def children(self) -> list[psutil.Process]:
        return [
            each
            for each in psutil.process_iter()
            if each.pid != self.process.pid and environment_of(each).get(MARKER) == self._marker
        ]

    def until_running(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "running\n"

    def end(self) -> tuple[int, str]:
        """Wait for the exit status, and what was said on standard error."""
        _, said = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, said

    def signal_group(self, number: signal.Signals) -> None:
        os.killpg(self.process.pid, number)


def environment_of(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:
        return {}


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def demo() -> Iterator[Demo]:
    demo = Demo()
    yield demo
    demo.process.kill()
    demo.end()


def test_no_process_is_left_after_the_lab_is_exited() -> None:
    async def enter() -> Lab:
        async with Lab(servers=2, clients=1) as lab:
            return lab

    pids = asyncio.run(enter()).pids
    assert len(pids) == 4
    assert not any(map(psutil.pid_exists, pids))


def test_no_process_is_left_after_an_exception() -> None:
    lab = Lab(servers=2, clients=1)

    async def fail() -> None:
        async with lab:
            raise LookupError("the diagnosis failed")

    with pytest.raises(LookupError):
        asyncio.run(fail())
    assert len(lab.pids) == 4
    assert not any(map(psutil.pid_exists, lab.pids))


def test_no_process_is_left_after_cancellation_while_starting() -> None:
    lab = Lab(servers=2, clients=1)

    async def cancel() -> None:
        entering = asyncio.create_task(lab.__aenter__())
        while not lab.pids:  # noqa: ASYNC110 - nothing tells when the first process has started
            await asyncio.sleep(0)
        entering.cancel()
        await entering

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancel())
    assert lab.pids
    assert not any(map(psutil.pid_exists, lab.pids))


def test_ctrl_c_ends_every_process_in_silence(demo: Demo) -> None:
    demo.until_running()
    assert len(demo.children()) == PROCESSES
    demo.signal_group(signal.SIGINT)
    assert demo.end() == (130, "")
    assert demo.children() == []


def test_ctrl_c_while_the_lab_starts_leaves_no_process(demo: Demo) -> None:
    wait_until(lambda: len(demo.children()) > 2)
    demo.signal_group(signal.SIGINT)
    assert demo.end() == (130, "")
    assert demo.children() == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_processes_end_by_themselves_when_their_parent_is_killed(demo: Demo, number: signal.Signals) -> None:
    demo.until_running()
    assert len(demo.children()) == PROCESSES
    demo.process.send_signal(number)
    wait_until(lambda: demo.children() == [])
