"""`rbac [VERB...]`: the least roles that the verbs need."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from kubectl_grpclb.commands import options
from kubectl_grpclb.commands.connection import ContextFlag, KubeconfigFlag, NamespaceFlag
from kubectl_grpclb.commands.fix import Strategy
from kubectl_grpclb.commands.output import write
from kubectl_grpclb.commands.source_flags import with_sources
from kubectl_grpclb.commands.sources import NOT_CHOSEN, Sources
from kubectl_grpclb.model.errors import UsageError
from kubectl_grpclb.model.need import VERBS, Feature, Verb
from kubectl_grpclb.model.text import printable

if TYPE_CHECKING:
    from kubectl_grpclb.report.roles import Subject

__all__ = ["rbac"]

_LOOKING: tuple[Verb, ...] = ("diagnose", "record", "verify")
_CHANGING: tuple[Verb, ...] = ("fix", "rollback")

_CURES: dict[Strategy, frozenset[Feature]] = {
    Strategy.AUTO: frozenset({"envoy", "service"}),
    Strategy.ENVOY: frozenset({"envoy"}),
    Strategy.HEADLESS: frozenset({"headless"}),
    Strategy.CLIENT: frozenset(),
    Strategy.GATEWAY: frozenset(),
}
"""What a strategy may come to; the two that only say what to do change nothing."""


class Form(StrEnum):
    """What -o takes here."""

    YAML = "yaml"
    JSON = "json"


@with_sources
def rbac(
    verbs: Annotated[
        list[str] | None, typer.Argument(metavar="VERB...", help=f"Any of {', '.join(VERBS)}. (default all)")
    ] = None,
    namespace: NamespaceFlag = None,
    service: Annotated[
        str | None,
        typer.Option(
            "--service", metavar="NAME", help="Limit the roles to this Service: objects that are written, by name."
        ),
    ] = None,
    service_accounts: Annotated[
        list[str] | None,
        typer.Option(
            "--service-account",
            metavar="NAMESPACE:NAME",
            help="Bind the roles to this service account; can be repeated.",
        ),
    ] = None,
    users: Annotated[
        list[str] | None,
        typer.Option("--user", metavar="NAME", help="Bind the roles to this user; can be repeated."),
    ] = None,
    groups: Annotated[
        list[str] | None,
        typer.Option("--group", metavar="NAME", help="Bind the roles to this group; can be repeated."),
    ] = None,
    client_namespaces: Annotated[
        list[str] | None,
        typer.Option(
            "--client-namespace",
            metavar="NAMESPACE",
            help="Namespace of clients, if not the Service's; can be repeated.",
        ),
    ] = None,
    strategy: Annotated[
        Strategy,
        typer.Option(help="The fix that may be chosen."),
    ] = Strategy.AUTO,
    recycle: Annotated[
        options.RecycleWhat,
        typer.Option("--recycle", help="clients: allow restarting their workloads."),
    ] = options.RecycleWhat.NONE,
    autoscale: Annotated[
        int | None,
        typer.Option(metavar="COUNT", min=2, max=1000, help="Allow an autoscaler for Envoy."),
    ] = None,
    network_policy: Annotated[bool, typer.Option("--network-policy", help="Allow a NetworkPolicy for Envoy.")] = False,
    chosen: Sources = NOT_CHOSEN,
    output: Annotated[Form, typer.Option("--output", "-o", help="Output format; JSON has no comments.")] = Form.YAML,
    context: ContextFlag = None,
    kubeconfig: KubeconfigFlag = None,
) -> None:
    """Print the minimal RBAC roles, for kubectl apply -f -.

    Prints a Role for the Service's namespace and an optional ClusterRole for what is read of the whole cluster, and
    says what each rule is for. Give the flags that the verbs will be run with. Does not contact a cluster.

    Exit codes: 0 printed; 2 usage; 4 the kubeconfig could not be used.
    """
    from msgspec.structs import replace

    from kubectl_grpclb.cluster.kube import ConnectOptions, namespace_of
    from kubectl_grpclb.model.roles import roles_for
    from kubectl_grpclb.probes.ask import Ask
    from kubectl_grpclb.probes.wants import wants_of
    from kubectl_grpclb.report.roles import VerbRoles, roles_as_json, roles_as_yaml

    wanted = _verbs(verbs or ())
    if chosen != NOT_CHOSEN and not set(wanted) & {*_LOOKING, "fix"}:
        raise UsageError(f"flags that choose sources are for {_listed((*_LOOKING, 'fix'))}, not for {_listed(wanted)}")
    if chosen.changes and not set(wanted) & set(_LOOKING):
        raise UsageError(f"--debug and --via node are for {_listed(_LOOKING)}, not for {_listed(wanted)}")
    given = (strategy is not Strategy.AUTO, recycle is not options.RecycleWhat.NONE, autoscale, network_policy)
    if any(given) and not set(wanted) & set(_CHANGING):
        raise UsageError(
            f"--strategy, --recycle, --autoscale and --network-policy are for {_listed(_CHANGING)}, not for "
            f"{_listed(wanted)}"
        )
    if client_namespaces and recycle is options.RecycleWhat.NONE and not set(wanted) & set(_LOOKING):
        raise UsageError(f"--client-namespace changes the roles for {_listed(wanted)} only with --recycle clients")
    home = namespace_of(
        ConnectOptions(kubeconfig=None if kubeconfig is None else str(kubeconfig), context=context, namespace=namespace)
    )
    name = options.service_name(service) if service is not None else None
    cure = _CURES[strategy] | _besides(recycle, autoscale=autoscale is not None, network_policy=network_policy)
    clients = tuple(dict.fromkeys(client_namespaces or ()))
    looking = replace(wants_of(chosen.asked(Ask(home, ""))), service=name, clients=clients)
    changing = replace(wants_of(chosen.reading.asked(Ask(home, ""))), service=name, clients=clients)
    changing = replace(changing, features=changing.features | cure)
    each = [VerbRoles(verb, home, roles_for(verb, looking if verb in _LOOKING else changing)) for verb in wanted]
    render = roles_as_json if output is Form.JSON else roles_as_yaml
    write(render(each, _subjects(service_accounts or (), users or (), groups or ())))


def _verbs(given: Sequence[str]) -> tuple[Verb, ...]:
    """Take the verbs that are named, each once, or all. Raises UsageError for what needs no role."""
    for verb in given:
        if verb not in VERBS:
            raise UsageError(
                f"{printable(verb)} is not a verb that contacts a cluster, so there is no role for it: roles are for "
                f"{_listed(VERBS)}"
            )
    return tuple(verb for verb in VERBS if verb in given or not given)


def _besides(recycle: options.RecycleWhat, *, autoscale: bool, network_policy: bool) -> frozenset[Feature]:
    flags: dict[Feature, bool] = {
        "recycle": recycle is options.RecycleWhat.CLIENTS,
        "autoscale": autoscale,
        "network-policy": network_policy,
    }
    return frozenset(feature for feature, is_given in flags.items() if is_given)


def _subjects(accounts: Sequence[str], users: Sequence[str], groups: Sequence[str]) -> "list[Subject]":
    """Say who gets the roles. Raises UsageError."""
    from kubectl_grpclb.report.roles import Subject

    subjects = []
    for account in accounts:
        namespace, _, name = account.removeprefix("system:serviceaccount:").partition(":")  # as a user it is called so
        if not (namespace and name) or ":" in name:
            raise UsageError(f"--service-account takes NAMESPACE:NAME, not {printable(account)!r}")
        subjects.append(Subject("ServiceAccount", name, namespace))
    if not all((*users, *groups)):
        raise UsageError("--user and --group need a name, but got an empty one")
    return [*subjects, *(Subject("User", user) for user in users), *(Subject("Group", group) for group in groups)]


def _listed(verbs: Sequence[str]) -> str:
    *others, last = verbs
    return f"{', '.join(others)} and {last}" if others else last
