"""The way to the cluster through a proxy: the kubeconfig's, else the environment's."""

import asyncio
import shutil
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from kubectl_grpclb.cluster._failures import words
from kubectl_grpclb.cluster.kube import ConnectOptions, connect
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.snapshot import Answer, Refused
from tests.cluster.api_server import ApiServer, serving, write_kubeconfig
from tests.cluster.test_kube_tls import BOTH, EXPECTED, LOOK, Certificates, both, make_certificates, talk

SERVER = "https://kubernetes.example:6443"
NOWHERE = "http://127.0.0.1:1"

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificates with openssl")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy but those that a test sets."""
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"), "DNS:kubernetes.example,IP:127.0.0.1")


class Proxy:
    """An HTTP proxy that only knows CONNECT: it keeps what it was asked, and leads to one server whatever that was."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._onward = 0
        self.address = f"127.0.0.1:{listener.getsockname()[1]}"
        self.answer = b"HTTP/1.1 200 Connection established\r\n\r\n"
        self.requests: list[bytes] = []

    @property
    def targets(self) -> list[str]:
        """Where it was asked to lead."""
        return [request.split()[1].decode() for request in self.requests]

    @asynccontextmanager
    async def leading_to(self, server: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
        """Run the proxy, as an https:// one with `tls`."""
        self._onward = int(server.rpartition(":")[2])
        async with await asyncio.start_server(self._handle, sock=self._listener, ssl=tls):
            yield

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(self.answer)
        if b" 200 " in self.answer:
            onward = await asyncio.open_connection("127.0.0.1", self._onward)
            await asyncio.gather(pump(reader, onward[1]), pump(onward[0], writer))
        writer.close()


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        with suppress(ConnectionError):
            while chunk := await source.read(65536):
                sink.write(chunk)
    finally:
        sink.close()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Proxy(listener)


def ask(
    directory: Path,
    certificates: Certificates,
    proxy: Proxy,
    *,
    proxy_url: str = "",
    tls: ssl.SSLContext | None = None,
) -> tuple[Answer, Answer]:
    """Exec once and read once of a server whose name leads nowhere but through the proxy."""

    async def main() -> tuple[Answer, Answer]:
        async with serving(ApiServer(BOTH), certificates.server()) as url, proxy.leading_to(url, tls):
            cluster = {"certificate-authority": str(certificates.authority), "proxy-url": proxy_url}
            return await both(write_kubeconfig(directory, SERVER, cluster))

    return asyncio.run(main())


def test_requests_and_execs_go_through_the_kubeconfigs_proxy(
    tmp_path: Path, certificates: Certificates, proxy: Proxy
) -> None:
    assert ask(tmp_path, certificates, proxy, proxy_url=f"http://{proxy.address}") == EXPECTED
    assert proxy.targets == ["kubernetes.example:6443", "kubernetes.example:6443"]


def test_requests_and_execs_go_through_the_environments_proxy(
    tmp_path: Path, certificates: Certificates, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.address)

    assert ask(tmp_path, certificates, proxy) == EXPECTED
    assert proxy.targets == ["kubernetes.example:6443", "kubernetes.example:6443"]


