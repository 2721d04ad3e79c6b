"""A hundred real gRPC pods and twenty clients in a namespace of their own, to be read."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["NAMESPACE", "PODS", "crowd"]

NAMESPACE = "grpclb-bench"
PODS, CALLERS = 100, 20


@contextmanager
def crowd(*, keep: bool = False) -> Iterator[None]:
    """Make the pods and await them; take them away again unless they are to be kept."""
    _make()
    try:
        yield
    finally:
        if not keep:
            _kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def _make() -> None:
    objects = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "greeter", "namespace": NAMESPACE},
            "spec": {"selector": {"app": "greeter"}, "ports": [{"name": "grpc", "port": 80, "targetPort": 50051}]},
        },
        _deployment("greeter", PODS, ["serve"]),
    ]
    _kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    _kubectl("rollout", "status", "deployment/greeter", "-n", NAMESPACE, "--timeout=600s")
    _kubectl(
        "apply",
        "-f",
        "-",
        text=json.dumps(_deployment("caller", CALLERS, ["call", "-target=dns:///greeter:80", "-rate=1"])),
    )
    _kubectl("rollout", "status", "deployment/caller", "-n", NAMESPACE, "--timeout=300s")


def _deployment(name: str, replicas: int, arguments: list[str]) -> dict[str, object]:
    ports = {"ports": [{"name": "metrics", "containerPort": 9090}]} if name == "greeter" else {}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "containers": [{"name": name, "image": "grpclb.test/greeter:netstat", "args": arguments, **ports}],
                },
            },
        },
    }


def _kubectl(*words: str, text: str | None = None) -> None:
    subprocess.run(["kubectl", *words], input=text, text=True, check=True, stdout=subprocess.DEVNULL)
