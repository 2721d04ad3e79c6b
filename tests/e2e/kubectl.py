"""kubectl and kubectl-grpclb as users run them, and the truth about sockets as the node sees it."""

import json
import pathlib
import socket
import subprocess
import time
from collections.abc import Callable
from typing import Any

ESTABLISHED = "01"


def kubectl(*words: str, stdin: str | None = None) -> str:
    """Run kubectl; its failure is the test's."""
    done = subprocess.run(["kubectl", *words], input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
    return done.stdout


def apply(namespace: str, manifests: list[dict[str, Any]]) -> None:
    """Create the manifests' objects in a namespace."""
    kubectl(
        "apply", "-n", namespace, "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
    )


def rolled_out(namespace: str, deployments: list[str]) -> None:
    """Wait until all pods of the Deployments are ready."""
    for deployment in deployments:
        kubectl("rollout", "status", deployment, "-n", namespace, "--timeout=300s")


def grpclb(*words: str, program: tuple[str, ...] = ("kubectl", "grpclb")) -> subprocess.CompletedProcess[str]:
    """Run the plugin through the real kubectl, as users do."""
    return subprocess.run([*program, *words], capture_output=True, text=True, check=False, timeout=120)


def report(*words: str) -> dict[str, Any]:
    """Diagnose, and give the report; a traceback or an empty answer is the test's failure."""
    done = grpclb("diagnose", *words, "-o", "json")
    assert "Traceback" not in done.stderr
    assert done.stdout, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read | {"exitCode": done.returncode}


def codes(found: dict[str, Any]) -> list[str]:
    """The codes of a report's findings, the leading one first."""
    return [finding["code"] for finding in found["findings"]]


def connections(found: dict[str, Any]) -> dict[str, int | None]:
    """How many connections the report gives each pod."""
    return {pod["name"]: pod["connections"] for pod in found["pods"]}


def truth(namespace: str, app: str, port: int = 50051) -> dict[str, int]:
    """Count each pod's established connections from other pods to a port by reading /proc from the node.

    The nodes share this machine's processes, so the pod's sockets are in /proc/PID/net of the process whose
    cgroup carries the pod's uid. The kubelet's probes, which come and go, are from no pod's address.
    """
    pods = json.loads(kubectl("get", "pods", "-n", namespace, "-o", "json"))["items"]
    addresses = {pod["status"].get("podIP") for pod in pods}
    processes = _processes()
    return {
        pod["metadata"]["name"]: _established(processes[pod["metadata"]["uid"]], port, addresses)
        for pod in pods
        if pod["metadata"]["labels"]["app"] == app
    }


def until(what: str, holds: Callable[[], bool], seconds: float = 90) -> None:
    """Await a condition."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{what} within {seconds:.0f} s"
        time.sleep(0.5)


def _processes() -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*/cgroup"):
        try:
            words = entry.read_text()
        except OSError:
            continue  # the process has ended meanwhile
        for part in words.replace("/", "\n").splitlines():
            if part.startswith("pod") and len(part) == 39:
                found.setdefault(part[3:], []).append(int(entry.parent.name))
    return found


def _established(processes: list[int], port: int, peers: set[str]) -> int:
    rows = _sockets(processes)
    return sum(
        row[3] == ESTABLISHED and int(row[1].rpartition(":")[2], 16) == port and _ipv4(row[2]) in peers for row in rows
    )


def _sockets(processes: list[int]) -> list[list[str]]:
    """List the sockets of a pod by a process of it that is still there: a probe's ends at once."""
    for process in sorted(processes):
        try:
            tables = [pathlib.Path(f"/proc/{process}/net/{name}").read_text() for name in ("tcp", "tcp6")]
        except OSError:
            continue
        return [line.split() for table in tables for line in table.splitlines()[1:]]
    raise AssertionError(f"none of the processes {processes} is there any more")


def _ipv4(end: str) -> str:
    """Spell the address of a line's end, `0100007F:1F90`; the last word of an IPv6 one that maps an IPv4."""
    word = bytes.fromhex(end.rpartition(":")[0][-8:])
    return socket.inet_ntoa(word[::-1])
