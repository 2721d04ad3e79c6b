"""The floor under a look from each node: a bare pod on each, one exec of `cat` in it, and the pod deleted.

`python bench/node_floor.py NAMESPACE IMAGE PODS` makes one pod on each node over bare aiohttp, lists in each the
sockets of as many of the node's networks as there are PODS for it, parses nothing and deletes the pods. Compare the
machine's CPU with that of a whole look. Needs a kubeconfig with a bearer token in it.
"""

import asyncio
import sys
from typing import Any
from urllib.parse import urlencode

import aiohttp
from exec_floor import read_kubeconfig, read_pod

_ASK_EVERY = 0.2
_LIST = (
    'set --; for one in /proc/[0-9]*; do [ $# -ge "$pods" ] && break; '
    '[ "$one/net/tcp" -ef /proc/1/net/tcp ] || set -- "$@" "$one/net/tcp6"; done; cat "$@"'
)
"""Names one process of a network of its own after another; two may share one, which costs what two networks do."""


async def look(session: aiohttp.ClientSession, pods: str, node: str, image: str, number: int) -> int:
    """Make the pod, list the tables of `number` processes in it, delete it; give the bytes that came."""
    async with session.post(pods, json=_pod(node, image)) as response:
        response.raise_for_status()
        name = (await response.json())["metadata"]["name"]
    try:
        while True:
            async with session.get(f"{pods}/{name}") as response:
                if (await response.json())["status"]["phase"] == "Running":
                    break
            await asyncio.sleep(_ASK_EVERY)
        words = ("sh", "-c", f"pods={number}; {_LIST}")
        query = urlencode([("stdout", "true"), ("stderr", "true"), *(("command", word) for word in words)])
        _, received = await read_pod(session, f"{pods}/{name}/exec?{query}", asyncio.Semaphore(1))
    finally:
        async with session.delete(f"{pods}/{name}") as response:
            response.raise_for_status()
    return received


def _pod(node: str, image: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "floor-"},
        "spec": {
            "nodeName": node,
            "hostPID": True,
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "containers": [{"name": "look", "image": image, "command": ["sh", "-c", "sleep 60"]}],
        },
    }


async def main(namespace: str, image: str, number: int) -> None:
    """Look from every node at once."""
    server, token, context = read_kubeconfig()
    connector = aiohttp.TCPConnector(limit=0, ssl=context)
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        async with session.get(f"{server}/api/v1/nodes") as response:
            nodes = [node["metadata"]["name"] for node in (await response.json())["items"]]
        pods = f"{server}/api/v1/namespaces/{namespace}/pods"
        share = number // len(nodes)
        received = await asyncio.gather(*(look(session, pods, node, image, share) for node in nodes))
    print(f"{len(nodes)} nodes, {sum(received)} bytes", file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
