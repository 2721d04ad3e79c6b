"""Queries to a Prometheus server, at its URL or through the API server's proxy for its Service."""

import asyncio
import ssl
from urllib.parse import unquote, urlsplit

import aiohttp
from yarl import URL

from kubectl_grpclb.cluster._api import Api
from kubectl_grpclb.cluster._failures import words
from kubectl_grpclb.cluster._reply import Reply, is_status
from kubectl_grpclb.cluster._scrape import proxy_refusal
from kubectl_grpclb.model.errors import UsageError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.prometheus import ProxiedService, prometheus_server, proxied_service
from kubectl_grpclb.model.snapshot import Answer, AskPrometheus, Blob, Output, Refused

__all__ = ["query"]

_LIMIT = 8 * 1024 * 1024
"""Bytes of an answer; a sample takes some 200."""

_REFUSAL_LIMIT = 64 * 1024
"""Bytes that are kept of an answer that is not HTTP 200."""

_HEADERS = {"Accept": "application/json"}


async def query(api: Api, request: AskPrometheus, given: str | None) -> Answer:
    """Evaluate one query; `given` is the server as the user gave it, with name and password.

    Whatever the server does is an answer. Raises ClusterError where the API server is needed and cannot be reached.
    """
    service = proxied_service(request.server)
    try:
        async with asyncio.timeout(request.seconds):
            if service is not None:
                return await _through_proxy(api, service, request)
            return await _directly(request, given)
    except TimeoutError:
        return Refused(GapReason.TIMED_OUT, f"Prometheus did not answer within {request.seconds:g} s")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Refused(GapReason.DIED, f"could not query Prometheus: {words(error)}")


async def _through_proxy(api: Api, service: ProxiedService, request: AskPrometheus) -> Answer:
    """Ask with a GET, for which the permission `get` on services/proxy is enough."""
    path = "/api/v1/namespaces/{namespace}/services/{service}/proxy/api/v1/query"
    names = {"namespace": service.namespace, "service": service.port}
    async with api.stream(path, names, [("query", request.query)], _HEADERS) as opened:
        if not isinstance(opened, Reply):
            return await _read(opened, _LIMIT)
        if is_status(opened):
            return proxy_refusal(opened)
        return Output(stdout=Blob.of(opened.body), exit_code=opened.status)


async def _directly(request: AskPrometheus, given: str | None) -> Answer:
    """Ask in a session of its own: nothing of the user's credentials for the cluster goes to Prometheus."""
    # aiohttp's own context trusts nobody (cluster/_open.py), so the system's authorities are loaded here.
    tls = ssl.create_default_context() if request.server.startswith("https:") else True
    async with (
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None),
        ) as session,
        session.get(
            URL(f"{request.server}/api/v1/query", encoded=True).with_query({"query": request.query}),
            headers=_HEADERS | _authorization(request.server, given),
            allow_redirects=False,
        ) as response,
    ):
        if 300 <= response.status < 400:
            target = response.headers.get("Location", "elsewhere")
            return Refused(
                GapReason.NOT_SERVED, f"Prometheus redirects to {target}: give that address", response.status
            )
        return await _read(response, _LIMIT if response.status == 200 else _REFUSAL_LIMIT)


async def _read(response: aiohttp.ClientResponse, limit: int) -> Output:
    body = bytearray()
    code = 0 if response.status == 200 else response.status
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            detail = f"Prometheus answered with more than {limit // 1024} kB"
            return Output(exit_code=code, gap=GapReason.TOO_LARGE, detail=detail)
    return Output(stdout=Blob.of(bytes(body)), exit_code=code)


def _authorization(server: str, given: str | None) -> dict[str, str]:
    """Give the header for the name and password that came with this very server."""
    try:
        if given is None or prometheus_server(given) != server:
            return {}
    except UsageError:
        return {}
    url = urlsplit(given)
    if url.username is None:
        return {}
    return {"Authorization": aiohttp.encode_basic_auth(unquote(url.username), unquote(url.password or ""))}
