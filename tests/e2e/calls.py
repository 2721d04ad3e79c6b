"""What clients count of their own calls, over all pods that they ever ran in."""

import re
import subprocess
import threading
import time
from collections import Counter

from msgspec import Struct

from tests.e2e.kubectl import kubectl

_LINE = re.compile(r"answered by map\[(?P<answers>[^\]]*)\], failed (?P<failed>\d+)")


class Count(Struct, frozen=True):
    """Calls since the clients began."""

    answered: dict[str, int]
    """By the server that answered."""
    failed: int


class Calls:
    """Follows the logs of every client pod from its first line to its last, in the background."""

    def __init__(self, namespace: str, labels: str) -> None:
        self._namespace, self._labels = namespace, labels
        self._last: dict[str, Count] = {}
        self._followed: dict[str, subprocess.Popen[str]] = {}
        self._readers: list[threading.Thread] = []
        self._ending = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Calls":
        self._watching.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._watching.join()
        for process in list(self._followed.values()):
            process.terminate()
            process.wait()
        for reader in self._readers:
            reader.join()

    def count(self) -> Count:
        """Add up what all pods have said so far."""
        answered: Counter[str] = Counter()
        for each in list(self._last.values()):
            answered.update(each.answered)
        return Count(dict(answered), sum(each.failed for each in list(self._last.values())))

    def during(self, seconds: float) -> Count:
        """Count for so long."""
        before = self.count()
        time.sleep(seconds)
        after = self.count()
        answered = {name: calls - before.answered.get(name, 0) for name, calls in after.answered.items()}
        return Count({name: calls for name, calls in answered.items() if calls}, after.failed - before.failed)

    def _watch(self) -> None:
        while not self._ending.wait(0.3):
            names = kubectl("get", "pods", "-n", self._namespace, "-l", self._labels, "-o", "name").split()
            for name in names:
                if name not in self._followed:
                    self._follow(name)

    def _follow(self, name: str) -> None:
        process = subprocess.Popen(
            ["kubectl", "logs", "-f", "-n", self._namespace, name, "--pod-running-timeout=60s"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._followed[name] = process
        reader = threading.Thread(target=self._read, args=(name, process), daemon=True)
        self._readers.append(reader)
        reader.start()

    def _read(self, name: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                if found := _LINE.search(line):
                    pairs = (pair.rsplit(":", 1) for pair in found["answers"].split())
                    self._last[name] = Count({server: int(calls) for server, calls in pairs}, int(found["failed"]))
        if process.wait() and not self._ending.is_set():
            self._followed.pop(name, None)  # the container had not started yet: try again
