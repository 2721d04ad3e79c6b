"""Which proxy the environment has for an address. The cases are those of Go's httpproxy, which kubectl asks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_grpclb.cluster._proxy import proxy_for

SERVER = "https://api.prod.example.com:6443"
BY_ADDRESS = "https://10.96.0.1:6443"
PROXY = "http://proxy.example.com:3128"


def test_without_a_proxy_in_the_environment_there_is_none() -> None:
    assert proxy_for(SERVER, {"HTTPS_PROXY": ""}) is None


@pytest.mark.parametrize(
    ("server", "proxy"),
    [(SERVER, PROXY), ("http://api.prod.example.com:8080", "http://plain.example.com:3128")],
)
def test_each_scheme_has_a_proxy_of_its_own(server: str, proxy: str) -> None:
    assert proxy_for(server, {"HTTPS_PROXY": PROXY, "HTTP_PROXY": "http://plain.example.com:3128"}) == proxy


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY", "all_proxy"])
def test_no_other_variable_says_where_https_goes(variable: str) -> None:
    assert proxy_for(SERVER, {variable: PROXY}) is None


def test_a_variable_in_lower_case_counts_where_there_is_none_in_upper_case() -> None:
    environ = {"https_proxy": PROXY, "no_proxy": "example.org"}

    assert proxy_for(SERVER, environ) == PROXY
    assert proxy_for(SERVER, environ | {"HTTPS_PROXY": "http://other.example.com:3128"}) != PROXY
    assert proxy_for(SERVER, environ | {"NO_PROXY": "prod.example.com"}) is None


def test_a_proxy_without_a_scheme_speaks_http() -> None:
    assert proxy_for(SERVER, {"HTTPS_PROXY": "proxy.example.com:3128"}) == PROXY


@pytest.mark.parametrize("proxy", ["https://proxy.example.com:3129", "socks5://proxy.example.com:1080"])
def test_a_proxy_with_a_scheme_keeps_it(proxy: str) -> None:
    assert proxy_for(SERVER, {"HTTPS_PROXY": proxy}) == proxy


@pytest.mark.parametrize(
    "server",
    [
        "https://localhost:6443",
        "https://127.0.0.1:6443",
        "https://127.8.9.10:6443",
        "https://[::1]:6443",
        "https://[::ffff:127.0.0.1]:6443",
    ],
)
def test_this_machine_is_never_asked_through_a_proxy(server: str) -> None:
    assert proxy_for(server, {"HTTPS_PROXY": PROXY}) is None


@pytest.mark.parametrize(
    ("server", "exceptions"),
    [
        (SERVER, "*"),
        (SERVER, "api.prod.example.com"),
        (SERVER, "example.com"),
        (SERVER, "Example.COM"),
        (SERVER, ".example.com"),
        (SERVER, "*.example.com"),
        (SERVER, "example.com:6443"),
        (SERVER, ".prod.example.com:6443"),
        (SERVER, "*.prod.example.com:6443"),
        (SERVER, "example.org, example.com ,"),
        ("https://api.prod.example.com", "example.com:443"),
        ("https://API.prod.example.com:6443", "example.com"),
        (BY_ADDRESS, "10.96.0.1"),
        (BY_ADDRESS, "10.96.0.1:6443"),
        (BY_ADDRESS, "10.0.0.0/8"),
        (BY_ADDRESS, "10.1.2.3/8"),
        ("https://[::ffff:10.96.0.1]:6443", "10.0.0.0/8"),
        ("https://[fd00::1]:6443", "fd00::1"),
        ("https://[fd00::1]:6443", "[fd00::1]:6443"),
        ("https://[fd00::1]:6443", "fd00::/8"),
    ],
)
def test_an_exception_is_reached_without_the_proxy(server: str, exceptions: str) -> None:
    assert proxy_for(server, {"HTTPS_PROXY": PROXY, "NO_PROXY": exceptions}) is None


@pytest.mark.parametrize(
    ("server", "exceptions"),
    [
        (SERVER, ""),
        (SERVER, " , "),
        (SERVER, "example.org"),
        (SERVER, "ample.com"),
        (SERVER, ".api.prod.example.com"),
        (SERVER, "*.api.prod.example.com"),
        (SERVER, "example.com:443"),
        (SERVER, ":6443"),
        (SERVER, "*:6443"),
        (SERVER, "10.0.0.0/8"),
        (BY_ADDRESS, "10.96.0.1:443"),
        (BY_ADDRESS, "10.96.0.2"),
        (BY_ADDRESS, "192.168.0.0/16"),
        (BY_ADDRESS, "fd00::/8"),
        (BY_ADDRESS, "10.0.0.0/33"),
        (BY_ADDRESS, "10.0.0.0/8:6443"),
        ("https://[fd00::1]:6443", "[fd00::1]:443"),
        ("https://[fd00::1]:6443", "[fd00::1]"),
    ],
)
def test_everything_else_goes_through_the_proxy(server: str, exceptions: str) -> None:
    assert proxy_for(server, {"HTTPS_PROXY": PROXY, "NO_PROXY": exceptions}) == PROXY


@pytest.mark.parametrize(
    "server", ["", "api.prod.example.com:6443", "ftp://example.com", "https://", "https://[::1", "https://example:port"]
)
def test_what_is_no_address_of_a_server_has_no_proxy(server: str) -> None:
    assert proxy_for(server, {"HTTPS_PROXY": PROXY, "FTP_PROXY": PROXY}) is None


@given(st.text(), st.text())
def test_any_text_gives_a_proxy_or_none(exceptions: str, proxy: str) -> None:
    found = proxy_for(SERVER, {"HTTPS_PROXY": proxy, "NO_PROXY": exceptions})

    assert found is None or "://" in found
