"""A hundred pods read from each source in turn: by exec, metrics, channelz and a look from each node.

`python bench/sources.py [--keep] [--rounds N] [--image IMAGE]`, with KUBECONFIG, kubectl and kubectl-grpclb at hand.
Collecting is the time from the first request to a source until the last one's answer, as a recorded file tells it.
CPU is that of the whole machine above its idling, until what a look set going has come to rest: nodes take pods away
after the process ended. The floor under a look from each node, bare pods with one exec each, stands beside it.
"""

import argparse
import json
import pathlib
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from crowd import NAMESPACE, PODS, crowd
from measure import run
from msgspec import Struct

WAYS = ("exec", "metrics", "channelz", "node")
_VERBS = {"exec": "exec", "metrics": "scrape", "channelz": "ask-channelz", "node": "look-from-node"}
_TICK = 0.01
"""Seconds of a tick of /proc/stat (USER_HZ)."""
_REST = 3.0
"""Seconds until nothing is left of a look's pods; also how long the machine's idling is measured."""


class Measured(Struct, frozen=True):
    """One run: seconds of wall whole and collecting, of the machine's CPU above idling, and peak memory in bytes."""

    whole: float
    collecting: float
    machine: float
    peak: int
    exec: float
    """The longest exec; in a look from each node what is left are the pods' start and removal."""


def main() -> None:
    """Make the pods, measure, print the ratios, take the pods away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the namespace for another run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--image", default="grpclb.test/busybox:1", help="for the look from a node")
    chosen = parser.parse_args()
    with crowd(keep=chosen.keep):
        runs: dict[str, list[Measured]] = {way: [] for way in WAYS}
        floors: list[float] = []
        for number in range(chosen.rounds + 1):
            for way in WAYS:
                measured = _run(way, chosen.image)
                if number:
                    runs[way].append(measured)
            floor = _floor(chosen.image)
            if number:
                floors.append(floor)
    _print(runs, statistics.median(floors))


def _run(way: str, image: str) -> Measured:
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryFile() as told:
        file = pathlib.Path(directory, "snapshot.json")
        command = ["kubectl-grpclb", "record", "greeter", "-n", NAMESPACE, "--window", "0", "--via", way]
        with _Work() as work:
            done = run([*command, "--debug-image", image, "-vv", "-f", str(file)], told)
        told.seek(0)
        lines = told.read().decode()
        if done.exit_code:
            sys.exit(f"{' '.join(command)}: {lines}")
        snapshot = json.loads(file.read_text())
    asked = [each for each in snapshot["readings"] if each["request"]["verb"] == _VERBS[way]]
    refused = [each for each in asked if each["answer"]["answer"] == "refused"]
    if refused or not asked:
        sys.exit(f"{way}: {len(refused)} of {len(asked)} refused: {refused[:1]}")
    execs = [int(found[1]) / 1000 for found in re.finditer(r"(\d+) ms  exec in pod", lines)]
    return Measured(done.wall, _collecting(asked), work.seconds, done.peak, max(execs, default=0.0))


def _floor(image: str) -> float:
    with _Work() as work:
        done = run([sys.executable, "bench/node_floor.py", NAMESPACE, image, str(PODS)])
    if done.exit_code:
        sys.exit(f"bench/node_floor.py ended with {done.exit_code}")
    return work.seconds


def _collecting(asked: Sequence[dict[str, Any]]) -> float:
    begun = [datetime.fromisoformat(each["at"]) for each in asked]
    ended = [at + timedelta(seconds=each["took"]) for at, each in zip(begun, asked, strict=True)]
    return (max(ended) - min(begun)).total_seconds()


class _Work:
    """Counts the seconds of CPU that the machine works for a block, above what it does when left alone."""

    seconds = 0.0

    def __enter__(self) -> "_Work":
        before = _busy()
        time.sleep(_REST)
        self._idling = (_busy() - before) / _REST
        self._begun, self._before = time.monotonic(), _busy()
        return self

    def __exit__(self, *_: object) -> None:
        time.sleep(_REST)
        self.seconds = _busy() - self._before - self._idling * (time.monotonic() - self._begun)


def _busy() -> float:
    """Give the seconds that the machine's processors have worked since it began."""
    words = pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _, _, irq, softirq, *_ = map(int, words)
    return (user + nice + system + irq + softirq) * _TICK


def _print(runs: dict[str, list[Measured]], floor: float) -> None:
    def middle(way: str, field: str) -> float:
        return float(statistics.median(getattr(one, field) for one in runs[way]))

    print(f"{'source':10} {'whole s':>8} {'collecting s':>13} {'machine CPU s':>14} {'peak MB':>8}")
    for way in WAYS:
        print(
            f"{way:10} {middle(way, 'whole'):8.2f} {middle(way, 'collecting'):13.2f} {middle(way, 'machine'):14.2f} "
            f"{max(one.peak for one in runs[way]) / 1e6:8.0f}"
        )
    collecting = {way: middle("exec", "collecting") / middle(way, "collecting") for way in WAYS}
    print(f"collecting by metrics: {collecting['metrics']:.1f} times faster than by exec (bar: 4)")
    print(f"collecting by channelz: {collecting['channelz']:.1f} times faster than by exec (bar: 2)")
    print(f"whole process by metrics: {middle('metrics', 'whole') / middle('exec', 'whole'):.2f} of exec's (bar: 0.5)")
    share = middle("node", "machine") / middle("exec", "machine")
    print(f"CPU of the machine by a look from each node: {share:.2f} of exec's (bar: 0.2)")
    print(f"the floor, a bare pod on each node with one exec: {floor:.2f} s, {floor / middle('exec', 'machine'):.2f}")
    rest = middle("node", "collecting") - middle("node", "exec")
    print(
        f"a look from each node: {rest:.2f} s for the pods' start and removal, {middle('node', 'exec'):.2f} s reading"
    )
    print(f"peak memory: {max(one.peak for each in runs.values() for one in each) / 1e6:.0f} MB (bar: 150)")


if __name__ == "__main__":
    main()
