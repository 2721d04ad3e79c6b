"""The flags that say which cluster, and as whom, named and meant as kubectl's own."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

from kubectl_grpclb.commands.flag_groups import flags_of, with_flags
from kubectl_grpclb.model.command import ClusterFlags

__all__ = ["CURRENT", "Connection", "ContextFlag", "KubeconfigFlag", "NamespaceFlag", "with_connection"]

NamespaceFlag = Annotated[
    str | None,
    typer.Option("--namespace", "-n", metavar="NAMESPACE", help="Namespace of the Service. (default the context's)"),
]
ContextFlag = Annotated[
    str | None, typer.Option("--context", metavar="NAME", help="Name of the kubeconfig context to use.")
]
ClusterFlag = Annotated[
    str | None, typer.Option("--cluster", metavar="NAME", help="Name of the kubeconfig cluster to use.")
]
KubeconfigFlag = Annotated[
    Path | None,
    typer.Option(
        "--kubeconfig", metavar="FILE", help="Path to the kubeconfig. (default $KUBECONFIG, else ~/.kube/config)"
    ),
]
AsFlag = Annotated[str | None, typer.Option("--as", metavar="USER", help="User to impersonate.")]
AsGroupsFlag = Annotated[
    list[str] | None,
    typer.Option("--as-group", metavar="GROUP", help="Group to impersonate; can be repeated."),
]
RequestTimeoutFlag = Annotated[
    str | None,
    typer.Option(
        "--request-timeout",
        metavar="TIME",
        help="Time limit for a single request to the cluster, such as 10s or 1m; 0 for none.",
    ),
]


class Connection(Struct, frozen=True):
    """Which cluster, as whom: the flags' values as they were given."""

    kubeconfig: Path | None = None
    context: str | None = None
    cluster: str | None = None
    namespace: str | None = None
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    request_timeout: str | None = None

    @property
    def flags(self) -> ClusterFlags:
        """Those that say which cluster, for the commands that are shown."""
        path = None if self.kubeconfig is None else str(self.kubeconfig)
        return ClusterFlags(context=self.context, cluster=self.cluster, kubeconfig=path)


CURRENT = Connection()
"""What it comes to where no such flag was given: kubectl's current context."""


def with_connection(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these flags in the place of its parameter `connection`, which gets the Connection of them."""
    return with_flags(command, "connection", flags_of(_gathered), _gathered)


def _gathered(
    namespace: NamespaceFlag = None,
    context: ContextFlag = None,
    cluster: ClusterFlag = None,
    kubeconfig: KubeconfigFlag = None,
    as_user: AsFlag = None,
    as_groups: AsGroupsFlag = None,
    request_timeout: RequestTimeoutFlag = None,
) -> Connection:
    return Connection(
        kubeconfig=kubeconfig,
        context=context,
        cluster=cluster,
        namespace=namespace,
        as_user=as_user,
        as_groups=tuple(as_groups or ()),
        request_timeout=request_timeout,
    )
