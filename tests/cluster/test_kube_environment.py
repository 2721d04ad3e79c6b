"""What this machine's environment says of HTTP: kubectl takes the proxies from it, and no password."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kubectl_grpclb.cluster.kube import ConnectOptions, connect
from kubectl_grpclb.model.snapshot import Answer, List, Objects
from tests.cluster.api_server import ApiServer, says, serving, write_kubeconfig

SERVICES = List("services", "shop")


def listed(directory: Path, server: ApiServer, **user: Any) -> Answer:
    """List the Services as a user, as the one with a token by default."""

    async def main() -> Answer:
        async with (
            serving(server) as url,
            connect(ConnectOptions(kubeconfig=write_kubeconfig(directory, url, **user))) as cluster,
        ):
            return (await cluster.read(SERVICES)).answer

    return asyncio.run(main())


@pytest.fixture
def server() -> ApiServer:
    """An API server without Services."""
    return ApiServer((says(200, {"kind": "ServiceList", "metadata": {}, "items": []}),))


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
