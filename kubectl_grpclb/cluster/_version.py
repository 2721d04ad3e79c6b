"""The version that the API server tells of itself, which everybody may ask for where nobody took that away."""

import asyncio

import msgspec
from msgspec import Struct

from kubectl_grpclb.cluster._api import Api
from kubectl_grpclb.cluster._reply import TooLargeError
from kubectl_grpclb.model.errors import ClusterError

__all__ = ["server_version"]

_SECONDS = 5.0
"""How long it may take: nothing waits for it that is worth more."""

_LONGEST = 100


class _Version(Struct, frozen=True, rename="camel"):
    git_version: str = ""


async def server_version(api: Api) -> str | None:
    """Give what the server calls itself, `v1.37.2`; None where it does not tell, whatever the reason."""
    try:
        async with asyncio.timeout(_SECONDS):
            reply = await api.get("/version", {}, (), optional=True)
        told = msgspec.json.decode(reply.body, type=_Version).git_version if reply.status == 200 else ""
    except (ClusterError, TimeoutError, TooLargeError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return told[:_LONGEST] or None
