"""Credentials that grow old while a verb is at work: read again, and a request that came too late sent again."""

import asyncio
import json
import shutil
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kubectl_grpclb.cluster import _identity
from kubectl_grpclb.cluster.kube import ConnectOptions, KubeWorkshop, connect
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import Blob, Exec, List, Objects, Output, Refused, Scrape
from kubectl_grpclb.model.write import Delete, Done
from tests.cluster.api_server import (
    ApiServer,
    Conversation,
    Handler,
    executes,
    refuses,
    says,
    serving,
    write_kubeconfig,
)
from tests.cluster.test_kube_tls import Certificates, make_certificates

BETA = "client.authentication.k8s.io/v1beta1"
PODS = List("pods", "shop")
LOOK = Exec("shop", "greeter-7c9f8d5b6-x2x9k", "greeter", ("netstat", "-tn"), 5.0)
METRICS = Scrape("shop", "greeter-7c9f8d5b6-x2x9k", 9090, "metrics", ("grpc_server_",), 5.0)
POD_LIST = {"kind": "PodList", "metadata": {}, "items": []}
LONG_AGO = "2020-01-01T00:00:00.123456789Z"
FAR_OFF = "2999-01-01T00:00:00Z"


def knows(*tokens: str, answer: Handler | None = None) -> Handler:
    """Answer who comes with one of these tokens, and nobody else."""
    known, unknown = answer or says(200, POD_LIST), refuses(401, "Unauthorized")

    async def handle(request: web.Request) -> web.StreamResponse:
        taken = request.headers.get("Authorization") in {f"Bearer {token}" for token in tokens}
        return await (known if taken else unknown)(request)

    return handle


def tokens_sent(talk: Conversation) -> list[str]:
    return [request.headers["Authorization"].removeprefix("Bearer ") for request in talk.requests]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a token, as a pod's service account has one."""
    path = tmp_path / "token"
    path.write_text("first\n")
    return path


@pytest.fixture
def runs(tmp_path: Path) -> Callable[[], int]:
    """How often the plugin was run."""
    return lambda: len((tmp_path / "runs").read_text())


def plugin(directory: Path, token: str = "t{run}", **status: Any) -> dict[str, Any]:
    """A plugin whose tokens are t1, t2, … where none is given, and which expire when the status says."""
    credential = {"apiVersion": BETA, "kind": "ExecCredential", "status": {"token": token, **status}}
    body = (
        f"import pathlib; runs = pathlib.Path({str(directory / 'runs')!r}); runs.open('a').write('.');"
        f"print({json.dumps(credential)!r}.replace('{{run}}', str(len(runs.read_text()))))"
    )
    return {"command": sys.executable, "args": ["-c", body], "apiVersion": BETA}


def renew(file: Path) -> None:
    file.write_text("second\n")


def remove(file: Path) -> None:
    file.unlink()


async def list_twice(cluster: KubeWorkshop) -> None:
    await cluster.read(PODS)
    await cluster.read(PODS)


def rotating(file: Path) -> Callable[[KubeWorkshop], Any]:
    """Read, renew the token's file, and read once more."""

    async def scenario(cluster: KubeWorkshop) -> Any:
        await cluster.read(PODS)
        renew(file)
        return (await cluster.read(PODS)).answer

    return scenario


def test_a_token_file_is_read_again_after_a_while(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_identity, "FILE_SECONDS", 0.0)
    talk = Conversation(tmp_path, knows("first", "second"), user={"tokenFile": str(file)})

    talk.run(rotating(file))

    assert tokens_sent(talk) == ["first", "second"]


def test_a_token_file_is_not_read_for_each_request(tmp_path: Path, file: Path) -> None:
    talk = Conversation(tmp_path, knows("first", "second"), user={"tokenFile": str(file)})

    talk.run(rotating(file))

    assert tokens_sent(talk) == ["first", "first"]


def test_a_token_that_the_cluster_does_not_know_any_more_is_read_again_at_once(tmp_path: Path, file: Path) -> None:
    talk = Conversation(tmp_path, knows("first"), knows("second"), user={"tokenFile": str(file)})

    assert talk.run(rotating(file)) == Objects(items=())
    assert tokens_sent(talk) == ["first", "first", "second"]


def test_a_token_file_that_cannot_be_read_again_leaves_the_token_as_it_was(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_identity, "FILE_SECONDS", 0.0)
    talk = Conversation(tmp_path, knows("first"), user={"tokenFile": str(file)})

    async def losing(cluster: KubeWorkshop) -> Any:
        remove(file)
        return (await cluster.read(PODS)).answer

    assert talk.run(losing) == Objects(items=())


