"""Speak gRPC to a pod's port over a port-forward.

Importing this module costs the gRPC library, so only verbs that speak do it.
"""

import asyncio
import os
import ssl
from collections.abc import Iterable
from typing import Any

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # a refused connection is an answer here, not a log line

import grpc
from grpc_health.v1 import health_pb2

from kubectl_grpclb.cluster._api import Api
from kubectl_grpclb.cluster._failures import words
from kubectl_grpclb.cluster._forward import Forward, forward
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.speech import Heard

__all__ = ["greet"]

_HEALTH = "/grpc.health.v1.Health/Check"
_THROUGH_ENVOY = "x-envoy-upstream-service-time"
"""The header that Envoy adds to what a server answered, and to nothing else."""

_OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
)

_UNANSWERED = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
"""What a client says by itself where no answer came."""


async def greet(api: Api, namespace: str, pod: str, port: int, seconds: float) -> Heard | Gap:
    """Make one health check as a gRPC client, and say what answered.

    A server without grpc.health.v1 answers, too: that it does not know the method. Raises ClusterError only where
    the cluster as a whole cannot be reached.
    """
    try:
        return await _greet(api, namespace, pod, port, seconds)
    except OSError as error:  # this machine has no port for it
        return Gap(GapReason.DIED, words(error))


async def _greet(api: Api, namespace: str, pod: str, port: int, seconds: float) -> Heard | Gap:
    async with forward(api, namespace, pod, port) as forwarded:
        heard = await _call(forwarded, seconds)
    if heard.answered or forwarded.refused:
        return heard if heard.answered else forwarded.gap()
    async with forward(api, namespace, pod, port) as forwarded:
        return Heard(protocol="tls") if await _speaks_tls(forwarded, seconds) else heard


async def _call(forwarded: Forward, seconds: float) -> Heard:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{forwarded.port}", options=_OPTIONS) as channel:
        check = channel.unary_unary(
            _HEALTH,
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        call = check(health_pb2.HealthCheckRequest(service=""), timeout=seconds)
        try:
            response = await call
        except grpc.aio.AioRpcError as error:
            return _refused(error, forwarded)
        through = _is_through_envoy(list(await call.initial_metadata()), list(await call.trailing_metadata()))
        serving = response.status == health_pb2.HealthCheckResponse.SERVING
        return Heard(protocol="grpc", answered=True, through_envoy=through, healthy=serving, status="OK")


def _refused(error: grpc.aio.AioRpcError, forwarded: Forward) -> Heard:
    through = _is_through_envoy(list(error.initial_metadata() or ()), list(error.trailing_metadata() or ()))
    answered = through or error.code() not in _UNANSWERED
    return Heard(
        protocol="grpc" if answered else "other",
        answered=answered,
        through_envoy=through,
        healthy=False,
        status=error.code().name,
        detail=forwarded.trouble or (error.details() or "")[:300],
    )


def _is_through_envoy(*metadata: Iterable[Any]) -> bool:
    """Look for Envoy's header; what grpc.aio calls a pair has no type of its own in every version."""
    return any(pair[0] == _THROUGH_ENVOY for each in metadata for pair in each)


async def _speaks_tls(forwarded: Forward, seconds: float) -> bool:
    """Begin a TLS handshake; whatever certificate comes, TLS it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection("127.0.0.1", forwarded.port, ssl=context)
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")  # a server that wants a client certificate refuses, but in TLS
    except (TimeoutError, OSError):
        return False
    writer.close()
    return True
