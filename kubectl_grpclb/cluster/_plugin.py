"""Credential plugins: a kubeconfig user's `exec`, run as kubectl runs it (client.authentication.k8s.io)."""

import asyncio
import base64
import os
import sys
from contextlib import nullcontext, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta, Struct

from kubectl_grpclb.cluster._entries import Cluster, Fields
from kubectl_grpclb.cluster._kubeconfig import Access
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.text import printable

if TYPE_CHECKING:
    from kubectl_grpclb.cluster.told import Teller

__all__ = ["Issued", "ask_plugin"]

PLUGIN_LIMIT = 60.0
"""Seconds that a credential plugin may take when nobody is there to answer it."""


class Issued(Struct, frozen=True, rename="camel"):
    """What a plugin gave: a token, a client certificate with its key, or both; the latter are PEM."""

    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None
    expiration_timestamp: Annotated[datetime, Meta(tz=True)] | None = None


class _ExecCredential(Struct, frozen=True, rename="camel"):
    kind: str
    api_version: str
    status: Issued | None = None


class _Variable(Struct, frozen=True):
    name: str
    value: str | None = None


class _Plugin(Struct, frozen=True, rename="camel"):
    command: str
    api_version: str
    args: tuple[str, ...] | None = None
    env: tuple[_Variable, ...] | None = None
    install_hint: str | None = None
    interactive_mode: str | None = None
    provide_cluster_info: bool | None = None


class _Printed(asyncio.SubprocessProtocol):
    """What a plugin prints, until it and all that hold its standard output have ended."""

    def __init__(self) -> None:
        self.output = bytearray()
        self.over = asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:  # noqa: ARG002 -- asyncio's
        """Keep it."""
        self.output += data

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's
        """Let who waits go on."""
        self.over.set()


async def ask_plugin(described: Fields, access: Access, teller: "Teller | None") -> Issued:
    """Run the plugin that is described, and tell its name. Raises ClusterError where no credentials come of it."""
    try:
        plugin = msgspec.convert(described, _Plugin)
    except msgspec.ValidationError as error:
        raise ClusterError(
            f"the credential plugin of context {printable(access.context)!r} is not valid in the "
            f"kubeconfig: {printable(str(error))}"
        ) from error
    with nullcontext() if teller is None else teller.timing(f"run credential plugin {plugin.command}"):
        issued = _parse(plugin, await _run(plugin, access), access)
    if not issued.token and not (issued.client_certificate_data and issued.client_key_data):
        raise _plugin_failed(plugin, access, "it gave neither a token nor a certificate with its key")
    return issued


async def _run(plugin: _Plugin, access: Access) -> bytes:
    """Run the plugin and give its standard output; its standard error and questions go to the user."""
    terminal = sys.stdin is not None and sys.stdin.isatty()
    if plugin.interactive_mode == "Always" and not terminal:  # as kubectl does, which does not run it then either
        raise _plugin_failed(plugin, access, "it has to ask you (interactiveMode Always), and there is no terminal")
    interactive = plugin.interactive_mode != "Never" and terminal
    environment = os.environ | {variable.name: variable.value or "" for variable in plugin.env or ()}
    environment["KUBERNETES_EXEC_INFO"] = _json(_exec_info(plugin, access, interactive=interactive))
    try:
        transport, printed = await asyncio.get_running_loop().subprocess_exec(
            _Printed,
            plugin.command,
            *(plugin.args or ()),
            env=environment,
            stdin=None if interactive else asyncio.subprocess.DEVNULL,
            stderr=None,
        )
    except (OSError, ValueError) as error:
        hint = f" {printable(plugin.install_hint.strip())}" if plugin.install_hint else ""
        raise ClusterError(
            f"the credential plugin {printable(plugin.command)!r} of context {printable(access.context)!r} "
            f"cannot be run (kubectl says: executable {printable(plugin.command)} not found); install it or "
            f"put it on PATH.{hint}"
        ) from error
    try:
        async with asyncio.timeout(None if interactive else PLUGIN_LIMIT):
            await printed.over.wait()
    except TimeoutError:
        raise _plugin_failed(plugin, access, f"it gave no answer within {PLUGIN_LIMIT:g} s") from None
    finally:
        transport.close()  # kills it, and waits for nothing that it started and that holds its output open
        await printed.over.wait()
    if code := transport.get_returncode():
        raise _plugin_failed(plugin, access, f"it exited with code {code}")
    return bytes(printed.output)


def _exec_info(plugin: _Plugin, access: Access, *, interactive: bool) -> dict[str, Any]:
    """Give the ExecCredential that a plugin is asked with (client.authentication.k8s.io)."""
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.provide_cluster_info:
        spec["cluster"] = _cluster_info(access.cluster)
    return {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}


def _json(value: object) -> str:
    """Write it, also what YAML has and JSON lacks: a date."""
    return msgspec.json.encode(value, enc_hook=str).decode()


def _cluster_info(cluster: Cluster) -> dict[str, Any]:
    kept = {
        "server": cluster.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": cluster.certificate_authority_data,
        "proxy-url": cluster.proxy_url,
    }
    info: dict[str, Any] = {key: value for key, value in kept.items() if value is not None}
    if cluster.certificate_authority and "certificate-authority-data" not in info:
        with suppress(OSError):
            authority = Path(cluster.certificate_authority).read_bytes()
            info["certificate-authority-data"] = base64.b64encode(authority).decode()
    for extension in cluster.extensions or ():
        if extension.name == "client.authentication.k8s.io/exec":
            info["config"] = extension.extension
    return info


def _parse(plugin: _Plugin, output: bytes, access: Access) -> Issued:
    try:
        credential = msgspec.json.decode(output, type=_ExecCredential)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _plugin_failed(plugin, access, "its answer is not an ExecCredential") from error
    if credential.api_version != plugin.api_version:
        raise _plugin_failed(
            plugin,
            access,
            f"it answers in {printable(credential.api_version)}, the kubeconfig wants {plugin.api_version}",
        )
    return credential.status or Issued()


def _plugin_failed(plugin: _Plugin, access: Access, why: str) -> ClusterError:
    return ClusterError(
        f"the credential plugin {printable(plugin.command)!r} of context {printable(access.context)!r} gave no "
        f"credentials: {why}. Log in again, or see what `{access.get_ns}` says"
    )