def test_a_change_that_came_with_an_old_token_is_sent_again(tmp_path: Path, file: Path) -> None:
    gone = says(200, {"kind": "Status", "status": "Success"})
    talk = Conversation(tmp_path, knows("second", answer=gone), user={"tokenFile": str(file)})

    async def deleting(cluster: KubeWorkshop) -> Any:
        renew(file)
        return await cluster.write(Delete("configmaps", "shop", "greeter-grpclb-receipt", "uid-1"))

    assert isinstance(talk.run(deleting), Done)
    assert tokens_sent(talk) == ["first", "second"]
    assert talk.bodies[0] == talk.bodies[1]


def test_an_exec_that_came_with_an_old_token_is_made_again(tmp_path: Path, file: Path) -> None:
    printed = executes(b"\x01Proto", status={"status": "Success"})
    talk = Conversation(tmp_path, knows("second", answer=printed), user={"tokenFile": str(file)})

    async def looking(cluster: KubeWorkshop) -> Any:
        renew(file)
        return (await cluster.read(LOOK)).answer

    assert talk.run(looking) == Output(Blob("Proto"), exit_code=0)


def test_a_look_at_metrics_that_came_with_an_old_token_is_made_again(tmp_path: Path, file: Path) -> None:
    told = says(200, "grpc_server_handled_total 3\n")
    talk = Conversation(tmp_path, knows("first"), knows("second", answer=told), user={"tokenFile": str(file)})

    async def scraping(cluster: KubeWorkshop) -> Any:
        await cluster.read(PODS)
        renew(file)
        return (await cluster.read(METRICS)).answer

    assert talk.run(scraping) == Output(Blob("grpc_server_handled_total 3\n"), exit_code=0)


def test_a_plugin_is_run_again_when_its_token_expires(tmp_path: Path, runs: Callable[[], int]) -> None:
    talk = Conversation(tmp_path, knows("t2"), user={"exec": plugin(tmp_path, expirationTimestamp=LONG_AGO)})

    talk.run(list_twice)

    assert tokens_sent(talk) == ["t2", "t2"]  # where the clocks differ, not for each request
    assert runs() == 2


def test_a_plugin_is_not_run_again_before_that(tmp_path: Path, runs: Callable[[], int]) -> None:
    talk = Conversation(tmp_path, knows("t1"), user={"exec": plugin(tmp_path, expirationTimestamp=FAR_OFF)})

    talk.run(list_twice)

    assert runs() == 1


def test_a_plugin_whose_expiry_is_no_time_gave_no_credentials(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, knows("t1"), user={"exec": plugin(tmp_path, expirationTimestamp="tomorrow")})

    with pytest.raises(ClusterError, match="its answer is not an ExecCredential"):
        talk.run(list_twice)


def test_a_plugin_is_run_again_when_the_cluster_does_not_know_its_token(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, knows("t2"), user={"exec": plugin(tmp_path)})

    talk.run(list_twice)

    assert tokens_sent(talk) == ["t1", "t2", "t2"]


def test_requests_that_are_refused_together_run_the_plugin_once(tmp_path: Path, runs: Callable[[], int]) -> None:
    talk = Conversation(tmp_path, knows("t2"), user={"exec": plugin(tmp_path)})

    async def six(cluster: KubeWorkshop) -> None:
        await asyncio.gather(*(cluster.read(PODS) for _ in range(6)))

    talk.run(six)

    assert runs() == 2


def test_a_request_whose_time_is_over_does_not_end_the_plugin_that_others_wait_for(tmp_path: Path) -> None:
    slow = plugin(tmp_path)
    slow["args"][1] += ";import time; time.sleep(0.5 if len(runs.read_text()) > 1 else 0)"
    printed = executes(b"\x01Proto", status={"status": "Success"})
    talk = Conversation(tmp_path, knows("t2", answer=printed), user={"exec": slow})
    hasty = Exec("shop", "greeter-7c9f8d5b6-x2x9k", "greeter", ("netstat", "-tn"), 0.3)

    async def looking(cluster: KubeWorkshop) -> list[Any]:
        return [reading.answer for reading in await asyncio.gather(cluster.read(hasty), cluster.read(LOOK))]

    first, second = talk.run(looking)

    assert isinstance(first, Refused)
    assert first.reason is GapReason.TIMED_OUT
    assert second == Output(Blob("Proto"), exit_code=0)


