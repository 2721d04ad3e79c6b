"""What to tell the user when the cluster as a whole does not answer: what happened, why, what to do next."""

import os
import re
import ssl

import aiohttp
from msgspec import Struct
from yarl import URL

from kubectl_grpclb.model.command import NOT_GIVEN, ClusterFlags
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.text import printable

__all__ = ["Place", "UnreachableError", "misconfigured", "not_kubernetes", "unauthorised", "unreachable", "words"]

_USERINFO = re.compile(r"//[^/\s]*@")
"""A name and a password in an address: aiohttp quotes the proxy's."""


class Place(Struct, frozen=True):
    """A cluster as the user knows it."""

    context: str
    server: str
    """Its address, without the name and password that the kubeconfig may have in it."""
    proxy: str | None = None
    proxy_source: str = ""
    """Where the proxy is set, in words."""
    flags: ClusterFlags = NOT_GIVEN
    """What a command of kubectl needs to reach it."""
    is_service_account: bool = False
    """Whether a pod asks its own cluster, without a kubeconfig and so without a context."""

    def __str__(self) -> str:
        known_by = "this pod's service account" if self.is_service_account else f"context {printable(self.context)!r}"
        return f"{printable(self.server)} ({known_by})"

    def kubectl(self, *words: str) -> str:
        """Write a kubectl command for this cluster."""
        return printable(self.flags.kubectl(*words, namespace=None))

    @property
    def get_ns(self) -> str:
        """The command that shows whether kubectl reaches it."""
        return self.kubectl("get", "ns")


class UnreachableError(ClusterError):
    """No answer came to a request; its cause is what went wrong."""


def unreachable(error: Exception, place: Place, timeout: float) -> UnreachableError:
    """Say why no answer came; `timeout` is the request's, in seconds."""
    return UnreachableError(f"cannot reach the API server {place}: {_why(error, place, timeout)}")


def _why(error: Exception, place: Place, timeout: float) -> str:
    if isinstance(error, TimeoutError):
        return (
            f"no answer within {timeout:g} s. Is a VPN or a firewall in the way? "
            "A longer --request-timeout allows more time"
        )
    return _why_proxy(error, place) or _why_tls(error) or _why_connection(error, place)


def _why_tls(error: Exception) -> str | None:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return (
            f"its certificate is not trusted ({words(error.certificate_error)}). The kubeconfig's "
            "certificate-authority or tls-server-name belongs to another cluster, or the cluster was recreated: "
            "fetch the kubeconfig again"
        )
    if isinstance(error, aiohttp.ClientConnectorSSLError | ssl.SSLError):
        return f"TLS failed ({words(error)}). Is the port right, and does it speak https?"
    return None


def _why_proxy(error: Exception, place: Place) -> str | None:
    if place.proxy is None:
        return None
    proxy = f"{_without_password(place.proxy)} of {place.proxy_source}"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy {proxy} refused the connection: {error.status} {printable(error.message)}"
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return f"the proxy {proxy} cannot be reached ({words(error.os_error)})"
    return _why_tls_of_proxy(error, URL(place.proxy), proxy)


def _why_tls_of_proxy(error: Exception, address: URL, proxy: str) -> str | None:
    if not isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return None
    if (error.host, error.port) != (address.host, address.port):
        return None
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return (
            f"the certificate of the proxy {proxy} is not trusted ({words(error.certificate_error)}). As with kubectl, "
            "the kubeconfig's certificate-authority must have signed it, too"
        )
    return f"TLS failed with the proxy {proxy} ({words(error)}). Is its port right, and does it speak https?"


def _why_connection(error: Exception, place: Place) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"its name cannot be resolved ({words(error.os_error)}). Do you need a VPN?"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{words(error.os_error)}. Is the cluster running, and does `{place.get_ns}` work from here?"
    if isinstance(error, aiohttp.InvalidURL):
        return "that is not an address; look at the cluster's server in the kubeconfig"
    return f"the connection broke ({words(error)}). Try again; does `{place.get_ns}` work from here?"


def unauthorised(message: str, place: Place) -> ClusterError:
    """Say that the cluster does not know the user (HTTP 401)."""
    if place.is_service_account:
        return ClusterError(
            f"the cluster refused the service account's token (401 {printable(message)}) at {place}: it has expired, "
            "or the service account was deleted. A new pod gets a new one"
        )
    return ClusterError(
        f"the cluster refused your credentials (401 {printable(message)}) at {place}: they have expired or belong "
        f"to another cluster. Log in again; `{place.get_ns}` should work first"
    )


def not_kubernetes(body: bytes, place: Place) -> ClusterError:
    """Say that something other than an API server answered."""
    seen = printable(" ".join(body[:2000].decode("utf-8", "replace").split())[:80])
    return ClusterError(
        f"what answers at {place} is not a Kubernetes API server: it sent: {seen} … A proxy or a login page is "
        f"in between, or the server's address is wrong; does `{place.get_ns}` work from here?"
    )


def misconfigured(what: str, error: Exception, place: Place) -> ClusterError:
    """Say which part of the kubeconfig cannot be used."""
    return ClusterError(f"the kubeconfig's {what} for {place} cannot be used: {words(error)}")


def words(error: BaseException) -> str:
    """Give an error's own words, or its type's name where it has none."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return words(error.os_error)  # aiohttp puts the address before it
    if isinstance(error, aiohttp.ClientResponseError):
        return printable(f"HTTP {error.status} {error.message}")  # and the whole URL after it
    if isinstance(error, ssl.SSLCertVerificationError):
        return printable(error.verify_message)
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)  # asyncio puts "Connect call failed" in its place
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return printable(_USERINFO.sub("//", text)[:300]) or type(error).__name__


def _without_password(proxy: str) -> str:
    return printable(str(URL(proxy).with_user(None)))
