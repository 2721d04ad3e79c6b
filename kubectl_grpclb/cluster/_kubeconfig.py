"""Which cluster, as whom: kubeconfig files found, merged and read as kubectl does it.

The rules are those of kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig: the
flag's file alone, else the files of $KUBECONFIG of which the first one that sets a value wins, else
~/.kube/config, else the service account of the pod that this runs in. Nothing is ever written back.
"""

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct, field

from kubectl_grpclb.cluster._entries import Cluster, Fields, User, entry
from kubectl_grpclb.cluster._kubeconfig_files import kubeconfig_paths, looked_at
from kubectl_grpclb.model.command import NOT_GIVEN, ClusterFlags
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.text import printable

__all__ = ["Access", "Choice", "find_access", "find_names", "find_namespace"]

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

_CLUSTER_PATHS = ("certificate-authority",)
_USER_PATHS = ("client-certificate", "client-key", "tokenFile")

_LISTED = 12
"""How many names an error lists before it only counts them."""


class Choice(Struct, frozen=True):
    """What the user chose on the command line; None leaves it to the kubeconfig."""

    kubeconfig: str | None = None
    context: str | None = None
    cluster: str | None = None
    namespace: str | None = None

    @property
    def names(self) -> bool:
        """Whether it names what only a kubeconfig has."""
        return bool(self.context or self.cluster)


class Access(Struct, frozen=True):
    """One cluster and one user of it; paths in both are absolute or relative to the working directory."""

    context: str
    namespace: str
    cluster: Cluster
    user: User
    flags: ClusterFlags = NOT_GIVEN
    """What a command of kubectl needs to reach it: the context by its name, and what else the user chose."""
    is_service_account: bool = False
    """Whether it is the pod's that this runs in, and not of a kubeconfig."""

    @property
    def get_ns(self) -> str:
        """The command that shows whether kubectl reaches it."""
        return printable(self.flags.kubectl("get", "ns", namespace=None))


class _NamedCluster(Struct, frozen=True):
    name: str
    cluster: Fields | None = None


class _NamedUser(Struct, frozen=True):
    name: str
    user: Fields | None = None


class _Context(Struct, frozen=True):
    cluster: str | None = None
    user: str | None = None
    namespace: str | None = None


class _NamedContext(Struct, frozen=True):
    name: str
    context: _Context | None = None


class _File(Struct, frozen=True, rename="kebab"):
    current_context: str | None = None
    clusters: tuple[_NamedCluster, ...] | None = None
    users: tuple[_NamedUser, ...] | None = None
    contexts: tuple[_NamedContext, ...] | None = None


class _Merged(Struct):
    paths: list[str] = field(default_factory=list)
    current: str = ""
    clusters: dict[str, Fields] = field(default_factory=dict)
    users: dict[str, Fields] = field(default_factory=dict)
    contexts: dict[str, _Context] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it, which client-go takes for no kubeconfig."""
        return not (self.current or self.clusters or self.users or self.contexts)

    def add(self, path: Path, file: _File) -> None:
        """Merge one file in; what an earlier one set stays."""
        self.paths.append(str(path))
        self.current = self.current or file.current_context or ""
        for cluster in file.clusters or ():
            self.clusters.setdefault(cluster.name, _anchored(cluster.cluster, _CLUSTER_PATHS, path.parent))
        for user in file.users or ():
            self.users.setdefault(user.name, _user_anchored(user.user, path.parent))
        for context in file.contexts or ():
            self.contexts.setdefault(context.name, context.context or _Context())


def find_access(choice: Choice, environ: Mapping[str, str]) -> Access:
    """Read the kubeconfig and pick the cluster and the user.

    Raises ClusterError where there is no kubeconfig, it is not a usable one, or it does not have what a flag
    names.
    """
    merged = _merged(choice, environ)
    if not merged.paths or (merged.is_empty and _is_pod(environ) and not choice.names):
        return _in_cluster(choice, environ)
    return _pick(merged, choice)


def find_namespace(choice: Choice, environ: Mapping[str, str]) -> str:
    """Say which namespace is meant, whether or not its cluster could be reached: without a kubeconfig `default`.

    Raises ClusterError where a kubeconfig is not a usable one, or does not have the context that the flag names.
    """
    if choice.namespace:
        return choice.namespace
    merged = _merged(choice, environ)
    if not merged.paths or (merged.is_empty and not choice.names):
        return _own_namespace()
    if not (choice.context or merged.current):
        return "default"
    _, context = _context(merged, choice)
    return context.namespace or "default"


def find_names(choice: Choice, environ: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the names of all contexts and of all clusters. Raises ClusterError as `find_access` does."""
    merged = _merged(choice, environ)
    return tuple(merged.contexts), tuple(merged.clusters)


def _merged(choice: Choice, environ: Mapping[str, str]) -> _Merged:
    merged = _Merged()
    for path in kubeconfig_paths(choice.kubeconfig, environ):
        merged.add(path, _read(path))
    return merged


