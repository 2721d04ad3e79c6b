"""A kubeconfig's cluster and user, with the types that kubectl wants of their fields."""

from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field

from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.text import printable

__all__ = ["Cluster", "Fields", "User", "entry"]

Fields = dict[str, Any]
"""A part of a kubeconfig as YAML has it."""


class Extension(Struct, frozen=True):
    """What others keep beside a cluster, for a credential plugin for one."""

    name: str = ""
    extension: Any = None


class Cluster(Struct, frozen=True, rename="kebab"):
    """Where a cluster is and whom to trust there; what is null is as if it were not there."""

    server: str = ""
    tls_server_name: str | None = None
    insecure_skip_tls_verify: bool | None = None
    certificate_authority: str | None = None
    certificate_authority_data: str | None = None
    proxy_url: str | None = None
    extensions: tuple[Extension, ...] | None = None


class User(Struct, frozen=True, rename="kebab"):
    """Whom a user is, and whom impersonates."""

    client_certificate: str | None = None
    client_certificate_data: str | None = None
    client_key: str | None = None
    client_key_data: str | None = None
    token: str | None = None
    token_file: str | None = field(name="tokenFile", default=None)
    as_user: str | None = field(name="as", default=None)
    as_uid: str | None = None
    as_groups: tuple[str, ...] | None = None
    as_user_extra: dict[str, tuple[str, ...] | None] | None = None
    username: str | None = None
    password: str | None = None
    auth_provider: Fields | None = None
    plugin: Fields | None = field(name="exec", default=None)


Entry = TypeVar("Entry", Cluster, User)


def entry(fields: Fields, kind: type[Entry], where: str) -> Entry:
    """Read one; `where` names it in the ClusterError that says what is wrong with it, which quotes no value."""
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise ClusterError(f"{where} is not valid: {printable(str(error))}") from error
