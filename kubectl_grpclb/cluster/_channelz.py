"""Ask a pod for grpc.channelz.v1 over a port-forward: what its servers, or its channels, have done so far.

Importing this module costs the gRPC library, so only the requests that need it do it.
"""

import asyncio
import os
from typing import TYPE_CHECKING

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # a refused connection is an answer here, not a log line

import grpc

from kubectl_grpclb.cluster._api import Api
from kubectl_grpclb.cluster._channelz_calls import GarbledError, Turns
from kubectl_grpclb.cluster._channelz_told import kept
from kubectl_grpclb.cluster._channelz_walk import Walk
from kubectl_grpclb.cluster._failures import words
from kubectl_grpclb.cluster._forward import Forward, forward
from kubectl_grpclb.model.channelz import ChannelzLook
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Answer, AskChannelz, Channelz, Refused

if TYPE_CHECKING:
    from kubectl_grpclb.cluster.kube import ChannelzTls

__all__ = ["ask"]

MESSAGE_LIMIT = 16 * 1024 * 1024
"""Bytes of one answer; 1,000 connections listed take 40 kB."""

GREETING_SECONDS = 3.0
"""How long to find out what else listens on the port."""

_OPTIONS: tuple[tuple[str, str | int], ...] = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
    ("grpc.max_receive_message_length", MESSAGE_LIMIT),
)

_REASONS = {
    grpc.StatusCode.UNIMPLEMENTED: GapReason.NOT_SERVED,
    grpc.StatusCode.PERMISSION_DENIED: GapReason.NOT_SERVED,
    grpc.StatusCode.UNAUTHENTICATED: GapReason.NOT_SERVED,
    grpc.StatusCode.RESOURCE_EXHAUSTED: GapReason.TOO_LARGE,
    grpc.StatusCode.DEADLINE_EXCEEDED: GapReason.TIMED_OUT,
}
"""What a status means; any other says that channelz does not work there."""

_NOBODY_LISTENS = ("refused", "failed to connect to")
"""How a kubelet tells it; the end of a long message is cut off."""


async def ask(api: Api, request: AskChannelz, tls: "ChannelzTls", walks: asyncio.Semaphore) -> Answer:
    """Look once, or twice where there is a window. Whatever goes wrong in the pod is an answer.

    A look waits for its turn of all `walks`, for which the request's time stands still: many at a time would only
    starve each other. Looks that are whole are kept when a later one fails.
    """
    looks: list[ChannelzLook] = []
    try:
        async with asyncio.timeout(request.seconds) as limit:
            gap = await _ask(api, request, tls, Turns(walks, limit), looks)
    except TimeoutError:
        gap = Gap(GapReason.TIMED_OUT, f"channelz gave no complete answer within {request.seconds:g} s")
    except OSError as error:  # this machine has no port for it
        gap = Gap(GapReason.DIED, words(error))
    if gap is None:
        return Channelz(tuple(looks))
    return Channelz(tuple(looks), gap.reason, gap.detail) if looks else Refused(gap.reason, gap.detail)


async def _ask(
    api: Api, request: AskChannelz, tls: "ChannelzTls", turns: Turns, looks: list[ChannelzLook]
) -> Gap | None:
    async with (
        forward(api, request.namespace, request.pod, request.port) as forwarded,
        _channel(forwarded.port, tls if request.tls else None) as channel,
    ):
        walk = Walk(channel, request.role, request.port, turns)
        try:
            async with turns.next():
                looks.append(await walk.look())
            if request.window > 0:
                await asyncio.sleep(walk.pause(request.window))
                async with turns.next():
                    looks.append(await walk.look())
        except GarbledError as error:
            return Gap(GapReason.GARBLED, str(error))
        except grpc.aio.AioRpcError as error:
            failed = error
        else:
            return None
    if failed.code() is not grpc.StatusCode.UNAVAILABLE:
        return _refused(failed)
    return _broken(forwarded, answered=walk.calls.answered) or await _other(api, request, failed)


def _channel(port: int, tls: "ChannelzTls | None") -> grpc.aio.Channel:
    target = f"ipv4:127.0.0.1:{port}"
    if tls is None:
        return grpc.aio.insecure_channel(target, options=_OPTIONS)
    options = _OPTIONS
    if tls.server_name:
        options += (("grpc.ssl_target_name_override", tls.server_name), ("grpc.default_authority", tls.server_name))
    return grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(tls.authorities), options=options)


def _refused(error: grpc.aio.AioRpcError) -> Gap:
    code = error.code()
    return Gap(_REASONS.get(code, GapReason.GARBLED), f"channelz answered {code.name}: {kept(error.details() or '')}")


def _broken(forwarded: Forward, *, answered: bool) -> Gap | None:
    """Say what happened to the connection; None where it was there, and no gRPC came over it."""
    if answered or forwarded.refused:
        return forwarded.gap()
    if not forwarded.trouble:
        return None
    nobody = any(said in forwarded.trouble for said in _NOBODY_LISTENS)
    return Gap(GapReason.NOT_SERVED if nobody else GapReason.DIED, forwarded.trouble)


async def _other(api: Api, request: AskChannelz, error: grpc.aio.AioRpcError) -> Gap:
    """Find out what listens on a port that did not answer as it was spoken to."""
    from kubectl_grpclb.cluster._speak import greet

    heard = await greet(api, request.namespace, request.pod, request.port, GREETING_SECONDS)
    if isinstance(heard, Gap):
        return heard
    details = kept(error.details() or "")
    if request.tls:
        plain = "the port speaks gRPC without TLS" if heard.protocol == "grpc" else f"no TLS connection: {details}"
        return Gap(GapReason.NOT_SERVED, plain)
    if heard.protocol == "tls":
        return Gap(GapReason.NOT_SERVED, "the port speaks TLS: use --tls")
    if heard.protocol == "grpc":
        return Gap(GapReason.DIED, f"the connection ended: {details}")
    return Gap(GapReason.NOT_SERVED, f"what listens on port {request.port} does not speak gRPC: {details}")
