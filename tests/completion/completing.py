"""A shell's question, answered by a process of ours, with a stand-in for the API server."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from msgspec import Struct

from kubectl_grpclb.completion.process import LIMIT_VARIABLE
from tests.cluster.api_server import ApiServer, Handler, says, serving, write_kubeconfig

__all__ = ["NOTHING", "Complete", "Completed", "completed", "objects", "service"]

NOTHING = ":4\n"


class Completed(Struct):
    """What a shell would read, and what the API server was asked meanwhile."""

    said: str
    requests: list[web.Request]


Complete = Callable[..., Completed]


async def completed(
    directory: Path, line: str, handlers: tuple[Handler, ...], user: dict[str, Any], seconds: float
) -> Completed:
    server = ApiServer(handlers)
    async with serving(server) as url:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "kubectl_grpclb", "__complete", *line.split(" ")),
            env={
                **os.environ,
                "HOME": str(directory),
                "KUBECONFIG": write_kubeconfig(directory, url, **user),
                LIMIT_VARIABLE: str(seconds),
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, complaint = await asyncio.wait_for(process.communicate(), 60)
    assert complaint == b""
    assert process.returncode == 0
    return Completed(said.decode(), server.requests)


def objects(*names: str, token: str = "") -> Handler:
    """A page of objects of which only the names matter."""
    return says(200, {"metadata": {"continue": token}, "items": [{"metadata": {"name": name}} for name in names]})


def service(*ports: dict[str, object]) -> Handler:
    return says(200, {"kind": "Service", "metadata": {"name": "greeter"}, "spec": {"ports": ports}})
