"""`record SERVICE`: keep what was read, without a report."""

from pathlib import Path
from typing import Annotated

import typer

from kubectl_grpclb.commands import options
from kubectl_grpclb.commands.connection import CURRENT, Connection, with_connection
from kubectl_grpclb.commands.source_flags import with_sources
from kubectl_grpclb.commands.sources import NOT_CHOSEN, Sources

__all__ = ["record"]


@with_connection
@with_sources
def record(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="NAME or svc/NAME.")],
    connection: Connection = CURRENT,
    port: options.Port = None,
    window: options.Window = "5s",
    file: Annotated[
        Path,
        typer.Option("--filename", "-f", metavar="FILE", help="File to write; - for standard output."),
    ] = Path("-"),
    cluster_domain: options.ClusterDomain = None,
    chosen: Sources = NOT_CHOSEN,
    verbose: options.Verbose = 0,
) -> None:
    """Save what diagnose reads to a file.

    The file, a snapshot, is for diagnose --from or a bug report. Changes nothing in the cluster, unless --debug or
    --via node is given.

    A snapshot holds names, addresses, labels and connections. It never holds Secrets, environment
    values, arguments, tokens, or annotations other than those that name a mesh or a deployment tool.

    Exit codes: 0 recorded; 2 usage; 4 the cluster could not be reached or said no, or the file could not be written;
    130 interrupted.
    """
    from kubectl_grpclb.commands import session, show

    question = session.Question((service,), port, window, cluster_domain, chosen)
    show.write_snapshot(file, session.record(connection, question, verbose=verbose))
