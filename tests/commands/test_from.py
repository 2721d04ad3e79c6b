"""`--from`: what comes from a file, and which flags cannot be about it."""

from pathlib import Path

import pytest

from kubectl_grpclb.cli import app
from kubectl_grpclb.commands.sources import Sources
from kubectl_grpclb.model.errors import UsageError

ABOUT_A_CLUSTER = [
    ("-n", "shop"),
    ("--namespace=",),
    ("--port", "grpc"),
    ("--context", "prod"),
    ("--cluster", "prod"),
    ("--kubeconfig", "config"),
    ("--as", "jo"),
    ("--as-group", "dev"),
    ("--request-timeout", "15s"),
    ("--cluster-domain", "cluster.local"),
    ("--window", "5s"),
]
OF_SOURCES = [
    ("--via", "auto"),
    ("--metrics-port", "9090"),
    ("--prometheus-range", "5m"),
    ("--tls",),
    ("--debug-image", Sources().debug_image),
]


def run(*words: str) -> None:
    app(args=list(words), prog_name="kubectl grpclb", standalone_mode=False)


@pytest.mark.parametrize("flag", [("greeter",), *ABOUT_A_CLUSTER, *OF_SOURCES, ("--record", "greeter.json")])
def test_a_diagnosis_of_a_file_takes_no_flag_that_would_be_ignored(flag: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=r"--from takes everything from the file: .* \(here: (--|SERVICE)"):
        run("diagnose", "--from", "/nonexistent/greeter.json", *flag)


@pytest.mark.parametrize(
    "flag", [("greeter",), *ABOUT_A_CLUSTER, *OF_SOURCES[:-1], ("--yes",), ("--diff",), ("--dry-run=server",)]
)
def test_a_plan_from_a_file_takes_no_flag_that_would_be_ignored(flag: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=r"--from plans from a file and changes nothing: .* \(here: (--|SERVICE)"):
        run("fix", "--from", "/nonexistent/greeter.json", *flag)


@pytest.mark.parametrize(
    "flags",
    [
        ("diagnose", "-o", "wide", "--fail-on", "never", "-v"),
        ("fix", "-v", "--dry-run=client", "-o", "yaml", "--strategy", "envoy", "--recycle", "none", "--stage-only"),
        ("fix", "--timeout", "1m", "--envoy-image", "envoy", "--replicas", "3", "--lb-policy", "round-robin"),
        ("fix", "--autoscale", "4", "--no-network-policy", "--access-log", "none", "--connection-age", "5m"),
    ],
)
def test_what_is_made_of_the_file_may_be_said(flags: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="could not read"):
        run(*flags, "--from", str(tmp_path / "missing.json"))
