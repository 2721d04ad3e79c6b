"""The flags of fix, verify and rollback, where no cluster is needed to tell."""

import json
import pathlib
import subprocess
import sys

import pytest
import yaml

from kubectl_grpclb.model.snapshot import encode_snapshot
from tests.commands.test_command_line import run
from tests.probes.asked import read
from tests.shop import service, sticky

FIX = (
    "--namespace --context --cluster --kubeconfig --as --as-group --request-timeout --yes --dry-run --diff --output "
    "--strategy --recycle --stage-only --timeout --port --window --from --cluster-domain --envoy-image --replicas "
    "--lb-policy --autoscale --network-policy --access-log --connection-age "
    "--via --metrics-port --metrics-path --prometheus --prometheus-range --channelz-port --client-channelz-port --tls "
    "--tls-ca --tls-server-name"
)


@pytest.fixture
def recorded(tmp_path: pathlib.Path) -> pathlib.Path:
    """A recorded sticky Service."""
    file = tmp_path / "greeter.json"
    file.write_bytes(encode_snapshot(read(sticky())))
    return file


@pytest.mark.parametrize(
    ("verb", "flags"),
    [
        (
            "fix",
            FIX,
        ),
        ("verify", "--namespace --context --kubeconfig --output --port --window --cluster-domain"),
        ("rollback", "--namespace --context --kubeconfig --yes --recycle --timeout --receipt"),
    ],
)
def test_help_shows_every_flag(verb: str, flags: str) -> None:
    shown = run(verb, "--help").stdout.decode()

    assert [flag for flag in flags.split() if flag not in shown] == []


