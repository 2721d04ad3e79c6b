"""Exec: a command's output over a WebSocket of its own, within limits of time and size.

The channels are those of v4.channel.k8s.io: each binary message begins with a channel's number; 1 is
standard output, 2 standard error, 3 ends the command with a Status in JSON.
"""

import asyncio

import aiohttp
import msgspec
from msgspec import Struct

from kubectl_grpclb.cluster._api import Api, Socket
from kubectl_grpclb.cluster._failures import words
from kubectl_grpclb.cluster._objects import refusal
from kubectl_grpclb.cluster._reply import HandshakeRefusedError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.rbac import describe
from kubectl_grpclb.model.snapshot import Answer, Blob, Exec, Output, Refused

__all__ = ["ERROR_LIMIT", "OUTPUT_LIMIT", "run"]

OUTPUT_LIMIT = 8 * 1024 * 1024
"""Bytes of standard output that are kept; a pod with 20,000 connections prints 3 MB."""

KEPT_OF_BROKEN = 64 * 1024
"""Bytes; enough to see what went wrong, and little enough that a hundred hostile pods fill no disk."""

ERROR_LIMIT = 64 * 1024
"""Bytes of standard error that are kept."""

_PROTOCOL = "v4.channel.k8s.io"
_STDOUT, _STDERR, _STATUS = 1, 2, 3
_PATH = "/api/v1/namespaces/{namespace}/pods/{pod}/exec"

_NO_BINARY = ("executable file", "no such file or directory")
"""What container runtimes say when the image lacks the command (runc, crun, gVisor)."""


class _Cause(Struct, frozen=True):
    reason: str = ""
    message: str = ""


class _Details(Struct, frozen=True):
    causes: tuple[_Cause, ...] | None = None


class _Ending(Struct, frozen=True):
    """The Status that ends a command."""

    status: str
    message: str = ""
    details: _Details | None = None

    @property
    def exit_code(self) -> int | None:
        """The command's exit code, None where it did not get as far as to have one."""
        if self.status == "Success":
            return 0
        causes = (self.details.causes if self.details else None) or ()
        codes = [cause.message for cause in causes if cause.reason == "ExitCode"]
        return int(codes[0]) if codes and codes[0].isdecimal() else None


class _Printed:
    """What a command has printed so far."""

    def __init__(self) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.status = b""

    def take(self, message: bytes) -> bool:
        """Keep one message; tell whether that was the last one that matters."""
        channel, content = message[:1], memoryview(message)[1:]
        if channel == bytes([_STDOUT]):
            self.stdout += content[: OUTPUT_LIMIT + 1 - len(self.stdout)]
        elif channel == bytes([_STDERR]):
            self.stderr += content[: ERROR_LIMIT + 1 - len(self.stderr)]
        elif channel == bytes([_STATUS]):
            self.status += content
            return bool(content)
        return self.overflow is not None

    @property
    def overflow(self) -> str | None:
        """Which limit was passed, in words."""
        if len(self.stdout) > OUTPUT_LIMIT:
            return f"the command printed more than {OUTPUT_LIMIT // 2**20} MB"
        if len(self.stderr) > ERROR_LIMIT:
            return f"the command printed more than {ERROR_LIMIT // 2**10} kB of errors"
        return None

    def as_output(self, *, exit_code: int | None = None, gap: GapReason | None = None, detail: str = "") -> Output:
        """Give the output; of one that is not whole only its beginning, since nothing can be concluded from it."""
        return Output(
            stdout=Blob.of(bytes(self.stdout[: OUTPUT_LIMIT if gap is None else KEPT_OF_BROKEN])),
            stderr=Blob.of(bytes(self.stderr[:ERROR_LIMIT])),
            exit_code=exit_code,
            gap=gap,
            detail=detail,
        )


async def run(api: Api, request: Exec) -> Answer:
    """Run the command; whatever goes wrong in its pod is an answer.

    Raises ClusterError where the API server cannot be reached and never was, or refuses the credentials.
    """
    try:
        async with asyncio.timeout(request.seconds):
            return await _run(api, request)
    except TimeoutError:
        return Refused(GapReason.TIMED_OUT, f"{describe(request)} gave no complete answer within {request.seconds:g} s")
    except HandshakeRefusedError as refused:
        return refusal(refused.reply)
    except (aiohttp.ClientError, OSError) as error:
        return Refused(GapReason.DIED, f"the connection for {describe(request)} broke: {words(error)}")


async def _run(api: Api, request: Exec) -> Answer:
    names = {"namespace": request.namespace, "pod": request.pod}
    query = [("container", request.container), ("stdout", "true"), ("stderr", "true")]
    query += [("command", word) for word in request.command]
    limit = OUTPUT_LIMIT + 2  # a longer message is refused by aiohttp
    printed = _Printed()
    async with api.websocket(_PATH, names, query, protocol=_PROTOCOL, limit=limit) as socket:
        too_large = await _listen(socket, printed)
    if too_large or printed.overflow:
        detail = printed.overflow or "the command sent a message of more than 8 MB"
        return printed.as_output(gap=GapReason.TOO_LARGE, detail=detail)
    return _conclude(printed)


async def _listen(socket: Socket, printed: _Printed) -> bool:
    """Read to the end, the status or a limit; tell whether a single message passed the limit."""
    while True:
        message = await socket.receive()
        if message.type is aiohttp.WSMsgType.ERROR:
            return getattr(message.data, "code", None) == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
        if message.type not in {aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT}:
            return False
        if printed.take(message.data):
            return False


def _conclude(printed: _Printed) -> Answer:
    if not printed.status:
        return printed.as_output(gap=GapReason.DIED, detail="the connection ended before the command did")
    try:
        ending = msgspec.json.decode(printed.status, type=_Ending)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return printed.as_output(gap=GapReason.DIED, detail="the command's status cannot be read")
    if ending.exit_code is not None:
        return printed.as_output(exit_code=ending.exit_code)
    if any(words in ending.message for words in _NO_BINARY):
        return Refused(GapReason.NO_SHELL, ending.message[:2000])
    if printed.stdout:
        return printed.as_output(gap=GapReason.DIED, detail=ending.message[:2000])
    return Refused(GapReason.DIED, ending.message[:2000] or "the command could not be run")
