"""What this machine's environment says of HTTP: kubectl takes the proxies from it, and no password."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kubectl_grpclb.cluster.kube import ConnectOptions, connect
from kubectl_grpclb.model.errors import ClusterError, UsageError
from kubectl_grpclb.model.snapshot import Answer, List, Objects
from tests.cluster.api_server import ApiServer, Handler, says, serving, write_kubeconfig

SERVICES = List("services", "shop")


def with_user(url: str, userinfo: str) -> str:
    return url.replace("//", f"//{userinfo}")


def listed(directory: Path, server: ApiServer, *, userinfo: str = "", **user: Any) -> Answer:
    """List the Services as a user, as the one with a token by default."""

    async def main() -> Answer:
        async with (
            serving(server) as url,
            connect(
                ConnectOptions(kubeconfig=write_kubeconfig(directory, with_user(url, userinfo), **user))
            ) as cluster,
        ):
            return (await cluster.read(SERVICES)).answer

    return asyncio.run(main())


@pytest.fixture
def server() -> ApiServer:
    """An API server without Services."""
    return ApiServer((says(200, {"kind": "ServiceList", "metadata": {}, "items": []}),))


@pytest.mark.parametrize(
    ("user", "sent"),
    [({"as": "dev"}, "Basic am86aHVudGVyMg=="), ({"token": "t0ken"}, "Bearer t0ken")],
)
def test_a_password_in_the_servers_address_is_sent_where_there_is_nothing_else(
    tmp_path: Path, server: ApiServer, user: dict[str, str], sent: str
) -> None:
    assert listed(tmp_path, server, userinfo="jo:hunter2@", **user) == Objects(items=())
    assert server.requests[0].headers["Authorization"] == sent


@pytest.mark.parametrize("answer", [says(401, "no"), says(200, "<html>Sign in</html>"), says(200, "[]")])
def test_a_password_in_the_servers_address_is_in_no_error(tmp_path: Path, answer: Handler) -> None:
    with pytest.raises(ClusterError, match=r"http://127\.0\.0\.1:") as caught:
        listed(tmp_path, ApiServer((answer,)), userinfo="jo:hunter2@")

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("address", ["https://jo:hunter2@127.0.0.1:1", "ftp://jo:hunter2@prod", "jo:hunter2@prod"])
def test_a_password_in_an_address_that_leads_nowhere_is_in_no_error(tmp_path: Path, address: str) -> None:
    async def main() -> None:
        async with connect(ConnectOptions(kubeconfig=write_kubeconfig(tmp_path, address))) as cluster:
            await cluster.read(SERVICES)

    with pytest.raises(ClusterError) as caught:
        asyncio.run(main())

    assert "hunter2" not in str(caught.value)


def impersonated(directory: Path, server: ApiServer, flags: dict[str, Any], **user: Any) -> list[tuple[str, str]]:
    """List the Services with these flags; gives the headers that say as whom."""

    async def main() -> None:
        async with serving(server) as url:
            options = ConnectOptions(kubeconfig=write_kubeconfig(directory, url, **user), **flags)
            async with connect(options) as cluster:
                await cluster.read(SERVICES)

    asyncio.run(main())
    return [(name, value) for name, value in server.requests[0].headers.items() if name.startswith("Impersonate-")]


OF_THE_KUBECONFIG = {
    "as": "jo",
    "as-groups": ["dev"],
    "as-uid": "7",
    "as-user-extra": {"scopes": ["view"], "none": None},
}
EXTRA = [("Impersonate-Uid", "7"), ("Impersonate-Extra-scopes", "view")]


@pytest.mark.parametrize(
    ("flags", "sent"),
    [
        ({}, [("Impersonate-User", "jo"), ("Impersonate-Group", "dev"), *EXTRA]),
        ({"as_groups": ("on-call",)}, [("Impersonate-User", "jo"), ("Impersonate-Group", "on-call"), *EXTRA]),
        ({"as_user": "kim"}, [("Impersonate-User", "kim")]),
        (
            {"as_user": "kim", "as_groups": ("on-call",)},
            [("Impersonate-User", "kim"), ("Impersonate-Group", "on-call")],
        ),
    ],
)
def test_flags_of_impersonation_replace_what_the_kubeconfig_says_of_it(
    tmp_path: Path, server: ApiServer, flags: dict[str, Any], sent: list[tuple[str, str]]
) -> None:
    assert sorted(impersonated(tmp_path, server, flags, **OF_THE_KUBECONFIG)) == sorted(sent)


def test_a_group_without_a_user_to_impersonate_is_refused_before_anything_is_sent(
    tmp_path: Path, server: ApiServer
) -> None:
    with pytest.raises(UsageError, match=r"^--as-group needs --as: "):
        impersonated(tmp_path, server, {"as_groups": ("on-call",)}, token="t0ken")

    assert server.requests == []


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password for the API server's host, as curl would use it."""
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login dev password hunter2\n")
    monkeypatch.setenv("NETRC", str(file))


@pytest.mark.usefixtures("netrc")
def test_a_user_with_a_token_is_served_where_a_netrc_knows_the_host(tmp_path: Path, server: ApiServer) -> None:
    assert listed(tmp_path, server) == Objects(items=())
    assert server.requests[0].headers["Authorization"] == "Bearer t0ken"


@pytest.mark.usefixtures("netrc")
def test_a_password_of_a_netrc_is_not_sent_to_the_cluster(tmp_path: Path, server: ApiServer) -> None:
    listed(tmp_path, server, **{"as": "dev"})

    assert "Authorization" not in server.requests[0].headers
