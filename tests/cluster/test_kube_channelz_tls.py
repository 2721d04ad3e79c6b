"""Channelz over TLS."""

import shutil
from pathlib import Path

import pytest

from kubectl_grpclb.cluster.kube import ChannelzTls
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import Answer, AskChannelz, Refused
from tests.cluster.channelz_pods import LOOK, ONE, TLS, Told, asked, channelz_of, refusal_of
from tests.cluster.test_kube_tls import Certificates, make_certificates


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if shutil.which("openssl") is None:
        pytest.skip("makes its certificates with openssl")
    return make_certificates(tmp_path_factory.mktemp("tls"), "DNS:greeter.shop")


def over_tls(tmp_path: Path, request: AskChannelz, certificates: Certificates, tls: ChannelzTls) -> Answer:
    key = (certificates.key.read_bytes(), certificates.certificate.read_bytes())
    return asked(tmp_path, request, Told(ONE), key=key, channelz=tls)


def test_channelz_is_asked_over_tls_by_the_name_in_the_certificate(tmp_path: Path, certificates: Certificates) -> None:
    tls = ChannelzTls(certificates.authority.read_bytes(), "greeter.shop")

    assert len(channelz_of(over_tls(tmp_path, TLS, certificates, tls)).looks) == 1


@pytest.mark.parametrize("name", [None, "checkout.shop"])
def test_a_certificate_of_another_name_is_not_trusted(
    tmp_path: Path, certificates: Certificates, name: str | None
) -> None:
    tls = ChannelzTls(certificates.authority.read_bytes(), name)

    refused = refusal_of(over_tls(tmp_path, TLS, certificates, tls))

    assert refused.reason is GapReason.NOT_SERVED
    assert refused.message.startswith("no TLS connection: ")


def test_a_port_that_speaks_tls_says_so_where_it_is_asked_without(tmp_path: Path, certificates: Certificates) -> None:
    answer = over_tls(tmp_path, LOOK, certificates, ChannelzTls())

    assert answer == Refused(GapReason.NOT_SERVED, "the port speaks TLS: use --tls")


def test_a_port_that_speaks_no_tls_says_so_where_it_is_asked_over_it(tmp_path: Path) -> None:
    refused = refusal_of(asked(tmp_path, TLS, Told(ONE)))

    assert refused == Refused(GapReason.NOT_SERVED, "the port speaks gRPC without TLS")
