"""Exec and port-forward with a kubelet of Kubernetes 1.27, which knows no protocol after v4 and no SPDY tunnel."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from kubectl_grpclb.cluster.kube import ConnectOptions, KubeWorkshop, connect_to_change
from kubectl_grpclb.model.snapshot import AskEnvoy, Exec, Output, Reading
from tests.cluster.api_server import write_kubeconfig
from tests.cluster.old_sockets import Script, kubelet, receive, send

EXEC = Exec("shop", "greeter-7c9f8d5b6-x2x9k", "greeter", ("sh", "-c", "netstat -tn"), 5.0)
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
SUCCESS = b"\x03" + json.dumps({"kind": "Status", "apiVersion": "v1", "status": "Success"}).encode()
EXITED = {
    "status": "Failure",
    "reason": "NonZeroExitCode",
    "details": {"causes": [{"reason": "ExitCode", "message": "7"}]},
}
NORMAL_END = b"\x88\x02\x03\xe8"

Result = TypeVar("Result")


def talk(
    directory: Path, script: Script, scenario: Callable[[KubeWorkshop], Awaitable[Result]]
) -> tuple[Result, list[str]]:
    """Let the adapter speak with a kubelet that follows a script; gives what came of it and the requests' heads."""
    heads: list[str] = []

    async def main() -> Result:
        async with kubelet(script, heads) as address:
            options = ConnectOptions(kubeconfig=write_kubeconfig(directory, address))
            async with connect_to_change(options) as cluster:
                return await scenario(cluster)

    return asyncio.run(main()), heads


def prints(*messages: bytes, end: bytes = NORMAL_END) -> Script:
    """Print, beginning with the empty message that says that all is open, and go."""

    async def script(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for message in (b"\x01", *messages):
            send(writer, message)
        writer.write(end)

    return script


def run(directory: Path, script: Script) -> tuple[Reading, list[str]]:
    return talk(directory, script, lambda cluster: cluster.read(EXEC))


@pytest.mark.parametrize("end", [NORMAL_END, b""], ids=["closed", "cut"])
def test_a_command_is_run_and_its_output_is_whole(tmp_path: Path, end: bytes) -> None:
    reading, _ = run(tmp_path, prints(b"\x01tcp 0 0 10.0.0.1:", b"\x0150051\n", SUCCESS, end=end))

    assert isinstance(reading.answer, Output)
    assert (reading.answer.stdout.text, reading.answer.exit_code, reading.answer.gap) == (
        "tcp 0 0 10.0.0.1:50051\n",
        0,
        None,
    )


def test_a_command_that_failed_tells_its_exit_code(tmp_path: Path) -> None:
    reading, _ = run(tmp_path, prints(b"\x02sh: netstat: not found\n", b"\x03" + json.dumps(EXITED).encode()))

    assert isinstance(reading.answer, Output)
    assert (reading.answer.stderr.text, reading.answer.exit_code) == ("sh: netstat: not found\n", 7)


def test_only_what_every_version_knows_is_offered(tmp_path: Path) -> None:
    _, (head,) = run(tmp_path, prints(SUCCESS))

    assert head.startswith(
        "GET /api/v1/namespaces/shop/pods/greeter-7c9f8d5b6-x2x9k/exec?container=greeter&stdout=true&"
    )
    assert "\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n" in head


async def _admin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Forward to an Envoy's admin interface: both channels begin with the port, then comes the page."""
    port = (19000).to_bytes(2, "little")
    send(writer, b"\x00" + port)
    send(writer, b"\x01" + port)
    assert (await receive(reader))[:5] == b"\x00GET "
    send(writer, b"\x00" + PAGE)
    writer.write(NORMAL_END)


def test_a_port_is_forwarded(tmp_path: Path) -> None:
    request = AskEnvoy("shop", "greeter-grpclb-envoy-5d6c7b8f9-aaaaa", "/stats", 5.0)

    reading, (head,) = talk(tmp_path, _admin, lambda cluster: cluster.read(request))

    assert isinstance(reading.answer, Output)
    assert (reading.answer.stdout.text, reading.answer.exit_code) == ("{}", 0)
    assert "/portforward?ports=19000 HTTP/1.1\r\n" in head
    assert "\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n" in head
