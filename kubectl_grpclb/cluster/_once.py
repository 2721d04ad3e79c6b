"""Changes are sent once: aiohttp sends DELETE and PUT again where a connection breaks, as if nothing had been done."""

import aiohttp

from kubectl_grpclb.cluster._failures import words

__all__ = ["send_once"]


class _BrokenError(aiohttp.ClientConnectionError):
    """A connection broke, as an error after which aiohttp does not try again."""


async def send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a change again after which nobody knows whether it was made.

    It is a middleware for the session. A GET is sent again, and so is what found no connection to be sent on.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        if request.method == "GET":
            raise
        raise _BrokenError(words(error)) from error
