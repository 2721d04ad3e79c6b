"""`fix SERVICE`: cure what diagnose found."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kubectl_grpclb.commands import options
from kubectl_grpclb.commands.connection import CURRENT, Connection, with_connection
from kubectl_grpclb.commands.given import OF_A_PLAN, given
from kubectl_grpclb.commands.output import write
from kubectl_grpclb.commands.source_flags import with_reading_sources
from kubectl_grpclb.commands.sources import ADDING, NOT_CHOSEN, Sources
from kubectl_grpclb.model.errors import ClusterError, UsageError

if TYPE_CHECKING:
    from kubectl_grpclb.cluster.port import Workshop
    from kubectl_grpclb.flows.fix import Fixed
    from kubectl_grpclb.flows.wishes import Wishes
    from kubectl_grpclb.model.command import Aim
    from kubectl_grpclb.probes.ask import Ask

__all__ = ["fix"]


class Strategy(StrEnum):
    """Which cure."""

    AUTO = "auto"
    ENVOY = "envoy"
    HEADLESS = "headless"
    CLIENT = "client"
    GATEWAY = "gateway"


class DryRun(StrEnum):
    """As kubectl's flag; a bare --dry-run means client."""

    NONE = "none"
    CLIENT = "client"
    SERVER = "server"


class Balancing(StrEnum):
    """How Envoy picks a server for each call."""

    ROUND_ROBIN = "round-robin"
    LEAST_REQUEST = "least-request"


class AccessLog(StrEnum):
    """Which calls Envoy logs."""

    ERRORS = "errors"
    ALL = "all"
    NONE = "none"


class Form(StrEnum):
    """What -o takes here."""

    JSON = "json"
    YAML = "yaml"


_ENVOY = "Envoy"

_YOUNGEST = 10.0
"""Seconds: clients that connect again more often do little else."""