def _read(path: Path) -> _File:
    import yaml

    shown = printable(str(path))
    try:
        with path.open("rb") as stream:
            # A kubeconfig of many clusters takes seconds without libyaml. Both loaders are the safe ones.
            document = yaml.load(stream, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except OSError as error:
        raise ClusterError(f"cannot read the kubeconfig {shown}: {error.strerror or error}") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        # The parser's own message quotes the line, which may hold a credential.
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ClusterError(f"the kubeconfig {shown}{where} is not YAML; is it the right file?") from None
    try:
        return msgspec.convert({} if document is None else document, _File)
    except msgspec.ValidationError as error:
        raise ClusterError(f"{shown} is not a kubeconfig: {printable(str(error))}") from error


def _anchored(fields: Fields | None, keys: Iterable[str], directory: Path) -> Fields:
    """Give the fields with paths that are relative to their file made independent of it."""
    anchored = dict(fields or {})
    for key in keys:
        if isinstance(anchored.get(key), str) and anchored[key]:
            anchored[key] = str(directory / anchored[key])
    return anchored


def _user_anchored(fields: Fields | None, directory: Path) -> Fields:
    user = _anchored(fields, _USER_PATHS, directory)
    plugin = user.get("exec")
    if isinstance(plugin, dict) and isinstance(plugin.get("command"), str) and os.sep in plugin["command"]:
        user["exec"] = _anchored(plugin, ("command",), directory.absolute())
    return user


def _pick(merged: _Merged, choice: Choice) -> Access:
    name, context = _context(merged, choice)
    return Access(
        context=name,
        namespace=choice.namespace or context.namespace or "default",
        cluster=_cluster(merged, choice, name),
        user=_user(merged, name),
        flags=ClusterFlags(context=name, cluster=choice.cluster, kubeconfig=choice.kubeconfig),
    )


def _context(merged: _Merged, choice: Choice) -> tuple[str, _Context]:
    source = printable(", ".join(merged.paths))
    name = choice.context or merged.current
    if not name:
        raise ClusterError(
            f"the kubeconfig {source} has no current-context; choose one with --context"
            f"{_alternatives('', merged.contexts)}"
        )
    if name not in merged.contexts:
        raise ClusterError(f"there is no context {printable(name)!r} in {source}{_alternatives(name, merged.contexts)}")
    return name, merged.contexts[name]


def _cluster(merged: _Merged, choice: Choice, context: str) -> Cluster:
    name = choice.cluster or merged.contexts[context].cluster or ""
    source = printable(", ".join(merged.paths))
    if name not in merged.clusters:
        alternatives = _alternatives(name, merged.clusters)
        if choice.cluster:
            raise ClusterError(f"there is no cluster {printable(name)!r} in {source}{alternatives}")
        raise ClusterError(
            f"the context {printable(context)!r} names a cluster {printable(name)!r} that is not in "
            f"{source}{alternatives}"
        )
    cluster = entry(merged.clusters[name], Cluster, f"the cluster {printable(name)!r} in {source}")
    if not cluster.server:
        raise ClusterError(f"the cluster {printable(name)!r} in {source} has no server address")
    return cluster


def _user(merged: _Merged, context: str) -> User:
    name = merged.contexts[context].user or ""
    source = printable(", ".join(merged.paths))
    if name and name not in merged.users:
        raise ClusterError(
            f"the context {printable(context)!r} names a user {printable(name)!r} that is not in "
            f"{source}{_alternatives(name, merged.users)}"
        )
    return entry(merged.users.get(name, {}), User, f"the user {printable(name)!r} in {source}")


Named = TypeVar("Named")


def _alternatives(name: str, named: Mapping[str, Named]) -> str:
    """Give `; did you mean A? There are: A, B`, or what fits of it."""
    nearest = get_close_matches(name, named, n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(printable(other) for other in nearest)}?" if nearest else ""
    if not named:
        return f"{hint} (it has none)"
    shown = ", ".join(printable(other) for other in sorted(named)[:_LISTED])
    more = f", and {len(named) - _LISTED} more" if len(named) > _LISTED else ""
    return f"{hint} (it has: {shown}{more})"


def _is_pod(environ: Mapping[str, str]) -> bool:
    """Tell whether this runs in a pod with a service account."""
    named = environ.get("KUBERNETES_SERVICE_HOST") and environ.get("KUBERNETES_SERVICE_PORT")
    return bool(named) and os.access(_SERVICE_ACCOUNT / "token", os.F_OK)


def _in_cluster(choice: Choice, environ: Mapping[str, str]) -> Access:
    if not _is_pod(environ):
        raise ClusterError(
            f"there is no kubeconfig: nothing at {printable(looked_at(environ))}, and this is not a pod with a service "
            "account; set KUBECONFIG or give --kubeconfig (does `kubectl get ns` work?)"
        )
    if choice.context or choice.cluster:
        raise ClusterError(
            "there is no kubeconfig, only this pod's service account, so --context and --cluster have nothing to "
            "choose from"
        )
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ["KUBERNETES_SERVICE_PORT"]
    address = f"[{host}]" if ":" in host else host
    return Access(
        context="in-cluster",
        namespace=choice.namespace or _own_namespace(),
        cluster=Cluster(server=f"https://{address}:{port}", certificate_authority=str(_SERVICE_ACCOUNT / "ca.crt")),
        user=User(token_file=str(_SERVICE_ACCOUNT / "token")),
        is_service_account=True,
    )


def _own_namespace() -> str:
    try:
        return (_SERVICE_ACCOUNT / "namespace").read_text(encoding="utf-8").strip() or "default"
    except OSError:
        return "default"
