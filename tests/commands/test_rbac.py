"""`rbac` prints the least roles, asks no cluster, and says what it cannot do."""

import json
from pathlib import Path

import pytest
import yaml

from kubectl_grpclb.model.need import VERBS
from tests.commands.test_command_line import GOLDEN, run

RECYCLING = ("--recycle", "clients", "--client-namespace", "web")
FIX = ("--service", "svc/greeter", *RECYCLING, "--autoscale", "4", "--network-policy")
SOURCES = ("--debug", "--via", "node", "--node-namespace", "looks", "--prometheus", "svc/monitoring/prometheus:9090")
WHO = ("--service-account", "ci:watcher", "--user", "jane", "--group", "developers")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rbac-diagnose.yaml", ("diagnose",)),
        ("rbac-every-verb.yaml", ()),
        ("rbac-fix-one.yaml", ("fix", "rollback", *FIX, "--user", "jane")),
        ("rbac-sources.yaml", ("diagnose", *SOURCES)),
        ("rbac-fix-sources.yaml", ("fix", "--via", "channelz", "--prometheus", "svc/monitoring/prometheus:9090")),
        ("rbac-headless.yaml", ("fix", "--strategy", "headless")),
        ("rbac-bound.json", ("verify", "--via", "exec", "-o", "json", *WHO)),
    ],
)
def test_the_roles_are_printed_for_kubectl(name: str, words: tuple[str, ...], update_goldens: bool) -> None:
    golden = GOLDEN / name

    done = run("rbac", "-n", "shop", *words)

    if update_goldens:
        golden.write_bytes(done.stdout)
    assert done.stdout.decode() == golden.read_text()
    assert (done.returncode, done.stderr) == (0, b"")


def test_yaml_and_json_hold_the_same_objects() -> None:
    words = ("rbac", "-n", "shop", *WHO)

    documents = list(yaml.safe_load_all(run(*words).stdout))

    assert json.loads(run(*words, "-o", "json").stdout)["items"] == documents
    assert {each["kind"] for each in documents} == {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
    assert {each["metadata"]["name"] for each in documents if each["kind"] == "Role"} == {
        f"grpclb-{verb}" for verb in VERBS
    }


def test_no_role_has_a_wildcard_or_reads_a_secret() -> None:
    printed = run("rbac", "-n", "shop", *RECYCLING, "--autoscale", "4", "--network-policy", *SOURCES).stdout.decode()

    rules = [rule for document in yaml.safe_load_all(printed) for rule in document["rules"]]

    assert not [rule for rule in rules if "*" in (*rule["apiGroups"], *rule["resources"], *rule["verbs"])]
    assert not [rule for rule in rules if "secrets" in rule["resources"]]


def test_what_adds_to_the_cluster_is_in_no_role_of_fix() -> None:
    plain = run("rbac", "-n", "shop", "fix").stdout
    every = run("rbac", "-n", "shop", "fix", "diagnose", "--debug", "--via", "node", "--node-namespace", "looks").stdout

    assert plain.decode() in every.decode()


def test_the_namespace_is_the_contexts(tmp_path: Path) -> None:
    config = tmp_path / "config"
    contexts = [{"name": "kind-shop", "context": {"cluster": "kind-shop", "namespace": "billing"}}]
    config.write_text(json.dumps({"current-context": "kind-shop", "contexts": contexts}))

    done = run("rbac", "diagnose", KUBECONFIG=str(config))

    assert b"{name: grpclb-diagnose, namespace: billing}" in done.stdout


def test_without_a_kubeconfig_the_namespace_is_the_default() -> None:
    assert b"{name: grpclb-diagnose, namespace: default}" in run("rbac", "diagnose").stdout


def test_a_service_account_may_be_called_as_the_cluster_calls_it() -> None:
    done = run("rbac", "diagnose", "-n", "shop", "--service-account", "system:serviceaccount:ci:watcher", "-o", "json")

    subjects = json.loads(done.stdout)["items"][1]["subjects"]
    assert subjects == [{"kind": "ServiceAccount", "name": "watcher", "namespace": "ci"}]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("demo",), "demo is not a verb that contacts a cluster"),
        (("explain",), "roles are for diagnose, record, verify, fix and rollback"),
        (("daignose",), "daignose is not a verb that contacts a cluster"),
        (("diagnose", "--autoscale", "4"), "are for fix and rollback, not for diagnose"),
        (("rollback", "--via", "exec"), "are for diagnose, record, verify and fix, not for rollback"),
        (("fix", "--debug"), "are for diagnose, record and verify, not for fix"),
        (("fix", "--via", "auto,node"), "are for diagnose, record and verify, not for fix"),
        (("fix", "--client-namespace", "web"), "for fix only with --recycle clients"),
        (("--service-account", "watcher"), "--service-account takes NAMESPACE:NAME, not 'watcher'"),
        (("--service-account", "ci:watcher:old"), "--service-account takes NAMESPACE:NAME, not 'ci:watcher:old'"),
        (("--user", ""), "--user and --group need a name, but got an empty one"),
        (("--via", "sockets"), "--via takes auto, metrics"),
        (("--service", "deploy/greeter"), "is not a Service"),
        (("--kubeconfig", "/nowhere"), "there is no kubeconfig at /nowhere"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(words: tuple[str, ...], said: str) -> None:
    done = run("rbac", *words)

    assert said in done.stderr.decode()
    assert (done.stdout, done.returncode) == (b"", 4 if "--kubeconfig" in words else 2)


def test_hostile_words_steer_no_terminal() -> None:
    done = run("rbac", "diagnose", "-n", "shop\x1b[2J\n- apiGroups", "--user", "jane\n---\nkind: ClusterRole")

    documents = list(yaml.safe_load_all(done.stdout))

    assert b"\x1b" not in done.stdout
    assert [each["kind"] for each in documents] == ["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"]
    assert documents[1]["subjects"][0]["name"] == "jane\n---\nkind: ClusterRole"