@pytest.mark.parametrize(
    ("words", "exit_code", "says"),
    [
        (("fix",), 2, "name the Service to fix"),
        (("verify",), 2, "SERVICE"),
        (("rollback",), 2, "SERVICE"),
        (("fix", "deploy/greeter"), 2, "is not a Service"),
        (("verify", "deploy/greeter"), 2, "is not a Service"),
        (("rollback", "deploy/greeter"), 2, "is not a Service"),
        (("fix", "greeter", "--dry-run", "--diff"), 2, "give only one of them"),
        (("fix", "greeter", "--dry-run=maybe"), 2, "maybe"),
        (("fix", "greeter", "--strategy", "prayer"), 2, "prayer"),
        (("fix", "greeter", "--replicas", "1"), 2, "--replicas"),
        (("fix", "greeter", "--autoscale", "1"), 2, "--autoscale"),
        (("fix", "greeter", "--lb-policy", "random"), 2, "random"),
        (("fix", "greeter", "--timeout", "soon"), 2, "--timeout"),
        (("fix", "greeter", "--connection-age", "old"), 2, "--connection-age"),
        (("fix", "greeter", "--connection-age", "9.9s"), 2, "--connection-age must be 10s or more, or 0"),
        (("fix", "greeter", "--window", "11m"), 2, "--window"),
        (("fix", "greeter", "-o", "table"), 2, "table"),
        (("fix", "greeter", "--recycle", "servers"), 2, "servers"),
        (("fix", "greeter", "--from", "x.json"), 2, "--from"),
        (("fix", "--from", "x.json", "--yes"), 2, "--from"),
        (("fix", "--from", "x.json", "--diff"), 2, "--from"),
        (("fix", "--from", "x.json", "--dry-run=server"), 2, "--from"),
        (("fix", "--from", "x.json", "--channelz-port", "9090"), 2, "no flags for sources"),
        (("fix", "greeter", "--via", "node"), 2, "add to the cluster"),
        (("fix", "greeter", "--via", "auto,debug"), 2, "add to the cluster"),
        (("fix", "greeter", "--via", "sockets"), 2, "--via takes auto, metrics"),
        (("fix", "greeter", "--debug"), 2, "--debug"),
        (("fix", "--from", "/nonexistent/file"), 2, "No such file"),
        (("verify", "greeter", "--window", "-1"), 2, "--window"),
        (("rollback", "greeter", "--timeout", "soon"), 2, "--timeout"),
        (("fix", "greeter", "--yes"), 4, "kubeconfig"),
        (("fix", "greeter", "--dry-run"), 4, "kubeconfig"),
        (("fix", "greeter", "--dry-run=server"), 4, "kubeconfig"),
        (("fix", "greeter", "--dry-run=none"), 4, "kubeconfig"),
        (("fix", "--dry-run", "greeter"), 4, "kubeconfig"),
        (("fix", "greeter", "--diff"), 4, "kubeconfig"),
        (("verify", "svc/greeter"), 4, "kubeconfig"),
        (("rollback", "service/greeter", "-y"), 4, "kubeconfig"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_message(words: tuple[str, ...], exit_code: int, says: str) -> None:
    done = run(*words)

    assert done.returncode == exit_code, done.stderr
    assert says in done.stderr.decode()
    assert done.stdout == b""
    assert b"Traceback" not in done.stderr


def test_a_recorded_file_gives_manifests_on_standard_output_and_the_plan_beside_it(recorded: pathlib.Path) -> None:
    done = run("fix", "--from", str(recorded), "--strategy", "envoy", "--dry-run")

    kinds = [each["kind"] for each in yaml.safe_load_all(done.stdout) if each]
    assert done.returncode == 0, done.stderr
    assert kinds == ["Service", "ConfigMap", "PodDisruptionBudget", "Deployment"]
    assert b"Put Envoy before the pods of greeter" in done.stderr


def test_a_recorded_file_may_come_from_standard_input(recorded: pathlib.Path) -> None:
    done = run("fix", "--from", "-", "--strategy", "envoy", "-o", "json", stdin=recorded.read_bytes())

    assert json.loads(done.stdout)["kind"] == "List"


def test_a_recorded_file_whose_plan_is_refused_gives_manifests_and_fails(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "greeter.json"
    file.write_bytes(encode_snapshot(read(sticky(services=[service(internalTrafficPolicy="Local")]))))

    done = run("fix", "--from", str(file), "--strategy", "envoy")

    assert done.returncode == 4
    assert b"kind: Deployment" in done.stdout
    assert b"do not apply what is shown: The Service has internalTrafficPolicy Local" in done.stderr


def test_the_users_choices_are_in_the_manifests(recorded: pathlib.Path) -> None:
    flags = "--envoy-image registry.example.com/envoy:1.40.0 --replicas 4 --lb-policy least-request --network-policy"
    done = run("fix", "--from", str(recorded), "--strategy", "envoy", *flags.split(), "--connection-age", "1m30s")

    made = {each["kind"]: each for each in yaml.safe_load_all(done.stdout) if each}
    assert made["Deployment"]["spec"]["replicas"] == 4
    assert made["Deployment"]["spec"]["template"]["spec"]["containers"][0]["image"].startswith("registry.example.com/")
    assert "least_request" in made["ConfigMap"]["data"]["envoy.yaml"]
    assert "max_connection_duration: 90s" in made["ConfigMap"]["data"]["envoy.yaml"]
    assert "NetworkPolicy" in made


def test_an_autoscaler_and_a_log_of_all_calls_are_in_the_manifests(recorded: pathlib.Path) -> None:
    done = run("fix", "--from", str(recorded), "--strategy", "envoy", "--autoscale", "6", "--access-log", "all")

    made = {each["kind"]: each for each in yaml.safe_load_all(done.stdout) if each}
    assert made["HorizontalPodAutoscaler"]["spec"]["maxReplicas"] == 6
    assert "access_log" in made["ConfigMap"]["data"]["envoy.yaml"]
    assert "grpc_status_filter" not in made["ConfigMap"]["data"]["envoy.yaml"]


@pytest.mark.parametrize("never", ["0", "0s"])
def test_an_age_of_zero_lets_connections_live_for_ever(recorded: pathlib.Path, never: str) -> None:
    done = run("fix", "--from", str(recorded), "--strategy", "envoy", "--connection-age", never)

    assert done.returncode == 0, done.stderr
    assert b"grpc_timeout_header_max" in done.stdout
    assert b"max_connection_duration" not in done.stdout


@pytest.mark.parametrize("heavy", ["kubernetes", "grpc", "aiohttp", "rich", "psutil", "yaml", "pydantic"])
def test_help_of_the_new_verbs_imports_nothing_heavy(heavy: str) -> None:
    program = (
        "import runpy, sys; sys.argv = ['kubectl-grpclb', 'fix', '--help']\n"
        "try: runpy.run_module('kubectl_grpclb', run_name='__main__')\n"
        f"except SystemExit: sys.exit({heavy!r} in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 0
