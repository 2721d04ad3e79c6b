"""Names of objects, for shell completion: nothing else of them is read, and not of every one."""

from typing import Literal

import msgspec
from msgspec import Struct

from kubectl_grpclb.cluster._api import Api

__all__ = ["listed"]

PAGE = 500
"""Objects asked for at a time."""

PAGES = 10
"""Requests at most: who has more objects than these hold gets to see those that come first."""

MOST = 500
"""Names at most; more help nobody to choose."""

_PATHS = {"namespaces": "/api/v1/namespaces", "services": "/api/v1/namespaces/{namespace}/services"}


class _Metadata(Struct, frozen=True):
    name: str = ""


class _Item(Struct, frozen=True):
    metadata: _Metadata = _Metadata()


class _ListMetadata(Struct, frozen=True):
    token: str = msgspec.field(name="continue", default="")


class _Page(Struct, frozen=True):
    metadata: _ListMetadata = _ListMetadata()
    items: tuple[_Item, ...] | None = None


async def listed(api: Api, resource: Literal["namespaces", "services"], namespace: str, beginning: str) -> list[str]:
    """Give the names that begin like this, in the server's order, and none of what it refuses or what is no list.

    Raises ClusterError where the cluster cannot be reached or does not know the user.
    """
    found: list[str] = []
    token = ""
    for _ in range(PAGES):
        query = [("limit", str(PAGE)), *([("continue", token)] if token else [])]
        reply = await api.get(_PATHS[resource], {"namespace": namespace}, query)
        if reply.status != 200:
            break
        try:
            page = msgspec.json.decode(reply.body, type=_Page)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            break
        found += [each.metadata.name for each in page.items or () if each.metadata.name.startswith(beginning)]
        token = page.metadata.token
        if not token or len(found) >= MOST:
            break
    return found[:MOST]
