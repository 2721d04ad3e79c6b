"""kube-proxy's stand-in, which balances connections: `python -m kubectl_grpclb.lab.balancer`.

Like kube-proxy's iptables mode it picks a backend at random when a connection opens, never looks at what
the connection carries, and leaves it the client's address.
"""

import asyncio
import random
from contextlib import AsyncExitStack, suppress

from kubectl_grpclb.lab.messages import Front, Placement, Ready
from kubectl_grpclb.lab.ports import bind_together
from kubectl_grpclb.lab.tether import say, tether, told

__all__ = ["balance"]

_CHUNK = 65536
"""Bytes copied at a time."""


async def balance(placement: Placement) -> None:
    """Take connections on every front, for ever."""
    ports = []
    async with AsyncExitStack() as stack:
        for front in placement.fronts:
            port, listeners = bind_together(front.sources)
            ports.append(port)
            for source, listener in zip(front.sources, listeners, strict=True):
                place = _Placer(source, front, placement)
                await stack.enter_async_context(await asyncio.start_server(place, sock=listener))
        say(Ready(tuple(ports)))
        await asyncio.Event().wait()


class _Placer:
    """Places the connections of one client; its choices do not depend on when other clients connect."""

    def __init__(self, source: str, front: Front, placement: Placement) -> None:
        self._source, self._backends, self._port = source, front.backends, placement.target_port
        seed = None if placement.seed is None else f"{placement.seed}/{source}"
        self._random = random.Random(seed)  # noqa: S311 - places connections, guards nothing

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        backend = self._random.choice(self._backends)
        try:
            onward = await asyncio.open_connection(backend, self._port, local_addr=(self._source, 0))
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, onward[1]), _copy(onward[0], writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until either side ends, then end the other."""
    with suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()


def main() -> None:
    """Balance until the parent ends."""
    placement = told(Placement)
    tether()
    asyncio.run(balance(placement))


if __name__ == "__main__":
    main()
