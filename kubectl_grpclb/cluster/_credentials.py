"""Who asks: a kubeconfig user's token, certificate or credential plugin, turned into what goes on the wire."""

import base64
import binascii
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Struct

from kubectl_grpclb.cluster._entries import Fields
from kubectl_grpclb.cluster._kubeconfig import Access
from kubectl_grpclb.cluster._plugin import ask_plugin
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.text import printable

if TYPE_CHECKING:
    from kubectl_grpclb.cluster.told import Teller

__all__ = ["Credentials", "pem", "read_credentials"]


class Credentials(Struct, frozen=True):
    """An Authorization header, a client certificate, both or neither; certificate and key are PEM."""

    authorization: str | None = None
    certificate: bytes | None = None
    key: bytes | None = None
    source: Literal["kubeconfig", "file", "plugin"] = "kubeconfig"
    """What tells whether there may be others when these are old."""
    expires: datetime | None = None
    """When a plugin says that they do."""


async def read_credentials(access: Access, teller: "Teller | None" = None) -> Credentials:
    """Get what authenticates the user; of a plugin its name is told. Raises ClusterError that says what to do."""
    user = access.user
    certificate = Credentials(
        certificate=pem("client-certificate", user.client_certificate_data, user.client_certificate, access),
        key=pem("client-key", user.client_key_data, user.client_key, access),
    )
    token = _token(access)
    if token:
        source: Literal["file", "kubeconfig"] = "file" if user.token_file else "kubeconfig"
        return msgspec.structs.replace(certificate, authorization=f"Bearer {token}", source=source)
    if user.plugin:
        return await _from_plugin(user.plugin, access, certificate, teller)
    if user.auth_provider or user.username:
        return msgspec.structs.replace(certificate, authorization=await _from_library(access))
    return msgspec.structs.replace(certificate, authorization=_from_address(access.cluster.server))


def pem(what: str, data: str | None, path: str | None, access: Access) -> bytes | None:
    """Give what the data of that name hold, else the file; None where there is neither."""
    return _decoded(f"{what}-data", data, access) or _file(what, path, access)


def _decoded(what: str, data: str | None, access: Access) -> bytes | None:
    if not data:
        return None
    try:
        return base64.b64decode(data, validate=False)
    except (binascii.Error, ValueError) as error:
        raise ClusterError(f"the kubeconfig's {what} of context {printable(access.context)!r} is not base64") from error


def _token(access: Access) -> str:
    # A file may be renewed while the literal grows old, so kubectl prefers it too.
    content = _file("tokenFile", access.user.token_file, access)
    if content is not None:
        return content.decode("utf-8", "replace").strip()
    return (access.user.token or "").strip()


def _file(what: str, path: str | None, access: Access) -> bytes | None:
    if not path:
        return None
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # a path may hold what none can, a NUL
        raise ClusterError(
            f"cannot read {printable(path)}, the {what} of context {printable(access.context)!r}: "
            f"{getattr(error, 'strerror', None) or error}"
        ) from error


def _from_address(server: str) -> str | None:
    """Give the name and password that a server's address has in it."""
    try:
        parts = urlsplit(server)
    except ValueError:
        return None
    if not parts.username:
        return None
    given = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(given.encode()).decode()}"


async def _from_library(access: Access) -> str | None:
    """Let the Kubernetes client read what only old kubeconfigs have: auth providers and passwords.

    It gets no refresh token: renewing would make the one in the kubeconfig worthless, and that file is not
    ours to write.
    """
    from kubernetes.aio.client.configuration import Configuration
    from kubernetes.aio.config import kube_config
    from kubernetes.aio.config.config_exception import ConfigException

    given = {"username": access.user.username, "password": access.user.password}
    user: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    configuration = Configuration()
    try:
        if access.user.auth_provider:
            provider = dict(access.user.auth_provider)
            provider["config"] = dict(provider.get("config") or {})
            provider["config"].pop("refresh-token", None)
            user["auth-provider"] = provider
        untyped: Any = kube_config
        loader = untyped.KubeConfigLoader(
            {
                "current-context": "it",
                "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
                "clusters": [{"name": "it", "cluster": {"server": access.cluster.server}}],
                "users": [{"name": "it", "user": user}],
            }
        )
        await loader.load_and_set(configuration)
    except (ConfigException, KeyError, TypeError, ValueError, OSError) as error:
        raise ClusterError(
            f"the credentials of context {printable(access.context)!r} cannot be used: "
            f"{printable(str(error))}; `{access.get_ns}` renews and saves them"
        ) from error
    return configuration.api_key.get("BearerToken")


async def _from_plugin(
    described: Fields, access: Access, otherwise: Credentials, teller: "Teller | None"
) -> Credentials:
    issued = await ask_plugin(described, access, teller)
    if issued.client_certificate_data and issued.client_key_data:
        otherwise = Credentials(
            certificate=issued.client_certificate_data.encode(), key=issued.client_key_data.encode()
        )
    return msgspec.structs.replace(
        otherwise,
        authorization=f"Bearer {issued.token.strip()}" if issued.token else None,
        source="plugin",
        expires=issued.expiration_timestamp,
    )
