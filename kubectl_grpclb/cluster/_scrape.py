"""A pod's Prometheus metrics through the API server's pod proxy: read as they come, only the wanted lines kept."""

import asyncio
import re
from collections.abc import Sequence
from functools import cache
from urllib.parse import parse_qsl, quote, unquote

import aiohttp
from msgspec import Struct

from kubectl_grpclb.cluster._api import Api
from kubectl_grpclb.cluster._failures import words
from kubectl_grpclb.cluster._objects import refusal
from kubectl_grpclb.cluster._reply import Reply, is_status, status_message
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Answer, Blob, Output, Refused, Scrape

__all__ = ["proxy_refusal", "scrape"]

_READ_LIMIT = 16 * 1024 * 1024
"""Bytes of one pod's metrics; those of a busy grpc-go server are 100 kB."""

_KEPT_LIMIT = 4 * 1024 * 1024
"""Bytes of the lines that are kept."""

_LINE_LIMIT = 1024 * 1024
"""Bytes of one line."""

_PARTIAL_LIMIT = 64 * 1024
"""Bytes that are kept of metrics that are not whole."""

_HEADERS = {
    "Accept": "text/plain;version=0.0.4,text/plain;q=0.5,*/*;q=0.1",
    "Accept-Encoding": "gzip",
}

_UNESCAPED = "/:@!$&'()*+,;=-._~%"
"""What a path may hold as it is (RFC 3986 §3.3); what is escaped already stays so."""


async def scrape(api: Api, request: Scrape) -> Answer:
    """Read a pod's metrics, and keep the lines of the wanted names, each whole.

    Whatever the pod does is an answer. Raises ClusterError where the API server cannot be reached or does not know
    the user.
    """
    path, _, query = request.path.partition("?")
    if any(unquote(part) in {".", ".."} for part in path.split("/")):
        return Refused(GapReason.NOT_SERVED, f"{path!r} is not a valid metrics path")
    scheme = "https:" if request.scheme == "https" else ""
    names = {"namespace": request.namespace, "pod": f"{scheme}{request.pod}:{request.port}"}
    whole = "/api/v1/namespaces/{namespace}/pods/{pod}/proxy" + quote(f"/{path.lstrip('/')}", safe=_UNESCAPED)
    try:
        async with (
            asyncio.timeout(request.seconds),
            api.stream(whole, names, parse_qsl(query, keep_blank_values=True), _HEADERS) as opened,
        ):
            return proxy_refusal(opened) if isinstance(opened, Reply) else await _filtered(opened, request.names)
    except TimeoutError:
        return Refused(GapReason.TIMED_OUT, f"the metrics did not arrive within {request.seconds:g} s")
    except (aiohttp.ClientError, OSError) as error:
        return Refused(GapReason.DIED, f"the connection for the metrics broke: {words(error)}")


def proxy_refusal(reply: Reply) -> Refused:
    """Say why what the API server is a proxy for gave no answer: the API server's words, or its own.

    The API server answers 503 by itself where nothing listens, and 404 where there is no such pod.
    """
    if not is_status(reply) or reply.status >= 500:
        return Refused(GapReason.NOT_SERVED, status_message(reply), reply.status)
    return refusal(reply)


_ZEROS = 16
"""Samples at 0 that are kept of each metric, so that one that has counted nothing yet is known to be there."""


class _Lines(Struct):
    """The wanted lines of what has come so far."""

    wanted: re.Pattern[bytes]
    kept: list[bytes] = []
    unfinished: list[bytes] = []
    """The pieces of the line that has not ended yet."""
    read: int = 0
    kept_bytes: int = 0
    unfinished_bytes: int = 0
    zeros: dict[bytes, int] = {}
    """Samples at 0 that came, by their metric."""

    def take(self, chunk: bytes) -> None:
        """Keep the wanted lines that end in this chunk."""
        self.read += len(chunk)
        ended, newline, rest = chunk.rpartition(b"\n")
        if not newline:
            self.unfinished.append(chunk)
            self.unfinished_bytes += len(chunk)
            return
        found = [line for line in self.wanted.findall(b"".join((b"\n", *self.unfinished, ended))) if self._tells(line)]
        self.kept += found
        self.kept_bytes += sum(map(len, found))
        self.unfinished, self.unfinished_bytes = [rest] if rest else [], len(rest)

    def _tells(self, line: bytes) -> bool:
        """Leave out all but a few samples at 0 of a metric: a server counts each method by each of 17 statuses."""
        if not line.endswith(b" 0"):
            return True
        metric = line.partition(b"{")[0]
        self.zeros[metric] = self.zeros.get(metric, 0) + 1
        return self.zeros[metric] <= _ZEROS

    def excess(self) -> str:
        """Say which limit was passed, nothing where none was."""
        for size, limit, what in (
            (self.read, _READ_LIMIT, "the metrics are"),
            (self.kept_bytes, _KEPT_LIMIT, "the gRPC metrics are"),
            (self.unfinished_bytes, _LINE_LIMIT, "a line of the metrics is"),
        ):
            if size > limit:
                return f"{what} more than {limit // 2**20} MB"
        return ""

    def text(self) -> bytes:
        """Give the kept lines."""
        return b"".join((*self.kept, b"\n"))[1:] if self.kept else b""


@cache
def _wanted(names: Sequence[str]) -> re.Pattern[bytes]:
    r"""Match a wanted line with the line feed before it.

    Such a pattern begins with a literal, so that it searches 500 MB a second; one with `^` does 170 MB.
    """
    return re.compile(rb"\n(?:%s)[^\n]*" % b"|".join(re.escape(name.encode()) for name in names))


async def _filtered(response: aiohttp.ClientResponse, names: tuple[str, ...]) -> Output:
    lines = _Lines(_wanted(names))
    try:
        async for chunk in response.content.iter_any():
            lines.take(chunk)
            if excess := lines.excess():
                return _partial(lines, Gap(GapReason.TOO_LARGE, excess))
    except (aiohttp.ClientError, ConnectionError) as error:
        return _partial(lines, Gap(GapReason.DIED, f"the metrics were cut off: {words(error)}"))
    if lines.unfinished:
        return _partial(lines, Gap(GapReason.DIED, "the metrics end in the middle of a line"))
    return Output(stdout=Blob.of(lines.text()), exit_code=0)


def _partial(lines: _Lines, gap: Gap) -> Output:
    first = lines.text()[:_PARTIAL_LIMIT].rpartition(b"\n")
    return Output(stdout=Blob.of(first[0] + first[1]), exit_code=0, gap=gap.reason, detail=gap.detail)