@with_connection
@with_reading_sources
def fix(
    invocation: typer.Context,
    service: Annotated[str | None, typer.Argument(metavar="SERVICE", help="NAME or svc/NAME.")] = None,
    connection: Connection = CURRENT,
    yes: options.AssumeYes = False,
    dry_run: Annotated[
        DryRun,
        typer.Option(
            "--dry-run",
            help="Print the manifests (client, or the bare flag), or have the API server validate them (server).",
        ),
    ] = DryRun.NONE,
    diff: Annotated[bool, typer.Option("--diff", help="Show what would change, like kubectl diff.")] = False,
    output: Annotated[
        Form | None, typer.Option("--output", "-o", help="Print the manifests or the outcome as data.")
    ] = None,
    strategy: Annotated[Strategy, typer.Option(help="Which fix; auto chooses the one that fits.")] = Strategy.AUTO,
    recycle: options.Recycle = options.RecycleWhat.NONE,
    stage_only: Annotated[bool, typer.Option("--stage-only", help="Stop before the cut-over.")] = False,
    timeout: options.Timeout = "2m",
    port: options.Port = None,
    window: options.Window = "5s",
    replay: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Plan from a recorded file; - for standard input. Only prints."),
    ] = None,
    cluster_domain: options.ClusterDomain = None,
    chosen: Sources = NOT_CHOSEN,
    envoy_image: Annotated[
        str | None,
        typer.Option(metavar="IMAGE", help="Image of Envoy. (default the pinned public image)"),
    ] = None,
    replicas: Annotated[
        int | None, typer.Option(metavar="COUNT", min=2, max=100, help="Number of Envoys, 2 to 100. (default 2)")
    ] = None,
    lb_policy: Annotated[
        Balancing | None,
        typer.Option(
            help="round-robin for similar calls, least-request for unequal ones or streams. (default round-robin)"
        ),
    ] = None,
    autoscale: Annotated[
        int | None, typer.Option(metavar="COUNT", min=2, max=1000, help="Add an autoscaler for up to this many Envoys.")
    ] = None,
    network_policy: Annotated[
        bool | None, typer.Option(help="Add a NetworkPolicy for Envoy; --no-network-policy for none.")
    ] = None,
    access_log: Annotated[AccessLog | None, typer.Option(help="Calls that Envoy logs. (default errors)")] = None,
    connection_age: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="How long until clients are asked to reconnect, so that they spread: 10s or more, or 0 for never. "
            "(default 5m)",
        ),
    ] = None,
    verbose: options.Verbose = 0,
) -> None:
    """Fix a Service whose load sticks.

    Shows the plan, asks, applies it, proves that calls get through, and diagnoses again. Puts Envoy in front of the
    pods of the Service, or says what to do instead if that would not help. Nothing that clients use is touched
    before Envoy is known to work, and rollback undoes all of it.

    Exit codes: 0 fixed, pending or nothing to do; 1 you said no, it needs something that fix does not do, or --diff
    shows a difference; 2 usage; 3 too little could be read to say; 4 refused, or the cluster could not be reached;
    5 applied, but no cure shows; 130 interrupted.
    With --dry-run, --diff and --from a refused plan is shown and ends with 4 as well, unless the only reason is that
    somebody else has to apply it: a GitOps tool, or whoever has the permissions.
    """
    import asyncio

    from msgspec.structs import replace

    from kubectl_grpclb.commands import session
    from kubectl_grpclb.commands.workshop import in_workshop
    from kubectl_grpclb.flows.wishes import Wishes
    from kubectl_grpclb.probes.ask import Ask

    envoy: dict[str, Any] = {
        "image": None if envoy_image is None else options.image(envoy_image, "--envoy-image"),
        "replicas": replicas,
        "balancing": lb_policy.value if lb_policy else None,
        "autoscaling": {"most": autoscale} if autoscale else None,
        "network_policy": network_policy,
        "access_log": access_log.value if access_log else None,
        "connection_age": _age(connection_age) if connection_age else None,
    }
    wishes = Wishes(
        strategy=strategy.value,
        envoy={key: value for key, value in envoy.items() if value is not None},
        recycle=recycle.value,
        stage_only=stage_only,
        seconds=options.duration(timeout, "--timeout"),
    )
    if replay is not None:
        asking = ["--dry-run=server"] if dry_run is DryRun.SERVER else []
        if others := given(invocation, but=OF_A_PLAN) + asking:
            raise UsageError(
                "--from plans from a file and changes nothing: give no SERVICE, --yes or --diff, no flags for sources "
                f"and nothing about a cluster (here: {', '.join(others)})"
            )
        raise typer.Exit(_planned(replay, wishes, output))
    if not service:
        raise UsageError("name the Service to fix: kubectl grpclb fix SERVICE")
    if dry_run is not DryRun.NONE and diff:
        raise UsageError("--dry-run and --diff show the same thing in two ways: give only one of them")
    if chosen.changes:
        raise UsageError(f"--via {' and '.join(ADDING)} add to the cluster: fix takes only sources that do not")
    name, seconds = options.service_name(service), session.window_of(window)
    domain = options.dns_domain(cluster_domain)
    asked = chosen.asked(Ask("", name, port, seconds, cluster_domain=domain, flags=connection.flags))

    async def run(workshop: "Workshop") -> int:
        ask = replace(asked, namespace=workshop.namespace)
        if dry_run is not DryRun.NONE or diff:
            return await _shown(workshop, ask, wishes, dry_run, output)
        return await _fixed(workshop, ask, wishes, output, yes=yes)

    raise typer.Exit(asyncio.run(in_workshop(connection, run, verbose=verbose, sources=chosen)))


def _age(text: str) -> float:
    """Read --connection-age, in seconds; 0 is never. Raises UsageError."""
    seconds = options.duration(text, "--connection-age")
    if 0 < seconds < _YOUNGEST:
        raise UsageError("--connection-age must be 10s or more, or 0 for connections without an age limit")
    return seconds


