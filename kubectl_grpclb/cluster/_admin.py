"""Envoy's admin interface, which listens on a pod's loopback only: asked over a port-forward."""

from typing import NamedTuple

import aiohttp

from kubectl_grpclb.cluster._api import Api
from kubectl_grpclb.cluster._failures import words
from kubectl_grpclb.cluster._forward import forward
from kubectl_grpclb.model.admin import only_hosts
from kubectl_grpclb.model.bundle import ADMIN_PORT
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Answer, AskEnvoy, Blob, Output, Refused

__all__ = ["ask", "drain"]

_LIMIT = 16 * 1024 * 1024
"""Bytes of an answer; the list of 250 servers takes 400 kB."""

_DRAIN_SECONDS = 5.0


async def ask(api: Api, request: AskEnvoy) -> Answer:
    """Read one page of the admin interface."""
    where = _Admin(api, request.namespace, request.pod, request.port)
    answer = await _send(where, "GET", request.path, request.seconds)
    if isinstance(answer, Gap):
        return Refused(answer.reason, answer.detail)
    status, body = answer
    if request.hosts:
        kept = only_hosts(body, frozenset(request.hosts)) if status == 200 else b""
        if isinstance(kept, Gap):
            return Refused(kept.reason, kept.detail)
        body = kept
    return Output(stdout=Blob.of(body), exit_code=0 if status == 200 else status)


async def drain(api: Api, namespace: str, pod: str) -> Gap | None:
    """Tell Envoy to ask its clients to connect elsewhere, without ending by itself."""
    path = "/drain_listeners?graceful&skip_exit"
    answer = await _send(_Admin(api, namespace, pod, ADMIN_PORT), "POST", path, _DRAIN_SECONDS)
    if isinstance(answer, Gap):
        return answer
    return None if answer[0] == 200 else Gap(GapReason.DIED, f"Envoy answered HTTP {answer[0]}")


class _Admin(NamedTuple):
    """Where an admin interface listens."""

    api: Api
    namespace: str
    pod: str
    port: int


async def _send(where: _Admin, method: str, path: str, seconds: float) -> tuple[int, bytes] | Gap:
    """Give status and body."""
    try:
        return await _sent(where, method, path, seconds)
    except OSError as error:  # this machine has no port for it
        return Gap(GapReason.DIED, words(error))


async def _sent(where: _Admin, method: str, path: str, seconds: float) -> tuple[int, bytes] | Gap:
    """Do so. The session is one of its own: nothing of the user's credentials goes to a pod."""
    async with (
        forward(*where) as forwarded,
        aiohttp.ClientSession(trust_env=False, timeout=aiohttp.ClientTimeout(total=seconds)) as session,
    ):
        try:
            async with session.request(method, f"http://127.0.0.1:{forwarded.port}{path}") as response:
                body = await response.content.read(_LIMIT + 1)
                while len(body) <= _LIMIT and (more := await response.content.read(_LIMIT + 1 - len(body))):
                    body += more
        except TimeoutError:
            return Gap(GapReason.TIMED_OUT, f"no answer within {seconds:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return forwarded.gap() if forwarded.refused or forwarded.trouble else Gap(GapReason.DIED, str(error))
    if len(body) > _LIMIT:
        return Gap(GapReason.TOO_LARGE, f"Envoy answered with more than {_LIMIT // 2**20} MB")
    return response.status, body
