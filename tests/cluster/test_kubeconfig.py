"""Which cluster and whom a kubeconfig means, and what is said of one that means nothing."""

import json
import os
from pathlib import Path

import pytest
import yaml

from kubectl_grpclb.cluster import _kubeconfig
from kubectl_grpclb.cluster._entries import Cluster, User
from kubectl_grpclb.cluster._kubeconfig import Choice, find_access, find_namespace
from kubectl_grpclb.model.errors import ClusterError
from tests.cluster.api_server import write_kubeconfig

PROD = """
current-context: prod
contexts:
- {name: prod, context: {cluster: prod, user: dev, namespace: shop}}
clusters:
- {name: prod, cluster: {server: 'https://prod:6443', certificate-authority: pki/ca.crt}}
users:
- {name: dev, user: {token: prod-token, tokenFile: token, exec: {command: ./bin/login, apiVersion: v1}}}
"""
STAGING = """
current-context: staging
contexts:
- {name: staging, context: {cluster: staging, user: dev}}
- {name: staging-eu, context: {cluster: staging-eu, user: dev}}
- {name: broken, context: {cluster: stagin, user: dev}}
- {name: nobody, context: {cluster: staging, user: devv}}
clusters:
- {name: staging, cluster: {server: 'https://staging:6443'}}
- {name: staging-eu, cluster: {server: 'https://staging-eu:6443'}}
users:
- {name: dev, user: {token: staging-token}}
"""


@pytest.fixture
def both(tmp_path: Path) -> dict[str, str]:
    """An environment whose KUBECONFIG lists a file, one that is missing, and another file."""
    (tmp_path / "prod.yaml").write_text(PROD)
    (tmp_path / "staging.yaml").write_text(STAGING)
    return {"KUBECONFIG": f"{tmp_path}/prod.yaml:{tmp_path}/missing:{tmp_path}/staging.yaml", "HOME": str(tmp_path)}


def test_the_first_file_that_sets_a_value_wins(both: dict[str, str]) -> None:
    access = find_access(Choice(), both)

    assert (access.context, access.namespace) == ("prod", "shop")
    assert access.cluster.server == "https://prod:6443"
    assert access.user.token == "prod-token"


def test_a_context_of_a_later_file_finds_its_cluster_there(both: dict[str, str]) -> None:
    access = find_access(Choice(context="staging-eu"), both)

    assert (access.context, access.namespace) == ("staging-eu", "default")
    assert access.cluster.server == "https://staging-eu:6443"


def test_flags_replace_what_the_context_says(both: dict[str, str]) -> None:
    access = find_access(Choice(cluster="staging", namespace="billing"), both)

    assert (access.context, access.namespace) == ("prod", "billing")
    assert access.cluster.server == "https://staging:6443"


def test_the_kubeconfig_flag_replaces_the_environment(both: dict[str, str], tmp_path: Path) -> None:
    access = find_access(Choice(kubeconfig=str(tmp_path / "staging.yaml")), both)

    assert access.context == "staging"


def test_paths_are_relative_to_the_file_that_has_them(both: dict[str, str], tmp_path: Path) -> None:
    access = find_access(Choice(), both)

    assert access.cluster.certificate_authority == str(tmp_path / "pki/ca.crt")
    assert access.user.token_file == str(tmp_path / "token")
    assert access.user.plugin == {"command": str(tmp_path / "bin/login"), "apiVersion": "v1"}


ONE_LINE = json.dumps(yaml.safe_load(PROD))


@pytest.mark.parametrize("content", [PROD, ONE_LINE, "cHJvZC10b2tlbg" * 200, "cHJvZC10b2tl/bg" * 60])
def test_a_kubeconfigs_content_in_place_of_its_path_is_not_quoted(content: str, tmp_path: Path) -> None:
    message = r"^KUBECONFIG takes a path, but this looks like a file's content: save it to a file, and give its path$"

    with pytest.raises(ClusterError, match=message):
        find_access(Choice(), {"HOME": str(tmp_path), "KUBECONFIG": content})
    with pytest.raises(ClusterError, match=message.replace("KUBECONFIG", "--kubeconfig")):
        find_access(Choice(kubeconfig=content), {"HOME": str(tmp_path)})


def test_a_path_that_cannot_be_looked_at_is_named_with_the_reason(tmp_path: Path) -> None:
    loop = tmp_path / "config"
    loop.symlink_to(loop)
    message = rf"cannot read the kubeconfig {loop}: Too many levels of symbolic links"

    with pytest.raises(ClusterError, match=message):
        find_access(Choice(kubeconfig=str(loop)), {})
    with pytest.raises(ClusterError, match=message):
        find_access(Choice(), {"KUBECONFIG": str(loop)})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into every folder")
