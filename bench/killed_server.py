"""What is lost when a server ends without grace: calls that it had begun, before and after `fix`.

`python bench/killed_server.py [--rounds N]`, with KUBECONFIG, kubectl, kubectl-grpclb and the test cluster, whose nodes
share this machine's processes: a server is ended with SIGKILL as the kernel does it that runs out of memory, and its
pod is deleted by force. Fills a namespace that it deletes.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import time
from collections.abc import Callable

NAMESPACE = "grpclb-bench-killed"
IMAGE = "grpclb.test/envoy:1.40.0"
CHANNELS, RATE, DELAY = 10, 10, 0.05
"""Of each of the two clients: channels, calls a second on each, and the seconds that a server takes for one."""
SETTLE = 12.0
"""Seconds until everything that a kill brings about is over: restart, DNS, reconnection."""

_COUNTS = re.compile(r"answered by map\[(?P<answers>[^\]]*)\], failed (?P<failed>\d+)")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    _make()
    try:
        running = 2 * CHANNELS * RATE * DELAY
        print(f"{2 * CHANNELS * RATE} calls a second of {DELAY * 1000:.0f} ms each: {running:.0f} run at a time")
        _tell("straight to the servers", rounds)
        _grpclb("fix", "--yes", "--recycle", "clients", "--envoy-image", IMAGE)
        _tell("through Envoy", rounds)
        _grpclb("rollback", "--yes", "--recycle", "clients")
    finally:
        _kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def _tell(path: str, rounds: int) -> None:
    for how, end in (("SIGKILL", _kill), ("deleted by force", _delete)):
        lost = [_lost(end) for _ in range(rounds)]
        told = ", ".join(f"{failed} of {calls}" for failed, calls in lost)
        print(f"{path}, {how}: median {statistics.median(failed for failed, _ in lost):g} lost ({told})")


def _lost(end: Callable[[str], None]) -> tuple[int, int]:
    """End one server that is busy; give how many calls failed until all is quiet again, and how many there were."""
    busy = _busiest()
    before = _counted()
    end(busy)
    time.sleep(SETTLE)
    after = _counted()
    _kubectl("rollout", "status", "deployment/greeter", "-n", NAMESPACE, "--timeout=120s")
    return after[0] - before[0], sum(after) - sum(before)


def _busiest() -> str:
    """Name the server that has most of the calls of the last second."""
    before = _answers()
    time.sleep(1.5)
    answers = {name: calls - before.get(name, 0) for name, calls in _answers().items()}
    return max(answers, key=lambda name: answers[name])


def _answers() -> dict[str, int]:
    counted: dict[str, int] = {}
    for said in _said():
        for pair in said["answers"].split():
            name, calls = pair.rsplit(":", 1)
            counted[name] = counted.get(name, 0) + int(calls)
    return counted


def _counted() -> tuple[int, int]:
    """Give the clients' calls so far: failed and answered."""
    return sum(int(said["failed"]) for said in _said()), sum(_answers().values())


def _said() -> list[re.Match[str]]:
    names = _kubectl("get", "pods", "-n", NAMESPACE, "-l", "app=caller", "-o", "name").split()
    lines = (_kubectl("logs", "-n", NAMESPACE, name, "--tail=1") for name in names)
    return [found for line in lines if (found := _COUNTS.search(line))]


def _kill(pod: str) -> None:
    """Find the server's process by its pod's uid in its cgroup, and kill it."""
    uid = _kubectl("get", "pod", pod, "-n", NAMESPACE, "-o", "jsonpath={.metadata.uid}")
    for entry in pathlib.Path("/proc").glob("[0-9]*/cgroup"):
        process = entry.parent
        try:
            ours = uid in entry.read_text() and b"serve" in (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # ended meanwhile
        if ours:
            os.kill(int(process.name), signal.SIGKILL)


def _delete(pod: str) -> None:
    _kubectl("delete", "pod", pod, "-n", NAMESPACE, "--grace-period=0", "--force")


def _make() -> None:
    _apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    port = {"name": "grpc", "port": 80, "targetPort": 50051}
    _apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "greeter", "namespace": NAMESPACE},
            "spec": {"selector": {"app": "greeter"}, "ports": [port]},
        },
        _deployment("greeter", 3, ["serve", "-metrics-port=0", f"-delay={DELAY}s"]),
    )
    _kubectl("rollout", "status", "deployment/greeter", "-n", NAMESPACE, "--timeout=120s")
    target = ["-target=dns:///greeter:80", f"-channels={CHANNELS}", f"-rate={RATE}", "-report=300ms"]
    _apply(_deployment("caller", 2, ["call", *target]))
    _kubectl("rollout", "status", "deployment/caller", "-n", NAMESPACE, "--timeout=120s")
    time.sleep(3)


def _deployment(name: str, replicas: int, arguments: list[str]) -> dict[str, object]:
    container: dict[str, object] = {"name": name, "image": "grpclb.test/greeter:netstat", "args": arguments}
    if name == "greeter":
        container["readinessProbe"] = {"grpc": {"port": 50051}, "periodSeconds": 1}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"terminationGracePeriodSeconds": 5, "containers": [container]},
            },
        },
    }


def _apply(*objects: dict[str, object]) -> None:
    _kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


def _grpclb(verb: str, *flags: str) -> None:
    subprocess.run(["kubectl-grpclb", verb, "greeter", "-n", NAMESPACE, *flags], check=True, capture_output=True)


def _kubectl(*words: str, text: str | None = None) -> str:
    return subprocess.run(["kubectl", *words], input=text, text=True, check=True, capture_output=True).stdout


if __name__ == "__main__":
    main()
