"""`verify SERVICE`: whether the fix worked."""

from typing import TYPE_CHECKING, Annotated

import typer

from kubectl_grpclb.commands import options
from kubectl_grpclb.commands.connection import CURRENT, Connection, with_connection
from kubectl_grpclb.commands.output import write
from kubectl_grpclb.commands.source_flags import with_sources
from kubectl_grpclb.commands.sources import NOT_CHOSEN, Sources

if TYPE_CHECKING:
    from kubectl_grpclb.flows.verify import Verification

__all__ = ["verify"]


@with_connection
@with_sources
def verify(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="NAME or svc/NAME.")],
    connection: Connection = CURRENT,
    output: options.Output = options.OutputFormat.TABLE,
    port: options.Port = None,
    window: options.Window = "5s",
    cluster_domain: options.ClusterDomain = None,
    chosen: Sources = NOT_CHOSEN,
    verbose: options.Verbose = 0,
) -> None:
    """Check whether a fix worked.

    Diagnoses again and compares the result with that from before the fix. Changes nothing, unless --debug or
    --via node is given. The outcome is fixed, pending (connections from before the fix are still open), unchanged,
    worse or unknown.

    Exit codes: 0 fixed or pending; 2 usage; 3 too little could be read to say; 4 no fix is recorded, or the cluster
    could not be reached or said no; 5 no cure shows; 130 interrupted.
    """
    import asyncio

    from kubectl_grpclb.cluster.port import Workshop
    from kubectl_grpclb.commands import session
    from kubectl_grpclb.commands.progress import Progress
    from kubectl_grpclb.commands.workshop import in_workshop
    from kubectl_grpclb.flows.verify import EXIT_CODES, Verification
    from kubectl_grpclb.flows.verify import verify as check
    from kubectl_grpclb.probes.ask import Ask

    name, seconds = options.service_name(service), session.window_of(window)
    domain = options.dns_domain(cluster_domain)

    async def run(workshop: Workshop) -> Verification:
        asked = Ask(workshop.namespace, name, port, seconds, cluster_domain=domain, flags=connection.flags)
        ask = chosen.asked(asked)
        with Progress() as progress:
            return await check(workshop, ask, progress.observe)

    verification = asyncio.run(in_workshop(connection, run, verbose=verbose, sources=chosen))
    write(_rendered(verification, output))
    raise typer.Exit(EXIT_CODES[verification.outcome])


def _rendered(verification: "Verification", output: options.OutputFormat) -> str:
    from kubectl_grpclb.commands.show import page, rendered
    from kubectl_grpclb.report.verification import render_verification, verification_data

    outcome, reason = verification.outcome, verification.reason
    before, report = verification.before, verification.report
    if output in {options.OutputFormat.JSON, options.OutputFormat.YAML}:
        return verification_data(outcome, reason, before, report, output)
    return render_verification(outcome, reason, before, report, page()) + "\n" + rendered([report], output)