def test_the_kubeconfigs_proxy_goes_before_the_environment(
    tmp_path: Path, certificates: Certificates, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", NOWHERE)
    monkeypatch.setenv("NO_PROXY", "*")

    assert ask(tmp_path, certificates, proxy, proxy_url=f"http://{proxy.address}") == EXPECTED


def test_a_server_on_this_machine_is_not_asked_through_the_environments_proxy(
    tmp_path: Path, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", NOWHERE)

    assert talk(tmp_path, certificates.server(), {"certificate-authority": str(certificates.authority)}) == EXPECTED


def test_a_proxy_may_itself_speak_tls(
    tmp_path: Path, certificates: Certificates, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"https://{proxy.address}")

    assert ask(tmp_path, certificates, proxy, tls=certificates.server()) == EXPECTED


def test_a_proxy_whose_certificate_is_not_trusted_is_told_from_the_server(
    tmp_path: Path, certificates: Certificates, proxy: Proxy, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = make_certificates(tmp_path_factory.mktemp("tls"), "IP:127.0.0.1")
    says = rf"the certificate of the proxy https://{proxy.address} of the kubeconfig's proxy-url is not trusted \(.+\)"

    with pytest.raises(ClusterError, match=says) as caught:
        ask(tmp_path, certificates, proxy, proxy_url=f"https://dev:hunter2@{proxy.address}", tls=other.server())

    assert "hunter2" not in str(caught.value)


def test_a_proxy_that_speaks_no_tls_is_told_from_the_server(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(ApiServer(BOTH)) as plain:
            await both(write_kubeconfig(tmp_path, SERVER, {"proxy-url": plain.replace("http:", "https:")}))

    with pytest.raises(ClusterError, match=r"TLS failed with the proxy https://127\.0\.0\.1:\d+ of"):
        asyncio.run(main())


def test_a_server_behind_a_proxy_whose_certificate_is_not_trusted_is_told_from_the_proxy(
    tmp_path: Path, certificates: Certificates, proxy: Proxy, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = make_certificates(tmp_path_factory.mktemp("tls"), "DNS:kubernetes.example")

    async def main() -> None:
        async with serving(ApiServer(BOTH), other.server()) as url, proxy.leading_to(url):
            cluster = {"certificate-authority": str(certificates.authority), "proxy-url": f"http://{proxy.address}"}
            await both(write_kubeconfig(tmp_path, SERVER, cluster))

    with pytest.raises(ClusterError, match="its certificate is not trusted"):
        asyncio.run(main())


def test_the_words_of_an_error_hold_no_password() -> None:
    assert (
        words(ValueError("TLS through https://dev:hunter2@proxy:3128 failed"))
        == "TLS through https://proxy:3128 failed"
    )


def test_a_proxys_password_is_sent_to_the_proxy_as_it_is_meant(
    tmp_path: Path, certificates: Certificates, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"dev:hunter%402@{proxy.address}")

    ask(tmp_path, certificates, proxy)

    assert b"\r\nProxy-Authorization: Basic ZGV2Omh1bnRlckAy\r\n" in proxy.requests[0]


def test_the_kubeconfigs_proxy_that_refuses_is_named_without_its_password(
    tmp_path: Path, certificates: Certificates, proxy: Proxy
) -> None:
    proxy.answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    says = rf"the proxy http://{proxy.address} of the kubeconfig's proxy-url refused the connection: 407"

    with pytest.raises(ClusterError, match=says) as caught:
        ask(tmp_path, certificates, proxy, proxy_url=f"http://dev:hunter2@{proxy.address}")

    assert "hunter2" not in str(caught.value)


def test_the_environments_proxy_that_cannot_be_reached_is_named_without_its_password(
    tmp_path: Path, certificates: Certificates, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "dev:hunter2@127.0.0.1:1")
    says = rf"the proxy {NOWHERE} of the environment's HTTPS_PROXY cannot be reached \(Connection refused\)"

    with pytest.raises(ClusterError, match=says) as caught:
        ask(tmp_path, certificates, proxy)

    assert "hunter2" not in str(caught.value)


def test_a_proxy_that_refuses_one_connection_of_many_leaves_a_gap_of_that_pod(
    tmp_path: Path, certificates: Certificates, proxy: Proxy
) -> None:
    cluster = {"certificate-authority": str(certificates.authority), "proxy-url": f"http://{proxy.address}"}
    options = ConnectOptions(kubeconfig=write_kubeconfig(tmp_path, SERVER, cluster))

    async def main() -> Answer:
        async with (
            serving(ApiServer(BOTH[:1]), certificates.server()) as url,
            proxy.leading_to(url),
            connect(options) as kube,
        ):
            await kube.read(LOOK)
            proxy.answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
            return (await kube.read(LOOK)).answer

    answer = asyncio.run(main())

    assert isinstance(answer, Refused)
    assert answer.message.endswith("broke: HTTP 503 Service Unavailable")


@pytest.mark.parametrize("given", ["socks5://127.0.0.1:1080", "127.0.0.1:3128", "http://", "http://[::1"])
def test_a_proxy_url_of_another_kind_is_refused_in_plain_words(tmp_path: Path, given: str) -> None:
    kubeconfig = write_kubeconfig(tmp_path, SERVER, {"proxy-url": given})

    with pytest.raises(ClusterError, match=r"the kubeconfig's proxy-url .* is not the http:// or https:// address"):
        asyncio.run(both(kubeconfig))


@pytest.mark.parametrize("given", ["socks5://127.0.0.1:1080", "http://", "http://[::1"])
def test_a_proxy_of_another_kind_in_the_environment_is_refused_in_plain_words(
    tmp_path: Path, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", given)

    with pytest.raises(ClusterError, match=r"the environment's HTTPS_PROXY .* is not the http:// or https:// address"):
        asyncio.run(both(write_kubeconfig(tmp_path, SERVER)))
