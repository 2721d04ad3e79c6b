"""The scenes for sources other than sockets: each once with channelz alone and once with metrics and a shell."""

import json
import re
from collections.abc import Iterator
from datetime import datetime

from tests.e2e.kubectl import kubectl
from tests.e2e.scenes import Manifest, callers, servers, service

WAYS = ("channelz", "metrics")
"""How a scene's servers show what they do: by channelz alone without a shell, or by metrics and in a shell."""

HEAVY, USUAL = 100, 2
"""Calls a second of one client, and of each of the others."""


def named(scene: str, way: str) -> str:
    """Name a scene's Service and servers."""
    return f"{scene}-{way}"


def first() -> list[Manifest]:
    """Services and servers."""
    return [
        each
        for scene in ("heavy", "harmless", "streams")
        for way in WAYS
        for each in (service(named(scene, way)), _servers(named(scene, way), way))
    ] + [
        service("sticky"),
        servers("sticky", "distroless", channelz=True),
        service("both"),
        servers("both", "netstat", metrics=True, channelz=True),
        service("dark"),
        servers("dark", "distroless", 2),
        service("limited"),
        service("scaled"),
        requesting(servers("scaled", "distroless", channelz=True), cpu="10m"),
        autoscaler("scaled"),
        service("worked"),
        requesting(servers("worked", "shell", channelz=True), cpu="10m", limit="300m"),
        servers("limited", "distroless", 1, channelz=True, arguments=["-max-concurrent-streams=100"]),
    ]


def requesting(manifest: Manifest, cpu: str, limit: str | None = None) -> Manifest:
    """Have each pod request so much CPU."""
    resources = {"requests": {"cpu": cpu}, **({"limits": {"cpu": limit}} if limit else {})}
    manifest["spec"]["template"]["spec"]["containers"][0]["resources"] = resources
    return manifest


def autoscaler(name: str) -> Manifest:
    """An autoscaler of a Deployment that goes by CPU and has no need to add a pod as long as one of three is busy."""
    target = {"type": "Utilization", "averageUtilization": 100}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": 3,
            "maxReplicas": 4,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }


def _servers(name: str, way: str) -> Manifest:
    if way == "channelz":
        return servers(name, "distroless", channelz=True)
    return servers(name, "netstat", metrics=True)


def then(namespace: str) -> list[Manifest]:
    """The clients: those of a pod dial its address, so that connections lie where the scene wants them."""
    return [each for way in WAYS for each in _of_way(namespace, way)] + [
        callers("sticky", "sticky:80"),
        callers("both", "both:80", arguments=["-report=1s"]),
        callers("dark", "dark:80"),
        callers("scaled", f"{addresses(namespace, 'scaled')[0]}:50051", 1, rate=40),
        *(
            callers(f"worked-{number}", f"{address}:50051", 1, rate=10)
            for number, address in enumerate(addresses(namespace, "worked"))
        ),
        callers("limited", "limited:80", rate=1, replicas=1, arguments=["-streams=130"]),
    ]


def _of_way(namespace: str, way: str) -> Iterator[Manifest]:
    heavy, harmless = addresses(namespace, named("heavy", way)), addresses(namespace, named("harmless", way))
    for number, address in enumerate(heavy):
        rate = HEAVY if number == 0 else USUAL
        yield callers(f"heavy-{way}-{number}", f"{address}:50051", 1, rate=rate)
    for number, address in enumerate(harmless):
        yield callers(f"harmless-{way}-{number}", f"{address}:50051", 1, rate=50)
    idle = callers(f"idle-{way}", f"{harmless[0]}:50051", 1, arguments=["-channels=30"])
    idle["spec"]["template"]["spec"]["containers"][0]["args"].append("-rate=0.02")
    yield idle
    yield callers(f"streams-{way}", f"{named('streams', way)}:80", 1, rate=20, arguments=["-streams=2"])


def addresses(namespace: str, app: str) -> list[str]:
    """Give the addresses of an app's pods, in the order of their names."""
    pods = json.loads(kubectl("get", "pods", "-n", namespace, "-l", f"app={app}", "-o", "json"))["items"]
    return [pod["status"]["podIP"] for pod in sorted(pods, key=lambda pod: pod["metadata"]["name"])]


def answered(namespace: str, caller: str, since: datetime, seconds: float) -> dict[str, float]:
    """Give what each server answered a second, by the clients' own counts in that time."""
    total: dict[str, float] = {}
    for pod in kubectl("get", "pods", "-n", namespace, "-l", f"app={caller}", "-o", "name").split():
        lines = kubectl("logs", pod, "-n", namespace, "--timestamps").splitlines()
        told = [(_when(line), counts) for line in lines if (counts := _counts(line))]
        within = [each for each in told if 0 <= (each[0] - since).total_seconds() <= seconds]
        (begun, before), (ended, after) = within[0], within[-1]
        for name, count in after.items():
            rate = (count - before.get(name, 0)) / (ended - begun).total_seconds()
            total[name] = total.get(name, 0.0) + rate
    return total


def _counts(line: str) -> dict[str, int]:
    words = line.partition("map[")[2].partition("]")[0]
    return {name: int(count) for name, count in re.findall(r"([\w-]+):(\d+)", words)}


def _when(line: str) -> datetime:
    """Read the kubelet's time stamp, which has nanoseconds."""
    stamp = line.partition(" ")[0]
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", stamp))
