"""Opens a cluster for the verbs that may change it."""

import gc
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.commands.connection import Connection
from kubectl_grpclb.commands.session import connect_options
from kubectl_grpclb.commands.signals import ended_in_order
from kubectl_grpclb.commands.sources import NOT_CHOSEN, Sources

__all__ = ["in_workshop"]

Result = TypeVar("Result")


async def in_workshop(
    connection: Connection,
    run: Callable[[Workshop], Awaitable[Result]],
    *,
    verbose: int = 0,
    sources: Sources = NOT_CHOSEN,
) -> Result:
    """Connect as the flags say, and run a flow; `verbose` is how often -v was given. Raises GrpclbError."""
    from kubectl_grpclb.cluster.kube import connect_to_change

    options = connect_options(connection, sources=sources, verbose=verbose)
    async with connect_to_change(options) as workshop:
        gc.enable()  # __main__ turned it off for the imports, which end here
        with ended_in_order():
            if options.teller is None:
                return await run(workshop)
            from kubectl_grpclb.cluster.told import ToldWorkshop

            return await run(ToldWorkshop(workshop, options.teller))