def test_a_verb_that_ends_while_the_plugin_runs_leaves_nothing_behind(tmp_path: Path) -> None:
    endless = plugin(tmp_path)
    endless["args"][1] += ";import time; time.sleep(60 if len(runs.read_text()) > 1 else 0)"
    talk = Conversation(tmp_path, knows(), user={"exec": endless})

    async def giving_up(cluster: KubeWorkshop) -> None:
        async with asyncio.timeout(0.5):
            await cluster.read(PODS)

    with pytest.raises(TimeoutError):
        talk.run(giving_up)


def test_a_plugin_that_cannot_renew_is_named(tmp_path: Path) -> None:
    failing = plugin(tmp_path)
    failing["args"][1] += ";raise SystemExit(len(runs.read_text()) - 1)"
    talk = Conversation(tmp_path, knows(), user={"exec": failing})

    with pytest.raises(ClusterError, match="gave no credentials: it exited with code 1"):
        talk.run(list_twice)


def test_a_plugin_that_gives_the_same_again_ends_everything_after_one_request(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, knows(), user={"exec": plugin(tmp_path, "same")})

    with pytest.raises(ClusterError, match="refused your credentials"):
        talk.run(list_twice)

    assert tokens_sent(talk) == ["same"]


def test_a_token_that_never_changes_is_sent_once(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, knows())

    with pytest.raises(ClusterError, match="refused your credentials"):
        talk.run(list_twice)

    assert tokens_sent(talk) == ["t0ken"]


def test_a_pod_that_wants_other_credentials_has_no_plugin_run(tmp_path: Path, runs: Callable[[], int]) -> None:
    talk = Conversation(tmp_path, says(200, POD_LIST), says(401, "who are you?"), user={"exec": plugin(tmp_path)})

    async def scraping(cluster: KubeWorkshop) -> None:
        await cluster.read(PODS)
        await cluster.read(METRICS)

    talk.run(scraping)

    assert runs() == 1


def test_a_token_does_not_follow_a_redirect_to_another_server(tmp_path: Path) -> None:
    async def main() -> list[str | None]:
        other = ApiServer((says(200, POD_LIST),))
        async with serving(other) as elsewhere:
            server = ApiServer((says(302, "", Location=f"{elsewhere}/api/v1/pods"),))
            async with (
                serving(server) as url,
                connect(ConnectOptions(kubeconfig=write_kubeconfig(tmp_path, url))) as cluster,
            ):
                await cluster.read(PODS)
        return [request.headers.get("Authorization") for request in (*server.requests, *other.requests)]

    assert asyncio.run(main()) == ["Bearer t0ken", None]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Certificates, Certificates]:
    """The server's, and those of a client who was known before by another name."""
    first, second = (tmp_path_factory.mktemp("tls") for _ in range(2))
    return make_certificates(first, "IP:127.0.0.1"), make_certificates(second, "DNS:renewed.example")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificates with openssl")
def test_a_renewed_certificate_is_shown_on_a_connection_of_its_own(
    tmp_path: Path, certificates: tuple[Certificates, Certificates]
) -> None:
    old, new = certificates
    shown: list[str] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        name = request.transport.get_extra_info("peercert")["subjectAltName"][0][1]
        shown.append(name)
        known = name == "renewed.example"
        return await (says(200, POD_LIST) if known else refuses(401, "Unauthorized"))(request)

    def status(held: Certificates) -> dict[str, Any]:
        named = {"clientCertificateData": held.certificate.read_text(), "clientKeyData": held.key.read_text()}
        return {"apiVersion": BETA, "kind": "ExecCredential", "status": named}

    body = (
        f"import pathlib; runs = pathlib.Path({str(tmp_path / 'runs')!r}); runs.open('a').write('.');"
        f"print({json.dumps(status(old))!r} if len(runs.read_text()) == 1 else {json.dumps(status(new))!r})"
    )
    user = {"exec": {"command": sys.executable, "args": ["-c", body], "apiVersion": BETA}}
    tls = old.server(of_clients=True)
    tls.load_verify_locations(new.authority)
    tls.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN

    async def main() -> Any:
        async with serving(ApiServer((handle,)), tls) as url:
            cluster = {"certificate-authority": str(old.authority)}
            options = ConnectOptions(kubeconfig=write_kubeconfig(tmp_path, url, cluster, **user))
            async with connect(options) as connected:
                return (await connected.read(PODS)).answer

    assert asyncio.run(main()) == Objects(items=())
    assert shown == ["127.0.0.1", "renewed.example"]
