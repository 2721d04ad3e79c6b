"""Opens a cluster for the verbs that may change it."""

import gc
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.commands.session import Connection, connect_options

__all__ = ["in_workshop"]

Result = TypeVar("Result")


async def in_workshop(connection: Connection, run: Callable[[Workshop], Awaitable[Result]]) -> Result:
    """Connect as the flags say, and run a flow. Raises GrpclbError."""
    from kubectl_grpclb.cluster.kube import connect_to_change

    async with connect_to_change(connect_options(connection)) as workshop:
        gc.enable()  # __main__ turned it off for the imports, which end here
        return await run(workshop)
