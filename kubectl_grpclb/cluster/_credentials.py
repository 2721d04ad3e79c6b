"""Who asks: a kubeconfig user's token, certificate or credential plugin, turned into what goes on the wire."""

import asyncio
import base64
import binascii
import json
import os
import sys
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from kubectl_grpclb.cluster._kubeconfig import Access, Fields
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.text import printable

if TYPE_CHECKING:
    from kubectl_grpclb.cluster.told import Teller

__all__ = ["Credentials", "pem", "read_credentials"]

PLUGIN_LIMIT = 60.0
"""Seconds that a credential plugin may take when nobody is there to answer it."""


class Credentials(Struct, frozen=True):
    """An Authorization header, a client certificate, both or neither; certificate and key are PEM."""

    authorization: str | None = None
    certificate: bytes | None = None
    key: bytes | None = None


class _Status(Struct, frozen=True, rename="camel"):
    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None


class _ExecCredential(Struct, frozen=True, rename="camel"):
    kind: str
    api_version: str
    status: _Status | None = None


class _Variable(Struct, frozen=True):
    name: str
    value: str = ""


class _Plugin(Struct, frozen=True, rename="camel"):
    command: str
    api_version: str
    args: tuple[str, ...] | None = None
    env: tuple[_Variable, ...] | None = None
    install_hint: str = ""
    interactive_mode: str = "IfAvailable"
    provide_cluster_info: bool = False


async def read_credentials(access: Access, teller: "Teller | None" = None) -> Credentials:
    """Get what authenticates the user; of a plugin its name is told. Raises ClusterError that says what to do."""
    user = access.user
    certificate = Credentials(certificate=pem(user, "client-certificate", access), key=pem(user, "client-key", access))
    token = _token(user, access)
    if token:
        return msgspec.structs.replace(certificate, authorization=f"Bearer {token}")
    if user.get("exec"):
        return await _from_plugin(access, certificate, teller)
    if user.get("auth-provider") or user.get("username"):
        return msgspec.structs.replace(certificate, authorization=await _from_library(access))
    return certificate


def pem(fields: Fields, key: str, access: Access) -> bytes | None:
    """Give what `client-key-data` holds, else the file that `client-key` names; None where there is neither."""
    return _decoded(fields, f"{key}-data", access) or _file(fields, key, access)


def _decoded(fields: Fields, key: str, access: Access) -> bytes | None:
    data = fields.get(key)
    if not data:
        return None
    try:
        return base64.b64decode(data, validate=False)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ClusterError(f"the kubeconfig's {key} of context {printable(access.context)!r} is not base64") from error


def _token(user: Fields, access: Access) -> str:
    # A file may be renewed while the literal grows old, so kubectl prefers it too.
    content = _file(user, "tokenFile", access)
    if content is not None:
        return content.decode("utf-8", "replace").strip()
    return str(user.get("token") or "").strip()


def _file(fields: Fields, key: str, access: Access) -> bytes | None:
    path = fields.get(key)
    if not path:
        return None
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ClusterError(
            f"cannot read {printable(str(path))}, the {key} of context {printable(access.context)!r}: "
            f"{error.strerror or error}"
        ) from error


async def _from_library(access: Access) -> str | None:
    """Let the Kubernetes client read what only old kubeconfigs have: auth providers and passwords.

    It gets no refresh token: renewing would make the one in the kubeconfig worthless, and that file is not
    ours to write.
    """
    from kubernetes.aio.client.configuration import Configuration
    from kubernetes.aio.config import kube_config
    from kubernetes.aio.config.config_exception import ConfigException

    user = {key: access.user[key] for key in ("auth-provider", "username", "password") if key in access.user}
    configuration = Configuration()
    try:
        if "auth-provider" in user:
            provider = dict(user["auth-provider"])
            provider["config"] = dict(provider.get("config") or {})
            provider["config"].pop("refresh-token", None)
            user["auth-provider"] = provider
        untyped: Any = kube_config
        loader = untyped.KubeConfigLoader(
            {
                "current-context": "it",
                "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
                "clusters": [{"name": "it", "cluster": {"server": access.cluster["server"]}}],
                "users": [{"name": "it", "user": user}],
            }
        )
        await loader.load_and_set(configuration)
    except (ConfigException, KeyError, TypeError, ValueError, OSError) as error:
        raise ClusterError(
            f"the credentials of context {printable(access.context)!r} cannot be used: "
            f"{printable(str(error))}; `{_kubectl(access)} get ns` renews and saves them"
        ) from error
    return configuration.api_key.get("BearerToken")


