"""TLS as the kubeconfig has it, for requests and for execs alike."""

import asyncio
import base64
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from kubectl_grpclb.cluster.kube import ConnectOptions, connect
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import Answer, Blob, Exec, List, Objects, Output, Refused
from tests.cluster.api_server import ApiServer, executes, floods, nothing_left_behind, says, serving, write_kubeconfig

SERVICES = List("services", "shop")
LOOK = Exec("shop", "greeter-7c9f8d5b6-x2x9k", "greeter", ("netstat", "-tn"), 5.0)
BOTH = (
    executes(b"\x01Proto", status={"status": "Success"}),
    says(200, {"kind": "ServiceList", "metadata": {}, "items": []}),
)
EXPECTED = (Output(Blob("Proto"), exit_code=0), Objects(items=()))

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificates with openssl")


class Certificates(Struct, frozen=True):
    """An authority, and a certificate of it for a server whose name is not its address."""

    authority: Path
    certificate: Path
    key: Path

    def server(self, *, of_clients: bool = False) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.authority))
        context.load_cert_chain(self.certificate, self.key)
        context.verify_mode = ssl.CERT_REQUIRED if of_clients else ssl.CERT_NONE
        return context


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"), "DNS:kubernetes.example")


@pytest.fixture(scope="module")
def intermediate(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority that another one certified, which nobody is given."""
    directory = tmp_path_factory.mktemp("tls")
    root, key = directory / "root.crt", directory / "root.key"
    openssl("-subj", "/CN=root", "-keyout", key, "-out", root)
    return make_certificates(directory, "IP:127.0.0.1", "-CA", root, "-CAkey", key)


@pytest.fixture(scope="module")
def addressed(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"), "IP:127.0.0.1")


def make_certificates(directory: Path, name: str, *certified: object) -> Certificates:
    """Make an authority, which is its own or is `certified` by another, and a server's certificate of it."""
    authority, certificate, key = (directory / part for part in ("ca.crt", "tls.crt", "tls.key"))
    openssl(*certified, "-subj", "/CN=ca", "-keyout", f"{directory}/ca.key", "-out", authority)
    signed = ["-CA", authority, "-CAkey", f"{directory}/ca.key", "-addext", f"subjectAltName={name}"]
    openssl(*signed, "-subj", "/CN=dev", "-keyout", key, "-out", certificate)
    return Certificates(authority, certificate, key)


def openssl(*arguments: object) -> None:
    curve = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run(["openssl", "req", *curve, *map(str, arguments)], check=True, capture_output=True, timeout=30)


def talk(directory: Path, tls: ssl.SSLContext, cluster: dict[str, Any], **user: object) -> tuple[Answer, Answer]:
    """Exec once and read once over TLS."""

    async def main() -> tuple[Answer, Answer]:
        server = ApiServer(BOTH)
        with nothing_left_behind(server):
            async with serving(server, tls) as url:
                return await both(write_kubeconfig(directory, url, cluster, **user))

    return asyncio.run(main())


async def both(kubeconfig: str) -> tuple[Answer, Answer]:
    async with connect(ConnectOptions(kubeconfig=kubeconfig)) as cluster:
        looked = await cluster.read(LOOK)
        listed = await cluster.read(SERVICES)
    return looked.answer, listed.answer


def in_base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def commented(path: Path) -> bytes:
    """Give a certificate as some tools write it, with what it is in words around it."""
    return "# Stammzertifikat für Köln\n".encode() + path.read_bytes() + "\n# gültig bis 2027\n".encode("latin-1")


def test_a_certificate_of_the_kubeconfigs_authority_is_trusted(tmp_path: Path, addressed: Certificates) -> None:
    cluster = {"certificate-authority-data": in_base64(addressed.authority)}

    assert talk(tmp_path, addressed.server(), cluster) == EXPECTED


@pytest.mark.parametrize("form", ["certificate-authority-data", "certificate-authority"])
def test_an_authority_is_trusted_whoever_certified_it(tmp_path: Path, intermediate: Certificates, form: str) -> None:
    written = {
        "certificate-authority-data": in_base64(intermediate.authority),
        "certificate-authority": str(intermediate.authority),
    }

    assert talk(tmp_path, intermediate.server(), {form: written[form]}) == EXPECTED


@pytest.mark.parametrize("form", ["certificate-authority-data", "certificate-authority"])
def test_words_around_a_certificate_say_nothing(tmp_path: Path, addressed: Certificates, form: str) -> None:
    file = tmp_path / "ca.crt"
    file.write_bytes(commented(addressed.authority))
    written = {"certificate-authority-data": in_base64(file), "certificate-authority": str(file)}

    assert talk(tmp_path, addressed.server(), {form: written[form]}) == EXPECTED


def test_a_server_is_known_by_its_tls_server_name(tmp_path: Path, certificates: Certificates) -> None:
    cluster = {"certificate-authority": str(certificates.authority), "tls-server-name": "kubernetes.example"}

    assert talk(tmp_path, certificates.server(), cluster) == EXPECTED


def test_a_server_of_another_name_is_not_trusted(tmp_path: Path, certificates: Certificates) -> None:
    cluster = {"certificate-authority": str(certificates.authority)}

    with pytest.raises(
        ClusterError, match=r"its certificate is not trusted .*certificate-authority or tls-server-name"
    ):
        talk(tmp_path, certificates.server(), cluster)


def test_a_server_of_another_authority_is_not_trusted(
    tmp_path: Path, certificates: Certificates, addressed: Certificates
) -> None:
    cluster = {"certificate-authority": str(certificates.authority)}

    with pytest.raises(ClusterError, match="its certificate is not trusted"):
        talk(tmp_path, addressed.server(), cluster)


def test_a_kubeconfig_that_skips_verification_is_obeyed(tmp_path: Path, certificates: Certificates) -> None:
    assert talk(tmp_path, certificates.server(), {"insecure-skip-tls-verify": True}) == EXPECTED


def test_a_client_certificate_is_shown_to_the_server(tmp_path: Path, addressed: Certificates) -> None:
    cluster = {"certificate-authority": str(addressed.authority)}
    user = {"client-certificate-data": in_base64(addressed.certificate), "client-key-data": in_base64(addressed.key)}

    assert talk(tmp_path, addressed.server(of_clients=True), cluster, **user) == EXPECTED


@pytest.mark.parametrize(
    "content",
    [
        b"not a certificate",
        b"-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nk\xf6ln\n-----END CERTIFICATE-----\n",
    ],
)
def test_a_certificate_that_is_none_is_said_to_be_unusable(tmp_path: Path, content: bytes) -> None:
    kubeconfig = write_kubeconfig(
        tmp_path, "https://127.0.0.1:1", {"certificate-authority-data": base64.b64encode(content).decode()}
    )

    with pytest.raises(ClusterError, match=r"the kubeconfig's certificates for https://127.0.0.1:1"):
        asyncio.run(both(kubeconfig))


def test_an_authority_that_is_missing_is_named(tmp_path: Path) -> None:
    kubeconfig = write_kubeconfig(
        tmp_path, "https://127.0.0.1:1", {"certificate-authority": str(tmp_path / "missing.crt")}
    )

    with pytest.raises(ClusterError, match=r"cannot read .*missing.crt, the certificate-authority of context"):
        asyncio.run(both(kubeconfig))


def test_a_server_that_does_not_speak_tls_is_said_not_to(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(ApiServer(BOTH)) as url:
            await both(write_kubeconfig(tmp_path, url.replace("http:", "https:")))

    with pytest.raises(ClusterError, match="TLS failed"):
        asyncio.run(main())


def test_execs_that_are_left_over_tls_leave_nothing_open(tmp_path: Path, addressed: Certificates) -> None:
    cluster = {"certificate-authority": str(addressed.authority)}
    hasty = msgspec.structs.replace(LOOK, seconds=0.5)

    async def main() -> tuple[Answer, Answer]:
        server = ApiServer((floods(b"\x01"), executes(b"\x01Proto", then="hang")))
        with nothing_left_behind(server):
            async with (
                serving(server, addressed.server()) as url,
                connect(ConnectOptions(kubeconfig=write_kubeconfig(tmp_path, url, cluster))) as kube,
            ):
                return (await kube.read(LOOK)).answer, (await kube.read(hasty)).answer

    flooded, hung = asyncio.run(main())

    assert isinstance(flooded, Output)
    assert flooded.gap is GapReason.TOO_LARGE
    assert isinstance(hung, Refused)
    assert hung.reason is GapReason.TIMED_OUT