def _planned(file: Path, wishes: "Wishes", output: Form | None) -> int:
    from kubectl_grpclb.commands.conversation import Conversation
    from kubectl_grpclb.commands.progress import Progress
    from kubectl_grpclb.commands.show import read_file
    from kubectl_grpclb.flows.dry_run import see_that_it_may_be_applied
    from kubectl_grpclb.flows.prepare import planned_from
    from kubectl_grpclb.model.snapshot import decode_snapshot
    from kubectl_grpclb.probes.derive import ask_of
    from kubectl_grpclb.report.manifests import as_json, as_yaml

    snapshot = decode_snapshot(read_file(file))
    plan = planned_from(snapshot, wishes)
    with Progress() as progress:
        Conversation(progress, yes=False).show(plan)
    write(as_json(plan) if output is Form.JSON else as_yaml(plan, ask_of(snapshot).flags))
    see_that_it_may_be_applied(plan)
    return 0


async def _shown(workshop: "Workshop", ask: "Ask", wishes: "Wishes", dry_run: DryRun, output: Form | None) -> int:
    """Show what would be done, without doing it."""
    from kubectl_grpclb.commands import diff as differ
    from kubectl_grpclb.commands.conversation import Conversation
    from kubectl_grpclb.commands.progress import Progress
    from kubectl_grpclb.flows.dry_run import admissions, comparisons, see_that_it_may_be_applied
    from kubectl_grpclb.flows.prepare import prepare
    from kubectl_grpclb.flows.up_to_date import nothing_to_do
    from kubectl_grpclb.report.manifests import as_json, as_yaml

    with Progress() as progress:
        talk = Conversation(progress, yes=False)
        prepared = await prepare(workshop, ask, wishes, talk.observe)
        plan, needless = prepared.plan, await nothing_to_do(workshop, prepared, wishes)
        if needless is None:
            talk.show(plan)
        else:
            progress.tell(f"{needless.title}.")
    code = 0
    if dry_run is DryRun.CLIENT:
        write(as_json(plan) if output is Form.JSON else as_yaml(plan, ask.flags))
    elif dry_run is DryRun.SERVER:
        admitted = await admissions(workshop, plan)
        write("".join(f"{line}\n" for line in admitted.lines))
        code = 0 if admitted.all else ClusterError.exit_code
    elif needless is None:
        code = differ.show(await comparisons(workshop, plan))
    see_that_it_may_be_applied(needless or plan)
    return code


async def _fixed(workshop: "Workshop", ask: "Ask", wishes: "Wishes", output: Form | None, *, yes: bool) -> int:
    from kubectl_grpclb.commands.conversation import Conversation
    from kubectl_grpclb.commands.progress import Progress
    from kubectl_grpclb.commands.show import page
    from kubectl_grpclb.flows.fix import fix as carry_out
    from kubectl_grpclb.flows.verify import EXIT_CODES
    from kubectl_grpclb.report.verification import render_verification, verification_data

    with Progress() as progress:
        talk = Conversation(progress, yes=yes, otherwise=", or --dry-run to see what would be done")
        fixed = await carry_out(workshop, ask, wishes, talk)
    done = fixed.verification
    if done is None:
        write(_unverified(fixed, ask.aim, output))
        return fixed.code
    if output is not None:
        write(verification_data(done.outcome, done.reason, done.before, done.report, output.value))
    else:
        write(render_verification(done.outcome, done.reason, done.before, done.report, page()))
        write("".join(f"  not restarted: {each}\n" for each in fixed.unrestarted))
    return EXIT_CODES[done.outcome]


def _unverified(fixed: "Fixed", aim: "Aim", output: Form | None) -> str:
    """Tell what came of a fix that cut nothing over."""
    from kubectl_grpclb.report.manifests import plan_data

    if output is not None:
        return plan_data(fixed.plan, output.value)
    if not fixed.changed:
        return f"{fixed.plan.title}.\n"
    if fixed.plan.ports is None:
        return f"Done: {fixed.plan.title}. `{aim.grpclb('rollback')}` undoes it.\n"
    return (
        f"Staged: Service {aim.service} is untouched. `{aim.grpclb('fix')}` cuts over, `{aim.grpclb('rollback')}` "
        "removes what was staged.\n"
    )
