"""One API server, as one user: requests out, bytes back.

It speaks HTTP through aiohttp, on which the asyncio Kubernetes client is built. That client would cost 0.3 s to
import and would still leave WebSockets without the kubeconfig's proxy and TLS server name.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
from msgspec import Struct
from yarl import URL

from kubectl_grpclb.cluster._failures import Place, not_kubernetes, unauthorised, unreachable
from kubectl_grpclb.cluster._handshake import Socket, connection_of_last, leave
from kubectl_grpclb.cluster._identity import Identity, Renewal
from kubectl_grpclb.cluster._reply import (
    HandshakeRefusedError,
    Reply,
    body_of,
    first_of,
    is_status,
    is_web_page,
    pause_of,
    status_message,
)

if TYPE_CHECKING:
    from kubectl_grpclb.cluster.told import Teller

__all__ = ["OPTIONAL_LIMIT", "Api", "Query", "Route", "Socket"]

TRIES = 4
"""How often a request is sent at most while the API server asks to come back later."""

LONGEST_PAUSE = 5.0
"""Seconds to wait at most before the next try, whatever the server asks for."""

OPTIONAL_LIMIT = 16 * 1024 * 1024
"""Bytes of an answer that may come from somebody else's server; the figures of a pod are 1 kB."""

Answered = TypeVar("Answered")
Query = Sequence[tuple[str, str]]


class Route(Struct, frozen=True):
    """How to get to the server: the kubeconfig's proxy-url and tls-server-name."""

    proxy: str | None = None
    tls_server_name: str | None = None


