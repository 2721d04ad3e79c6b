"""Whom a kubeconfig's user is, by token, certificate or plugin, and what is said when none comes of it."""

import asyncio
import base64
import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kubectl_grpclb.cluster import _plugin
from kubectl_grpclb.cluster._credentials import Credentials, read_credentials
from kubectl_grpclb.cluster._entries import Cluster, User, entry
from kubectl_grpclb.cluster._kubeconfig import Access
from kubectl_grpclb.model.command import ClusterFlags
from kubectl_grpclb.model.errors import ClusterError

FLAGS = ClusterFlags(context="shop-prod", kubeconfig="prod.yaml")
BETA = "client.authentication.k8s.io/v1beta1"


def credentials(user: dict[str, Any], **cluster: object) -> Credentials:
    fields = {"server": "https://prod:6443", **cluster}
    access = Access("shop-prod", "shop", entry(fields, Cluster, "prod"), entry(user, User, "dev"), FLAGS)
    return asyncio.run(read_credentials(access))


def plugin(body: str, **fields: object) -> dict[str, Any]:
    """A user whose credentials come from this Python program."""
    return {"exec": {"command": sys.executable, "args": ["-c", body], "apiVersion": BETA, **fields}}


def prints(status: object) -> str:
    credential = {"apiVersion": BETA, "kind": "ExecCredential", "status": status}
    return f"print({json.dumps(json.dumps(credential))})"


def test_a_token_is_sent_as_it_is() -> None:
    assert credentials({"token": "t0ken"}) == Credentials("Bearer t0ken")


def test_a_token_file_goes_before_a_token_and_loses_its_line_break(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("renewed\n")

    assert credentials({"token": "old", "tokenFile": str(tmp_path / "token")}) == Credentials(
        "Bearer renewed", source="file"
    )


def test_a_token_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"cannot read .*/token, the tokenFile of context 'shop-prod': No such file"):
        credentials({"tokenFile": str(tmp_path / "token")})


def test_certificate_data_that_is_not_base64_is_named() -> None:
    with pytest.raises(ClusterError, match="client-key-data of context 'shop-prod' is not base64"):
        credentials({"client-key-data": "x"})


def test_a_user_without_credentials_is_nobody() -> None:
    assert credentials({}) == Credentials()


def test_a_name_and_a_password_are_sent_as_such() -> None:
    encoded = base64.b64encode(b"jo:hunter2").decode()

    assert credentials({"username": "jo", "password": "hunter2"}) == Credentials(f"Basic {encoded}")


def test_a_plugins_token_is_used() -> None:
    assert credentials(plugin(prints({"token": "t0ken"}))) == Credentials("Bearer t0ken", source="plugin")


def test_a_plugins_certificate_is_used() -> None:
    status = {"clientCertificateData": "CERT", "clientKeyData": "KEY"}

    assert credentials(plugin(prints(status))) == Credentials(None, b"CERT", b"KEY", "plugin")


def test_a_plugin_is_told_what_it_is_asked_for() -> None:
    body = (
        "import json, os; info = json.loads(os.environ['KUBERNETES_EXEC_INFO']);"
        f"{prints({'token': 'SEEN'})[:-1]}.replace('SEEN', os.environ['PROFILE'] + info['spec']['cluster']['server']))"
    )

    found = credentials(plugin(body, env=[{"name": "PROFILE", "value": "dev@"}], provideClusterInfo=True))

    assert found == Credentials("Bearer dev@https://prod:6443", source="plugin")


def test_a_plugin_is_told_what_json_has_no_word_for() -> None:
    renewed = {"on": date(2026, 11, 23), date(2026, 11, 24): True}
    extensions = [{"name": "client.authentication.k8s.io/exec", "extension": renewed}]
    body = (
        "import json, os; config = json.loads(os.environ['KUBERNETES_EXEC_INFO'])['spec']['cluster']['config'];"
        f"{prints({'token': 'SEEN'})[:-1]}.replace('SEEN', ' '.join(map(str, config.items()))))"
    )

    found = credentials(plugin(body, provideClusterInfo=True), extensions=extensions)

    assert found.authorization == "Bearer ('on', '2026-11-23') ('2026-11-24', True)"


def test_what_is_null_in_a_plugins_description_is_as_if_it_were_not_there() -> None:
    nothing = {"env": None, "installHint": None, "interactiveMode": None, "provideClusterInfo": None}

    assert credentials(plugin(prints({"token": "t0ken"}), **nothing)) == Credentials("Bearer t0ken", source="plugin")


def test_a_plugin_that_is_not_installed_is_named_with_its_hint() -> None:
    user = {"exec": {"command": "aws-iam-nowhere", "apiVersion": BETA, "installHint": "See https://example.com/aws."}}

    with pytest.raises(ClusterError, match=r"'aws-iam-nowhere' of context 'shop-prod' cannot be run.*See https://exam"):
        credentials(user)


def test_a_plugin_that_fails_is_named_with_its_exit_code() -> None:
    with pytest.raises(ClusterError, match=r"gave no credentials: it exited with code 3\. Log in again"):
        credentials(plugin("raise SystemExit(3)"))


def test_a_plugin_that_says_something_else_is_named() -> None:
    with pytest.raises(ClusterError, match="its answer is not an ExecCredential"):
        credentials(plugin("print('Please log in')"))


def test_a_plugin_without_credentials_is_named() -> None:
    with pytest.raises(ClusterError, match="neither a token nor a certificate"):
        credentials(plugin(prints({"clientCertificateData": "CERT"})))


def test_a_plugin_of_another_version_is_named() -> None:
    with pytest.raises(ClusterError, match=r"it answers in client.authentication.k8s.io/v1beta1"):
        credentials(plugin(prints({"token": "t"}), apiVersion="client.authentication.k8s.io/v1"))


def test_a_plugin_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_plugin, "PLUGIN_LIMIT", 0.2)

    with pytest.raises(ClusterError, match=r"no answer within 0.2 s"):
        credentials(plugin("import time; time.sleep(60)", interactiveMode="Never"))


def test_a_plugin_that_hangs_in_a_program_of_its_own_is_given_up_as_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_plugin, "PLUGIN_LIMIT", 0.2)
    wrapper = {"command": "sh", "args": ["-c", "sleep 20; true"], "apiVersion": BETA, "interactiveMode": "Never"}

    async def main() -> None:
        async with asyncio.timeout(10):
            await read_credentials(
                Access("shop-prod", "shop", Cluster(server="https://prod:6443"), User(plugin=wrapper))
            )

    with pytest.raises(ClusterError, match=r"no answer within 0.2 s"):
        asyncio.run(main())


def test_a_plugin_that_has_to_ask_is_not_run_where_nobody_can_answer() -> None:
    with pytest.raises(ClusterError, match=r"it has to ask you \(interactiveMode Always\), and there is no terminal"):
        credentials(plugin("raise SystemExit(3)", interactiveMode="Always"))


def test_an_old_provider_whose_token_has_expired_is_left_to_kubectl_to_renew() -> None:
    claims = base64.urlsafe_b64encode(b'{"exp": 1000}').decode().rstrip("=")
    provider = {"name": "oidc", "config": {"id-token": f"e30.{claims}.sig", "refresh-token": "precious"}}

    with pytest.raises(ClusterError, match=r"cannot refresh.*`kubectl get ns .*--kubeconfig prod\.yaml` renews"):
        credentials({"auth-provider": provider})
