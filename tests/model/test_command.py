"""Commands to copy: what they carry, and how their words are quoted."""

import shlex
from importlib import import_module
from inspect import signature

import pytest

from kubectl_grpclb.commands import VERBS
from kubectl_grpclb.model.command import NOT_GIVEN, READING_VERBS, Aim, ClusterFlags, SourceFlags

STAGING = ClusterFlags(context="staging", cluster="east", kubeconfig="staging.yaml")
GREETER = Aim("shop", "greeter", "api", STAGING)


def test_a_command_says_which_cluster_as_the_user_did() -> None:
    assert GREETER.kubectl("edit", "service", "greeter") == (
        "kubectl edit service greeter -n shop --context staging --cluster east --kubeconfig staging.yaml"
    )


def test_without_such_flags_a_command_has_none() -> None:
    assert Aim("shop", "greeter").kubectl("edit", "service", "greeter") == "kubectl edit service greeter -n shop"


def test_an_empty_flag_is_none_as_kubectl_takes_it() -> None:
    assert ClusterFlags(context="", cluster="", kubeconfig="").words() == ()


def test_what_a_command_does_stands_after_where() -> None:
    aim = Aim("shop", "greeter", flags=ClusterFlags(context="staging"))

    assert aim.kubectl("get", "pods", namespace="jobs", options=("-l", "app=caller")) == (
        "kubectl get pods -n jobs --context staging -l app=caller"
    )


def test_a_command_for_no_namespace_says_which_cluster_too() -> None:
    flags = ClusterFlags(context="staging")

    assert flags.kubectl("get", "nodes", namespace=None) == "kubectl get nodes --context staging"


@pytest.mark.parametrize("path", ["my clusters/staging.yaml", "$(reboot).yaml", "it's.yaml"])
def test_a_shell_takes_a_path_as_it_is(path: str) -> None:
    written = NOT_GIVEN.kubectl("get", "nodes", namespace=None, options=("-o", "name"))
    beside = ClusterFlags(kubeconfig=path).kubectl("get", "nodes", namespace=None, options=("-o", "name"))

    assert shlex.split(written) == ["kubectl", "get", "nodes", "-o", "name"]
    assert shlex.split(beside) == ["kubectl", "get", "nodes", "--kubeconfig", path, "-o", "name"]


def test_a_command_of_ours_carries_the_port_as_the_user_gave_it() -> None:
    aim = Aim("shop", "greeter", "api", ClusterFlags(context="staging"))

    assert aim.grpclb("fix", "--dry-run") == (
        "kubectl grpclb fix greeter -n shop --context staging --port api --dry-run"
    )


def test_a_verb_that_takes_no_port_gets_none() -> None:
    assert Aim("shop", "greeter", "api").grpclb("rollback") == "kubectl grpclb rollback greeter -n shop"


def test_a_command_of_ours_carries_where_figures_are() -> None:
    sources = SourceFlags(
        metrics_port="http-metrics",
        metrics_path="/grpc metrics",
        prometheus="svc/monitoring/prometheus:9090",
        prometheus_range="10m",
        channelz_port=9090,
        client_channelz_port=9091,
        tls=True,
        tls_ca="ca.pem",
        tls_server_name="greeter.example",
    )
    aim = Aim("shop", "greeter", cluster_domain="example.org", sources=sources)

    assert aim.grpclb("fix", "--dry-run") == (
        "kubectl grpclb fix greeter -n shop --cluster-domain example.org --tls --metrics-port http-metrics "
        "--metrics-path '/grpc metrics' --prometheus svc/monitoring/prometheus:9090 --prometheus-range 10m "
        "--channelz-port 9090 --client-channelz-port 9091 --tls-ca ca.pem --tls-server-name greeter.example --dry-run"
    )
    assert aim.grpclb("rollback") == "kubectl grpclb rollback greeter -n shop"


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (SourceFlags(), set()),
        (SourceFlags(client_channelz_port=9091, prometheus_range="10m"), set()),
        (SourceFlags(metrics_path="/stats"), {"metrics"}),
        (SourceFlags(tls=True), {"channelz"}),
        (SourceFlags(channelz_port=9090, metrics_port="9095"), {"channelz", "metrics"}),
    ],
)
def test_a_flag_that_says_where_a_source_is_names_it(flags: SourceFlags, named: set[str]) -> None:
    assert flags.named == named


@pytest.mark.parametrize("flag", ["port", "cluster_domain", *SourceFlags.__struct_fields__])
def test_the_verbs_that_get_a_flag_of_reading_are_those_that_take_it(flag: str) -> None:
    commands = {verb: getattr(import_module(f"kubectl_grpclb.commands.{verb}"), verb) for verb in VERBS}
    taking = {verb for verb, run in commands.items() if flag in signature(run).parameters}

    assert taking - {"rbac"} == READING_VERBS  # rbac asks no cluster, and what it prints asks none either
