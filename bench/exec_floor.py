"""The floor under reading pods: the same execs over bare aiohttp, 16 at a time, nothing parsed.

`python bench/exec_floor.py NAMESPACE SELECTOR COMMAND...` prints the seconds from the first import to the
last byte; compare it with a whole process of the program. Needs a kubeconfig with a bearer token in it.
"""

import time

START = time.monotonic()

import asyncio
import json
import os
import ssl
import sys
from pathlib import Path
from urllib.parse import quote, urlencode

import aiohttp
import yaml

IN_FLIGHT = 16


def read_kubeconfig() -> tuple[str, str, ssl.SSLContext]:
    """Give the first cluster's address, the first user's token and a TLS context for them."""
    path = Path(os.environ.get("KUBECONFIG", Path.home() / ".kube" / "config"))
    config = yaml.load(path.read_text(), yaml.CSafeLoader)
    cluster = config["clusters"][0]["cluster"]
    context = ssl.create_default_context(cafile=cluster["certificate-authority"])
    return cluster["server"], config["users"][0]["user"]["token"], context


async def read_pod(session: aiohttp.ClientSession, url: str, slots: asyncio.Semaphore) -> tuple[int, int]:
    """Run the command in one pod; give how many messages and bytes came."""
    messages = received = 0
    async with slots, session.ws_connect(url, protocols=("v4.channel.k8s.io",)) as socket:
        async for message in socket:
            messages += 1
            received += len(message.data)
    return messages, received


async def main(namespace: str, selector: str, command: list[str]) -> None:
    """Read every pod that the selector matches, and print how long the process took."""
    server, token, context = read_kubeconfig()
    connector = aiohttp.TCPConnector(limit=0, ssl=context)
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        pods = f"{server}/api/v1/namespaces/{namespace}/pods"
        async with session.get(f"{pods}?labelSelector={quote(selector)}") as response:
            names = [pod["metadata"]["name"] for pod in json.loads(await response.read())["items"]]
        query = urlencode([("stdout", "true"), ("stderr", "true"), *(("command", word) for word in command)])
        slots = asyncio.Semaphore(IN_FLIGHT)
        begun = time.monotonic()
        seen = await asyncio.gather(*(read_pod(session, f"{pods}/{name}/exec?{query}", slots) for name in names))
    end = time.monotonic()
    print(f"{end - START:.2f} s whole, {end - begun:.2f} s execs")
    print(f"{len(names)} pods, {sum(received for _, received in seen)} bytes", file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
