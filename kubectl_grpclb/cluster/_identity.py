"""As whom requests are sent, and how that is renewed while a verb is at work.

As client-go does it: a token's file is read again about once a minute, a credential plugin is run again when what it
gave expires, and either when the API server does not know the user any more.
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from msgspec import Struct

from kubectl_grpclb.cluster._credentials import Credentials
from kubectl_grpclb.model.errors import ClusterError

__all__ = ["Identity", "Renewal"]

FILE_SECONDS = 60.0
"""How old the content of a token's file may be."""

PLUGIN_PAUSE = 10.0
"""Seconds from one renewal by a plugin to the next: where the clocks differ, what it gives may look expired at once."""


class Identity(Struct, frozen=True):
    """What makes a request the user's: a header, and a client certificate in the TLS context."""

    authorization: str | None
    tls: ssl.SSLContext
    """Each certificate has a context of its own, so that no connection outlives it."""

    @property
    def headers(self) -> dict[str, str]:
        """The headers that a request is sent with."""
        return {"Authorization": self.authorization} if self.authorization else {}


class Renewal:
    """Gives the identity that holds now; `read` gets the credentials once more, `secure` makes a TLS context of them.

    Both raise ClusterError. What was begun is ended by `end`.
    """

    def __init__(
        self,
        credentials: Credentials,
        read: Callable[[], Awaitable[Credentials]],
        secure: Callable[[Credentials], ssl.SSLContext],
    ) -> None:
        self._credentials, self._read, self._secure = credentials, read, secure
        self._identity = Identity(credentials.authorization, secure(credentials))
        self._read_at = time.monotonic()
        self._renewed = False
        self._work: asyncio.Task[None] | None = None

    async def current(self) -> Identity:
        """Give the identity for a request. Raises ClusterError where it expired and cannot be renewed."""
        if self._expired():
            await self._renew()
        return self._identity

    async def instead_of(self, refused: Identity) -> Identity | None:
        """Give another one than that which the API server did not know; None where there is none.

        Raises ClusterError where the plugin that gave it gives none any more.
        """
        if refused is self._identity and self._renewable():
            await self._renew()
        return None if refused is self._identity else self._identity

    async def end(self) -> None:
        """End a renewal that nobody waits for any more."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    def _expired(self) -> bool:
        if self._credentials.source == "file":
            return time.monotonic() - self._read_at >= FILE_SECONDS
        expires = self._credentials.expires
        return expires is not None and datetime.now(UTC) >= expires and self._renewable()

    def _renewable(self) -> bool:
        if self._credentials.source == "plugin":
            return not self._renewed or time.monotonic() - self._read_at >= PLUGIN_PAUSE
        return self._credentials.source == "file"

    async def _renew(self) -> None:
        """Renew it once for all who wait, also where the time of who asked first is over."""
        if self._work is None:
            self._work = asyncio.create_task(self._read_again())
            self._work.add_done_callback(self._done)
        await asyncio.shield(self._work)

    def _done(self, work: asyncio.Task[None]) -> None:
        self._work = None
        if not work.cancelled():
            work.exception()  # whoever waits gets it, and it is nobody's loss where nobody does

    async def _read_again(self) -> None:
        try:
            credentials = await self._read()
        except ClusterError:
            if self._credentials.source == "plugin":
                raise
            credentials = self._credentials  # what the file held may still be good
        self._read_at, self._renewed = time.monotonic(), True
        before, self._credentials = self._credentials, credentials
        certified = (before.certificate, before.key) != (credentials.certificate, credentials.key)
        if certified or before.authorization != credentials.authorization:
            tls = self._secure(credentials) if certified else self._identity.tls
            self._identity = Identity(credentials.authorization, tls)
