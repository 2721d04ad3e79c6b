"""Metrics endpoints that never end, lie about their length or send 50 MB, behind the real API server's pod proxy."""

import secrets
from collections.abc import Iterator

import pytest

from tests.e2e.kubectl import apply, kubectl, report, rolled_out
from tests.e2e.scenes import RESTRICTED, Manifest, callers, names, servers, service

pytestmark = pytest.mark.e2e

NAMESPACE = f"grpclb-e2e-hostile-{secrets.token_hex(3)}"
LINE = 'grpc_server_started_total{grpc_method=\\"A\\"} 1'
ANSWERS = {
    "endless": f"{{ printf 'HTTP/1.1 200 OK\\r\\n\\r\\n'; busybox yes \"{LINE}\"; }}",
    "liar": f"printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 100000\\r\\n\\r\\n%s\\n' \"{LINE}\"",
    "huge": "{ printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 50000000\\r\\n\\r\\n'; "
    "busybox yes 'go_gc_duration_seconds 0.0001' | busybox head -c 50000000; }",
}
"""What each says, as a shell's command."""


def hostile(name: str) -> Manifest:
    """A server that serves channelz, with a container beside it that answers at the metrics port."""
    made = servers(name, "distroless", 1, channelz=True)
    template = made["spec"]["template"]
    template["metadata"]["labels"]["of"] = "hostile"
    template["spec"]["containers"].append(
        {
            "name": "metrics",
            "image": "grpclb.test/busybox:1",
            "command": ["sh", "-c", f"while :; do {ANSWERS[name]} | busybox nc -l -p 9090; done"],
            "ports": [{"name": "metrics", "containerPort": 9090}],
            "securityContext": RESTRICTED,
        }
    )
    return made


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """One Service with a server of each kind, and clients."""
    kubectl("create", "namespace", NAMESPACE)
    try:
        first = [service("hostile", selector={"of": "hostile"}), *map(hostile, ANSWERS)]
        apply(NAMESPACE, first)
        rolled_out(NAMESPACE, names(first))
        then = [callers("hostile", "hostile:80", rate=50)]
        apply(NAMESPACE, then)
        rolled_out(NAMESPACE, names(then))
        yield NAMESPACE
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def test_hostile_metrics_are_that_sources_gap_and_channelz_answers_all_the_same(shop: str) -> None:
    found = report("hostile", "-n", shop, "--window", "2s", "--via", "metrics,channelz")

    uses = {row["source"]: row for row in found["sources"]}
    assert (uses["metrics"]["asked"], uses["metrics"]["answered"]) == (3, 0)
    assert (uses["channelz"]["asked"], uses["channelz"]["answered"]) == (3, 3)
    assert found["balance"]["sources"] == ["channelz"]
    assert {pod["name"].partition("-")[0]: "channelz" in pod["sources"] for pod in found["pods"]} == dict.fromkeys(
        ANSWERS, True
    )