async def _from_plugin(access: Access, otherwise: Credentials, teller: "Teller | None") -> Credentials:
    try:
        plugin = msgspec.convert(access.user["exec"], _Plugin)
    except msgspec.ValidationError as error:
        raise ClusterError(
            f"the credential plugin of context {printable(access.context)!r} is not well described in the "
            f"kubeconfig: {printable(str(error))}"
        ) from error
    with nullcontext() if teller is None else teller.timing(f"run credential plugin {plugin.command}"):
        status = _parse(plugin, await _run(plugin, access), access)
    if status.client_certificate_data and status.client_key_data:
        otherwise = Credentials(
            certificate=status.client_certificate_data.encode(), key=status.client_key_data.encode()
        )
    elif not status.token:
        raise _plugin_failed(plugin, access, "it gave neither a token nor a certificate with its key")
    authorization = f"Bearer {status.token.strip()}" if status.token else None
    return msgspec.structs.replace(otherwise, authorization=authorization)


async def _run(plugin: _Plugin, access: Access) -> bytes:
    """Run the plugin and give its standard output; its standard error and questions go to the user."""
    terminal = sys.stdin is not None and sys.stdin.isatty()
    if plugin.interactive_mode == "Always" and not terminal:  # as kubectl does, which does not run it then either
        raise _plugin_failed(plugin, access, "it has to ask you (interactiveMode Always), and there is no terminal")
    interactive = plugin.interactive_mode != "Never" and terminal
    environment = os.environ | {variable.name: variable.value for variable in plugin.env or ()}
    environment["KUBERNETES_EXEC_INFO"] = json.dumps(_exec_info(plugin, access, interactive=interactive))
    try:
        process = await asyncio.create_subprocess_exec(
            plugin.command,
            *(plugin.args or ()),
            env=environment,
            stdin=None if interactive else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
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
            output, _ = await process.communicate()
    except TimeoutError:
        raise _plugin_failed(plugin, access, f"it gave no answer within {PLUGIN_LIMIT:g} s") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        raise _plugin_failed(plugin, access, f"it ended with exit code {process.returncode}")
    return output


def _exec_info(plugin: _Plugin, access: Access, *, interactive: bool) -> dict[str, Any]:
    """Give the ExecCredential that a plugin is asked with (client.authentication.k8s.io)."""
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.provide_cluster_info:
        kept = ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url")
        cluster = {key: access.cluster[key] for key in kept if key in access.cluster}
        authority = access.cluster.get("certificate-authority")
        if authority and "certificate-authority-data" not in cluster:
            with suppress(OSError):
                cluster["certificate-authority-data"] = base64.b64encode(Path(authority).read_bytes()).decode()
        for extension in access.cluster.get("extensions") or ():
            if extension.get("name") == "client.authentication.k8s.io/exec":
                cluster["config"] = extension.get("extension")
        spec["cluster"] = cluster
    return {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}


def _parse(plugin: _Plugin, output: bytes, access: Access) -> _Status:
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
    return credential.status or _Status()


def _plugin_failed(plugin: _Plugin, access: Access, why: str) -> ClusterError:
    return ClusterError(
        f"the credential plugin {printable(plugin.command)!r} of context {printable(access.context)!r} gave no "
        f"credentials: {why}. Log in again, or see what `{_kubectl(access)} get ns` says"
    )


def _kubectl(access: Access) -> str:
    return f"kubectl --context {printable(access.context)}"
