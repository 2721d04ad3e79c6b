"""An Envoy in front of a Service, hand-written and not ours, asked on a real cluster what it sends to."""

import json
import pathlib
import secrets
from collections.abc import Iterator

import pytest

from tests.e2e import proxy_scenes as scenes
from tests.e2e.kubectl import apply, codes, connections, grpclb, kubectl, report, rolled_out, truth, until
from tests.e2e.scenes import names

pytestmark = pytest.mark.e2e

NAMESPACE = f"grpclb-e2e-proxies-{secrets.token_hex(3)}"
CASES = pathlib.Path(__file__).parent.parent / "cases"


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """A namespace at the restricted Pod Security level with a proxy that dials the Service."""
    kubectl("create", "namespace", NAMESPACE)
    try:
        kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
        first, then = scenes.first("dialled"), scenes.then("dialled", "STRICT_DNS", [("dialled", 80)])
        apply(NAMESPACE, first)
        rolled_out(NAMESPACE, names(first))
        apply(NAMESPACE, then)
        rolled_out(NAMESPACE, names(then))
        until("a connection of the proxy", lambda: sum(truth(NAMESPACE, "dialled").values()) > 0)
        yield NAMESPACE
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def test_a_proxy_that_dials_the_service_says_so_itself(shop: str, update_goldens: bool, tmp_path: pathlib.Path) -> None:
    file = (CASES / "proxy-dials-service" if update_goldens else tmp_path) / "snapshot.json"
    found = report("dialled", "-n", shop, "--window", "2s", "--record", str(file))

    assert (found["verdict"], next(iter(codes(found)))) == ("unbalanced", "GLB302"), found["reason"]
    assert connections(found) == truth(shop, "dialled")
    address = kubectl("get", "service", "dialled", "-n", shop, "-o", "jsonpath={.spec.clusterIP}")
    (said,) = found["findings"][0]["evidence"]
    assert f"its host {address}:80 is the Service's own address" in said
    kept = file.read_text()
    assert kept.count('"verb": "ask-envoy"') == 2
    assert f'"port": {scenes.ADMIN}' in kept


def test_from_a_file_it_is_told_in_the_same_way(shop: str, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "snapshot.json"
    live = grpclb("diagnose", "dialled", "-n", shop, "--window", "0", "--record", str(file), "-o", "json")
    replayed = grpclb("diagnose", "--from", str(file), "-o", "json")

    assert json.loads(live.stdout)
    assert replayed.stdout == live.stdout
