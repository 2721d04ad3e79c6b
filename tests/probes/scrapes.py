"""Scrapes of a pod, and the pod."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.snapshot import Answer, Blob, Output, Reading, Request, Scrape
from kubectl_grpclb.probes._counters import WANTED
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.endpoints import Backend
from tests.shop import pod

DATA = Path(__file__).parent / "data"
ASK = Ask("shop", "greeter", window=5.0)
NAME = "greeter-7c9f8d5b6-x2x9k"
SCRAPE = Scrape("shop", NAME, 9090, "/metrics", WANTED, 10.0)


def a_pod(
    *ports: tuple[str, int], annotations: Mapping[str, str] | None = None, sidecar: str = "", **changes: Any
) -> Backend:
    """A server whose pod declares these ports."""
    data = pod(NAME, "10.244.0.11", **changes)
    data["metadata"]["annotations"] = dict(annotations or {})
    data["spec"]["containers"][0]["ports"] += [{"name": name, "containerPort": number} for name, number in ports]
    data["spec"]["initContainers"] = [{"name": sidecar}] if sidecar else []
    return Backend(NAME, ("10.244.0.11",), 50051, True, True, False, None, None, msgspec.convert(data, kube.Pod))


def reading(request: Request, answer: Answer, at: str = "12:00:00", took: float = 0.0) -> Reading:
    return Reading(request, answer, f"2026-11-23T{at}Z", took)


def output(text: str | bytes) -> Output:
    return Output(Blob.of(text.encode() if isinstance(text, str) else text), exit_code=0)
