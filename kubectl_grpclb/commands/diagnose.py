"""`diagnose SERVICE`: does load stick to a few pods, and why."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kubectl_grpclb.commands import options
from kubectl_grpclb.commands.connection import CURRENT, Connection, with_connection
from kubectl_grpclb.commands.given import given
from kubectl_grpclb.commands.output import write
from kubectl_grpclb.commands.progress import tell_error
from kubectl_grpclb.commands.source_flags import with_sources
from kubectl_grpclb.commands.sources import NOT_CHOSEN, Sources
from kubectl_grpclb.model.errors import UsageError

__all__ = ["FailOn", "diagnose"]


class FailOn(StrEnum):
    """From which severity on a finding makes the exit code 1."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    NEVER = "never"


@with_connection
@with_sources
def diagnose(
    invocation: typer.Context,
    services: Annotated[list[str] | None, typer.Argument(metavar="SERVICE...", help="NAME or svc/NAME.")] = None,
    connection: Connection = CURRENT,
    output: options.Output = options.OutputFormat.TABLE,
    port: options.Port = None,
    window: options.Window = "5s",
    fail_on: Annotated[FailOn, typer.Option(help="Lowest severity that makes the exit code 1.")] = FailOn.WARNING,
    record: Annotated[
        Path | None,
        typer.Option("--record", metavar="FILE", help="Also save what was read to a file."),
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Report on a recorded file; - for standard input."),
    ] = None,
    cluster_domain: options.ClusterDomain = None,
    chosen: Sources = NOT_CHOSEN,
    verbose: options.Verbose = 0,
) -> None:
    """Find out whether load sticks to a few pods of a Service, and why.

    Reads the Service, its endpoints and, from the cheapest source that answers, its pods' connections and calls.
    Changes nothing, unless --debug or --via node is given.

    Exit codes: 0 nothing wrong; 1 a finding from --fail-on on, or uneven load; 2 usage; 3 too little could be read to
    say; 4 the cluster could not be reached or said no, or the file could not be written; 130 interrupted. With several
    Services it is the highest, and one that cannot be read takes nothing from the others.
    """
    from kubectl_grpclb.commands import session

    if replay is not None:
        if others := given(invocation, but={"replay", "output", "fail_on", "verbose"}):
            raise UsageError(
                "--from takes everything from the file: give no SERVICE, and no flags other than -o and --fail-on "
                f"(here: {', '.join(others)})"
            )
        diagnoses = session.Diagnoses(())
    else:
        if not services:
            raise UsageError("name the Service to diagnose: kubectl grpclb diagnose SERVICE")
        named = tuple(dict.fromkeys(map(options.service_name, services)))
        if record is not None and len(named) > 1:
            raise UsageError("--record writes one Service per file: diagnose them one by one")
        question = session.Question(named, port, window, cluster_domain, chosen)
        diagnoses = session.diagnose(connection, question, verbose=verbose)

    from kubectl_grpclb.commands import show  # what writes reports is not needed before there are any
    from kubectl_grpclb.flows.diagnose import exit_code, replayed

    reports = [report for _, report in diagnoses.done]
    if replay is not None:
        reports = [replayed(show.read_file(replay))]
    try:
        write(show.rendered(reports, output, several=len(services or ()) > 1))
    finally:  # neither is lost where the other cannot be written
        if record is not None:
            (snapshot, _), *_ = diagnoses.done
            show.write_snapshot(record, snapshot)
    for complaint in diagnoses.complaints:
        tell_error(complaint)
    raise typer.Exit(exit_code(reports, fail_on, [each.error for each in diagnoses.failed]))