class Api:
    """The API server's HTTP and WebSocket side; `place` names it in errors, times are seconds."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        place: Place,
        route: Route,
        renewal: Renewal,
        timeout: float,
        teller: "Teller | None" = None,
    ) -> None:
        self.place = place
        self._teller = teller
        self._session = session
        self._route = route
        self._renewal = renewal
        self._timeout = timeout
        self._answered = False

    @property
    def answered(self) -> bool:
        """Whether the API server is known to be there, and to know the user."""
        return self._answered

    async def get(self, path: str, names: dict[str, str], query: Query, *, optional: bool = False) -> Reply:
        """Send a GET and give the reply, whatever its status but 401.

        A busy server is asked again. Raises ClusterError where it cannot be reached, refuses the credentials
        or answers with a web page. An `optional` API is answered by somebody else behind the API server: once that has
        answered, such a reply says nothing of the cluster and is given, too. Raises TooLargeError where it sends more
        than OPTIONAL_LIMIT.
        """
        limit = OPTIONAL_LIMIT if optional else None
        reply = await self._patiently(lambda who: self._get(who, path, names, query, limit))
        if not (optional and self._answered):
            self._check(reply)
        return reply

    async def send(
        self, method: str, path: str, names: dict[str, str], query: Query, body: bytes, content_type: str
    ) -> Reply:
        """Send a request that may change something, as `get` sends one that does not.

        It is sent again only where the server says that it did nothing because it is busy. Raises ClusterError
        where no answer came: then nobody knows whether it was carried out.
        """
        reply = await self._patiently(lambda who: self._send(who, method, path, names, query, body, content_type))
        self._check(reply)
        return reply

    @asynccontextmanager
    async def stream(
        self, path: str, names: dict[str, str], query: Query, headers: dict[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse | Reply]:
        """Send a GET to something that the API server is a proxy for; give its body as it comes, or what was refused.

        A reply is one whose status is not 200; a 401 is somebody else's where the API server knew the user before. The
        caller sets the time limit; redirects are not followed, since the user's credentials go with each request.
        Raises aiohttp's ClientError and ClusterError as `websocket` does.
        """
        opened = await self._patiently(lambda who: self._open(who, path, names, query, headers), proxied=True)
        if isinstance(opened, Reply):
            if opened.status == 401 and is_status(opened) and not self._answered:
                raise unauthorised(status_message(opened), self.place)
            self._answered = True
            yield opened
            return
        self._answered = True
        try:
            yield opened
        finally:
            opened.close()

    @asynccontextmanager
    async def websocket(
        self, path: str, names: dict[str, str], query: Query, *, protocol: str, limit: int
    ) -> AsyncIterator[Socket]:
        """Open a WebSocket for messages of up to `limit` bytes, and close it come what may.

        The caller sets the time limit. Raises HandshakeRefusedError with the server's reply, aiohttp's
        ClientError where the connection broke, or could not be made although the server has answered before,
        and ClusterError as `get` does.
        """
        opened = await self._patiently(lambda who: self._connect(who, path, names, query, protocol, limit))
        if isinstance(opened, Reply):
            if opened.status == 401 or not self._answered:
                self._check(opened)  # a web page says nothing of a cluster that answered others
            raise HandshakeRefusedError(opened)
        self._answered = True
        transport = connection_of_last()
        try:
            yield opened
        finally:
            await leave(opened, transport)

    async def _get(self, who: Identity, path: str, names: dict[str, str], query: Query, limit: int | None) -> Reply:
        try:
            async with self._session.get(
                self._url(path, names, query),
                headers=who.headers,
                timeout=aiohttp.ClientTimeout(total=self._timeout or None),
                ssl=who.tls,
                proxy=self._route.proxy,
                server_hostname=self._route.tls_server_name,
            ) as response:
                return Reply(response.status, await body_of(response, limit), pause_of(response))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise unreachable(error, self.place, self._timeout) from error

    async def _send(
        self,
        who: Identity,
        method: str,
        path: str,
        names: dict[str, str],
        query: Query,
        body: bytes,
        content_type: str,
    ) -> Reply:
        try:
            async with self._session.request(
                method,
                self._url(path, names, query),
                data=body,
                headers=who.headers | {"Content-Type": content_type},
                timeout=aiohttp.ClientTimeout(total=self._timeout or None),
                ssl=who.tls,
                proxy=self._route.proxy,
                server_hostname=self._route.tls_server_name,
            ) as response:
                return Reply(response.status, await response.read(), pause_of(response))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise unreachable(error, self.place, self._timeout) from error

    async def _open(
        self, who: Identity, path: str, names: dict[str, str], query: Query, headers: dict[str, str]
    ) -> aiohttp.ClientResponse | Reply:
        try:
            response = await self._session.get(
                self._url(path, names, query),
                headers=who.headers | headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=None),
                ssl=who.tls,
                proxy=self._route.proxy,
                server_hostname=self._route.tls_server_name,
            )
        except (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError) as error:
            if self._answered:
                raise  # one connection of many, which says nothing of the cluster
            raise unreachable(error, self.place, self._timeout) from error
        if response.status == 200:
            return response
        try:
            return Reply(response.status, await first_of(response.content), pause_of(response))
        finally:
            response.close()

    async def _connect(
        self, who: Identity, path: str, names: dict[str, str], query: Query, protocol: str, limit: int
    ) -> Socket | Reply:
        try:
            return await self._session.ws_connect(
                self._url(path, names, query),
                protocols=(protocol,),
                max_msg_size=limit,
                headers=who.headers,
                ssl=who.tls,
                proxy=self._route.proxy,
                server_hostname=self._route.tls_server_name,
                decode_text=False,
            )
        except HandshakeRefusedError as refused:
            return refused.reply
        except (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError) as error:
            if self._answered:
                raise  # one connection of many, which says nothing of the cluster
            raise unreachable(error, self.place, self._timeout) from error

    async def _patiently(self, send: Callable[[Identity], Awaitable[Answered]], *, proxied: bool = False) -> Answered:
        """Send as the user, and once more as who the user is by now where the API server did not know the first one.

        Then it carried nothing out. Of a `proxied` request, a 401 that is not in the API server's words is not its own.
        """
        who = await self._renewal.current()
        answer = await self._while_busy(send, who)
        if not isinstance(answer, Reply) or answer.status != 401 or (proxied and not is_status(answer)):
            return answer
        other = await self._renewal.instead_of(who)
        return answer if other is None else await self._while_busy(send, other)

    async def _while_busy(self, send: Callable[[Identity], Awaitable[Answered]], who: Identity) -> Answered:
        """Send again while the server is busy, after the pause that it asks for."""
        for attempt in range(1, TRIES):
            answer = await send(who)
            if not (isinstance(answer, Reply) and answer.busy):
                return answer
            wanted = 0.25 * 2**attempt if answer.pause is None else answer.pause
            pause = min(wanted, LONGEST_PAUSE)
            if self._teller is not None:
                self._teller.say(f"wait {pause:g} s, since the API server is busy ({answer.status})")
            await asyncio.sleep(pause)
        return await send(who)

    def _url(self, path: str, names: dict[str, str], query: Query) -> URL:
        filled = path.format_map({key: quote(value, safe="") for key, value in names.items()})
        question = f"?{urlencode(query)}" if query else ""
        return URL(f"{self.place.server.rstrip('/')}{filled}{question}", encoded=True)

    def _check(self, reply: Reply) -> None:
        if reply.status == 401:
            raise unauthorised(status_message(reply), self.place)
        if reply.status < 500 and is_web_page(reply):
            raise not_kubernetes(reply.body, self.place)
        self._answered = True
