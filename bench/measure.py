"""Times commands as whole processes, in turn, so that a drifting machine is fair to all of them."""

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import IO

from msgspec import Struct

__all__ = ["Run", "in_turn", "median", "run", "table"]


class Run(Struct, frozen=True):
    """One run of one command: seconds of wall and of CPU in its own processes, peak memory in bytes."""

    wall: float
    cpu: float
    peak: int
    exit_code: int


def in_turn(commands: Mapping[str, Sequence[str]], rounds: int, warm_up: int = 1) -> dict[str, list[Run]]:
    """Run each command once a round; the rounds of the warm-up are not counted."""
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(warm_up + rounds):
        for name, command in commands.items():
            one = run(command)
            if number >= warm_up:
                runs[name].append(one)
    return runs


def median(runs: Sequence[Run]) -> float:
    """The median of the wall times, in seconds."""
    return statistics.median(each.wall for each in runs)


def table(runs: Mapping[str, Sequence[Run]]) -> str:
    """A line a command: wall as minimum, median and maximum, CPU, peak memory, exit codes."""
    lines = [f"{'command':44} {'wall s: min / median / max':>28} {'cpu s':>7} {'peak MB':>8}  exit"]
    for name, each in runs.items():
        walls = sorted(run.wall for run in each)
        lines.append(
            f"{name:44} {walls[0]:9.3f} / {median(each):6.3f} / {walls[-1]:6.3f} "
            f"{statistics.median(run.cpu for run in each):7.2f} {max(run.peak for run in each) / 1e6:8.1f}  "
            f"{sorted({run.exit_code for run in each})}"
        )
    return "\n".join(lines)


def run(command: Sequence[str], complaints: IO[bytes] | int = subprocess.DEVNULL) -> Run:
    """Run a command once, its standard error into `complaints`."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=complaints)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Run(
        wall=time.monotonic() - started,
        cpu=usage.ru_utime + usage.ru_stime,
        peak=usage.ru_maxrss * 1024,
        exit_code=process.returncode,
    )
