"""`rollback SERVICE`: undo a fix."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kubectl_grpclb.commands import options
from kubectl_grpclb.commands.connection import CURRENT, Connection, with_connection
from kubectl_grpclb.commands.output import write

if TYPE_CHECKING:
    from kubectl_grpclb.flows.rollback import Undoing

__all__ = ["rollback"]


@with_connection
def rollback(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="NAME or svc/NAME.")],
    connection: Connection = CURRENT,
    yes: options.AssumeYes = False,
    recycle: options.Recycle = options.RecycleWhat.NONE,
    timeout: options.Timeout = "6m",
    receipt: Annotated[
        Path | None,
        typer.Option("--receipt", metavar="FILE", help="The fix's receipt, if the cluster has lost its own."),
    ] = None,
    verbose: options.Verbose = 0,
) -> None:
    """Undo a fix.

    Restores the Service exactly, waits until no client is connected to Envoy, and removes what fix created, and
    nothing else. Works from any machine, and after a fix that was killed halfway. Refuses if somebody changed the
    Service since the fix, and says what changed.

    Exit codes: 0 done, or nothing to do; 1 you said no; 2 usage; 4 refused, or the cluster could not be reached;
    130 interrupted.
    """
    import asyncio

    from kubectl_grpclb.cluster.port import Workshop
    from kubectl_grpclb.commands.conversation import Conversation
    from kubectl_grpclb.commands.progress import Progress
    from kubectl_grpclb.commands.workshop import in_workshop
    from kubectl_grpclb.flows.rollback import Undoing
    from kubectl_grpclb.flows.rollback import rollback as undo

    name, seconds = options.service_name(service), options.duration(timeout, "--timeout")

    async def run(workshop: Workshop) -> Undoing:
        with Progress() as progress:
            talk = Conversation(progress, yes=yes)
            return await undo(
                workshop,
                workshop.namespace,
                name,
                recycle=recycle.value,
                seconds=seconds,
                file=receipt,
                talk=talk,
                flags=connection.flags,
            )

    write(_told(name, asyncio.run(in_workshop(connection, run, verbose=verbose))))


def _told(name: str, undone: "Undoing") -> str:
    if undone.receipt is None:
        return f"Nothing to roll back: no fix of Service {name} is recorded here.\n"
    was = "is as it was before the fix" if undone.restored else "did not lead to Envoy, and is left as it is"
    said = f"Rolled back: Service {name} {was}, and nothing of the fix is left.\n"
    left = "".join(f"  not restarted: {each}\n" for each in undone.unrestarted)
    return said + left