def test_a_folder_that_may_not_be_looked_into_is_named(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)

    with pytest.raises(ClusterError, match=r"cannot read the kubeconfig .*: Permission denied"):
        find_access(Choice(), {"KUBECONFIG": str(tmp_path / "closed" / "config")})


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose user number is in no /etc/passwd."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_294_967_000)


@pytest.mark.usefixtures("homeless")
def test_without_a_home_the_environment_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(
        ClusterError, match=r"there is no kubeconfig: nothing at ~/\.kube/config, and this is not a pod"
    ):
        find_access(Choice(), {})


@pytest.mark.usefixtures("homeless")
def test_in_a_pod_no_home_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("sa-token")
    monkeypatch.setattr(_kubeconfig, "_SERVICE_ACCOUNT", tmp_path)

    access = find_access(Choice(), {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"})

    assert access.context == "in-cluster"


def test_without_the_environment_the_home_directory_is_looked_in(tmp_path: Path) -> None:
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text(STAGING)

    assert find_access(Choice(), {"HOME": str(tmp_path)}).context == "staging"


def test_without_any_kubeconfig_the_user_is_told_how_to_give_one(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"there is no kubeconfig: nothing at .*/\.kube/config.*--kubeconfig"):
        find_access(Choice(), {"HOME": str(tmp_path)})


def test_in_a_pod_its_service_account_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("sa-token")
    (tmp_path / "namespace").write_text("shop\n")
    monkeypatch.setattr(_kubeconfig, "_SERVICE_ACCOUNT", tmp_path)
    environ = {"HOME": "/nowhere", "KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}

    access = find_access(Choice(), environ)

    assert (access.context, access.namespace) == ("in-cluster", "shop")
    assert access.cluster.server == "https://[fd00::1]:443"
    assert access.user == User(token_file=str(tmp_path / "token"))


@pytest.mark.parametrize("content", ["", "apiVersion: v1\nkind: Config\n", "kind: Config\nclusters: []\nusers: null\n"])
def test_in_a_pod_an_empty_kubeconfig_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    (tmp_path / "token").write_text("sa-token")
    (tmp_path / "namespace").write_text("shop\n")
    (tmp_path / "config").write_text(content)
    monkeypatch.setattr(_kubeconfig, "_SERVICE_ACCOUNT", tmp_path)
    environ = {
        "KUBECONFIG": str(tmp_path / "config"),
        "KUBERNETES_SERVICE_HOST": "10.96.0.1",
        "KUBERNETES_SERVICE_PORT": "443",
    }

    assert find_access(Choice(), environ).context == "in-cluster"
    assert find_namespace(Choice(), environ) == "shop"
    with pytest.raises(ClusterError, match="there is no context 'prod'"):
        find_access(Choice(context="prod"), environ)


def test_in_a_pod_a_kubeconfig_with_contexts_of_which_none_is_chosen_is_no_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("sa-token")
    (tmp_path / "config").write_text(STAGING.replace("current-context: staging", ""))
    monkeypatch.setattr(_kubeconfig, "_SERVICE_ACCOUNT", tmp_path)

    with pytest.raises(ClusterError, match="has no current-context"):
        find_access(
            Choice(kubeconfig=str(tmp_path / "config")),
            {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"},
        )


def test_the_namespace_that_is_meant_needs_no_cluster_that_could_be_reached(both: dict[str, str]) -> None:
    assert find_namespace(Choice(context="broken"), both) == "default"
    assert find_namespace(Choice(context="broken", namespace="shop"), both) == "shop"
    with pytest.raises(ClusterError, match="no context 'stagging'"):
        find_namespace(Choice(context="stagging"), both)


def test_an_empty_namespace_is_none_that_was_given_as_kubectl_takes_it(both: dict[str, str]) -> None:
    assert find_namespace(Choice(namespace=""), both) == "shop"
    assert find_access(Choice(namespace=""), both).namespace == "shop"


def test_without_any_kubeconfig_the_namespace_that_is_meant_is_the_default(tmp_path: Path) -> None:
    assert find_namespace(Choice(), {"HOME": str(tmp_path)}) == "default"


def test_a_kubeconfig_flag_without_its_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="no kubeconfig at"):
        find_access(Choice(kubeconfig=str(tmp_path / "missing")), {})


def test_a_context_that_does_not_exist_is_a_usage_error_with_the_nearest_names(both: dict[str, str]) -> None:
    with pytest.raises(
        ClusterError, match=r"no context 'stagging'.*did you mean staging or staging-eu\?.*it has: broken"
    ):
        find_access(Choice(context="stagging"), both)


def test_a_cluster_that_does_not_exist_is_a_usage_error_with_the_nearest_names(both: dict[str, str]) -> None:
    with pytest.raises(ClusterError, match=r"no cluster 'pro'.*did you mean prod\?"):
        find_access(Choice(cluster="pro"), both)


def test_a_context_that_names_a_missing_cluster_is_said_to(both: dict[str, str]) -> None:
    with pytest.raises(ClusterError, match=r"'broken' names a cluster 'stagin' .*did you mean staging"):
        find_access(Choice(context="broken"), both)


def test_a_context_that_names_a_missing_user_is_said_to(both: dict[str, str]) -> None:
    with pytest.raises(ClusterError, match=r"'nobody' names a user 'devv' .*did you mean dev\?"):
        find_access(Choice(context="nobody"), both)


def test_a_kubeconfig_without_a_current_context_lists_its_contexts(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(STAGING.replace("current-context: staging", ""))

    with pytest.raises(ClusterError, match=r"has no current-context; choose one with --context .*staging-eu"):
        find_access(Choice(kubeconfig=str(tmp_path / "config")), {})


def test_a_file_that_is_not_yaml_is_named_without_quoting_what_may_be_a_credential(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("users:\n- token: hunter2\n  {[:\n")

    with pytest.raises(ClusterError, match=r"config, line \d+ is not YAML") as caught:
        find_access(Choice(kubeconfig=str(tmp_path / "config")), {})

    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_something_else_is_said_not_to_be_a_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("just: a file\ncontexts: none\n")

    with pytest.raises(ClusterError, match="is not a kubeconfig: Expected `array"):
        find_access(Choice(kubeconfig=str(tmp_path / "config")), {})


def test_an_empty_file_has_no_contexts(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("")

    with pytest.raises(ClusterError, match=r"no current-context.*\(it has none\)"):
        find_access(Choice(kubeconfig=str(tmp_path / "config")), {})


def test_a_directory_in_place_of_the_file_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"cannot read the kubeconfig .*Is a directory"):
        find_access(Choice(kubeconfig=str(tmp_path)), {})


@pytest.mark.parametrize(
    ("cluster", "user", "says"),
    [
        (
            {"insecure-skip-tls-verify": "false"},
            {},
            r"the cluster 'prod' in .*Expected `bool \| null`, got `str`.*verify",
        ),
        ({"proxy-url": 8080}, {}, r"the cluster 'prod' in .*Expected `str \| null`, got `int`.*proxy-url"),
        ({}, {"tokenFile": 123}, r"the user 'dev' in .*Expected `str \| null`, got `int`.*tokenFile"),
        ({}, {"as-user-extra": {"scopes": "view"}}, r"the user 'dev' in .*got `str`"),
        ({}, {"exec": "aws"}, r"the user 'dev' in .*Expected `object \| null`, got `str`.*exec"),
    ],
)
def test_a_value_of_another_type_is_named_as_kubectl_does(
    tmp_path: Path, cluster: dict[str, object], user: dict[str, object], says: str
) -> None:
    with pytest.raises(ClusterError, match=says):
        find_access(Choice(kubeconfig=write_kubeconfig(tmp_path, "https://prod:6443", cluster, **user)), {})


def test_what_is_null_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(
        "current-context: prod\n"
        "contexts:\n"
        "- {name: prod, context: {cluster: prod, user: null, namespace: null}}\n"
        "- {name: other, context: {cluster: null, user: null}}\n"
        "- {name: none, context: null}\n"
        "clusters: [{name: prod, cluster: {server: 'https://prod:6443', proxy-url: null, extensions: null}}]\n"
        "users: null\n"
    )

    access = find_access(Choice(kubeconfig=str(tmp_path / "config")), {})

    assert access.cluster == Cluster(server="https://prod:6443")
    assert access.user == User()


def test_what_is_wrong_with_another_cluster_keeps_nobody_from_this_one(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(f"{PROD}- {{name: old, user: {{tokenFile: 123}}}}\n")

    assert find_access(Choice(kubeconfig=str(tmp_path / "config")), {}).context == "prod"
