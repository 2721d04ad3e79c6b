"""From a kubeconfig's cluster and user to a client that speaks to it."""

import os
import re
import ssl
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace
from multidict import CIMultiDict
from yarl import URL

from kubectl_grpclb import __version__
from kubectl_grpclb.cluster._credentials import Credentials, pem, read_credentials
from kubectl_grpclb.cluster._entries import User
from kubectl_grpclb.cluster._kubeconfig import Access
from kubectl_grpclb.cluster._proxy import proxy_for, variable_for
from kubectl_grpclb.model.errors import ClusterError, UsageError

if TYPE_CHECKING:
    from kubectl_grpclb.cluster.told import Teller

# While it is imported, aiohttp makes two TLS contexts and loads the system's authorities into each, for 0.07 s. They
# are never used here, where every session over TLS has the kubeconfig's; without authorities they trust nobody.
ssl.SSLContext.set_default_verify_paths = lambda _: None  # type: ignore[assignment,method-assign] # see above
try:
    import aiohttp
finally:
    del ssl.SSLContext.set_default_verify_paths

from kubectl_grpclb.cluster._api import Api, Route  # noqa: E402 -- they import aiohttp
from kubectl_grpclb.cluster._failures import Place, misconfigured  # noqa: E402 -- they import aiohttp
from kubectl_grpclb.cluster._handshake import watch_handshake  # noqa: E402 -- they import aiohttp
from kubectl_grpclb.cluster._identity import Renewal  # noqa: E402 -- they import aiohttp
from kubectl_grpclb.cluster._once import send_once  # noqa: E402 -- they import aiohttp

__all__ = ["Impersonation", "open_api"]


_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


_USER = re.compile(r"(^|//)[^/]*@")
"""A user's name and password in a URL, which nobody is told."""

_FILES = 4096
"""Open files that are enough for every request in flight; a port-forward is three. Many shells allow 256 or 1024."""


class Impersonation(Struct, frozen=True):
    """`--as` and `--as-group`; where no user is given, the kubeconfig's own `as` holds, also for the groups."""

    user: str | None = None
    groups: tuple[str, ...] = ()


@asynccontextmanager
async def open_api(
    access: Access, impersonation: Impersonation, seconds: float, teller: "Teller | None" = None
) -> AsyncIterator[Api]:
    """Open a session with the cluster; nothing is sent yet, except to whoever issues the credentials.

    A request may take `seconds`, an exec has its own limit.

    Raises ClusterError where the kubeconfig's certificates, credentials or proxy, or the environment's proxy, cannot
    be used.
    """
    _allow_files()
    place = _place(access, os.environ)
    if teller is not None:
        teller.say(f"use context {place.context}, server {place.server}")
    credentials = await read_credentials(access, teller)
    route = Route(proxy=_proxy(place), tls_server_name=access.cluster.tls_server_name or None)
    headers = _impersonating(access.user, impersonation)
    headers["User-Agent"] = f"kubectl-grpclb/{__version__}"
    renewal = Renewal(credentials, lambda: read_credentials(access, teller), lambda held: _tls(access, held, place))
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),  # the cluster's semaphores bound what is in flight
        headers=headers,
        middlewares=(watch_handshake, send_once),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,  # aiohttp would also read ~/.netrc, which kubectl does not
    ) as session:
        try:
            yield Api(session, place, route, renewal, seconds, teller)
        finally:
            await renewal.end()


def _allow_files() -> None:
    """Let this process have more open files, where the system lets it and there are such limits at all."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _tls(access: Access, credentials: Credentials, place: Place) -> ssl.SSLContext:
    """Make the context of every connection to the cluster. Raises ClusterError."""
    try:
        return _context(access, credentials)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise misconfigured("certificates", error, place) from error


def _context(access: Access, credentials: Credentials) -> ssl.SSLContext:
    if access.cluster.insecure_skip_tls_verify:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    else:
        authorities = _authorities(access)
        context = ssl.create_default_context(cadata=None if authorities is None else _certificates(authorities))
    # Go trusts every authority that it is given, whoever certified it; OpenSSL by itself only one of its own.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    # Python 3.13 became stricter than kubectl about what a cluster's certificates must say.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if credentials.certificate and credentials.key:
        # OpenSSL reads a client certificate from files only; they are gone again when the context holds it.
        with tempfile.TemporaryDirectory(prefix="kubectl-grpclb-") as directory:
            context.load_cert_chain(
                _written(Path(directory, "certificate"), credentials.certificate),
                _written(Path(directory, "key"), credentials.key),
            )
    return context


def _authorities(access: Access) -> bytes | None:
    cluster = access.cluster
    return pem("certificate-authority", cluster.certificate_authority_data, cluster.certificate_authority, access)


def _certificates(content: bytes) -> str:
    """Give the certificates of a PEM file without what else is in it, as Go takes it; without any, trust nobody."""
    found = _CERTIFICATE.findall(content)
    if not found:
        raise ValueError("there is no certificate in certificate-authority")
    return b"\n".join(found).decode("ascii")


def _written(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def _place(access: Access, environ: Mapping[str, str]) -> Place:
    """Name the cluster and the proxy to it; the kubeconfig's goes before the environment's."""
    server, proxy = _USER.sub(r"\1", access.cluster.server, count=1), access.cluster.proxy_url
    source = "the kubeconfig's proxy-url"
    if not proxy:
        proxy = proxy_for(server, environ)
        source = f"the environment's {variable_for(server)}" if proxy else ""
    return Place(access.context, server, proxy, source, access.flags, access.is_service_account)


def _proxy(place: Place) -> str | None:
    """Give the proxy. Raises ClusterError for SOCKS, which kubectl speaks and aiohttp does not."""
    if place.proxy and not _is_http(place.proxy):
        raise ClusterError(
            f"{place.proxy_source} for {place} is not the http:// or https:// address of a proxy; other proxies are "
            f"not supported. Use `{place.kubectl('proxy')}` and a kubeconfig with its address instead"
        )
    return place.proxy


def _is_http(proxy: str) -> bool:
    try:
        url = URL(proxy)
    except ValueError:
        return False
    return url.scheme in {"http", "https"} and bool(url.host)


def _impersonating(user: User, impersonation: Impersonation) -> CIMultiDict[str]:
    """Give the headers of kubectl's impersonation. Raises UsageError for groups of nobody.

    Another user replaces all that the kubeconfig says of it, other groups its groups.
    """
    if impersonation.user:
        user = User(as_user=impersonation.user, as_groups=impersonation.groups)
    elif impersonation.groups:
        if not user.as_user:
            raise UsageError("--as-group needs --as: a group is impersonated together with a user")
        user = replace(user, as_groups=impersonation.groups)
    headers: CIMultiDict[str] = CIMultiDict()
    for value, name in ((user.as_user, "Impersonate-User"), (user.as_uid, "Impersonate-Uid")):
        if value:
            headers.add(name, value)
    for group in user.as_groups or ():
        headers.add("Impersonate-Group", group)
    for key, values in (user.as_user_extra or {}).items():
        for value in values or ():
            headers.add(f"Impersonate-Extra-{quote(key, safe='')}", value)
    return headers
