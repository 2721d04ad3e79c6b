"""The tables of every permission, and the role that the page of GLB902 shows."""

import pathlib
import textwrap

from kubectl_grpclb.model.need import VERBS, Feature, Need, Place, Verb
from kubectl_grpclb.model.needs import NEEDS
from kubectl_grpclb.model.rbac import api_name
from kubectl_grpclb.model.roles import Wants, roles_for
from kubectl_grpclb.report.roles import Subject, VerbRoles, roles_as_yaml

__all__ = ["page_of_refusals", "permissions"]

ROOT = pathlib.Path(__file__).parent.parent.parent
PERMISSIONS = ROOT / "docs" / "permissions.md"
GENERATED_FROM_HERE = "<!-- what follows is generated -->\n"
REFUSALS = ROOT / "kubectl_grpclb" / "rules" / "glb902.md"
AFTER_THE_ROLE = "\nOther flags need other rules"

FLAGS: dict[Feature, str] = {
    "metrics": "`metrics` is asked",
    "monitors": "`metrics` is asked without `--metrics-port`",
    "channelz": "`channelz` is asked",
    "exec": "`exec` is asked",
    "prometheus": "`--prometheus svc/…`",
    "debug": "`--debug`",
    "node": "`--via node`",
    "recycle": "`--recycle clients`",
    "autoscale": "`--autoscale`",
    "network-policy": "`--network-policy`",
}
"""When a source or a flag brings a need along; a cure is what `fix` chooses."""

PLACES: dict[Place, str] = {
    "service": "the Service's",
    "clients": "the clients'",
    "node": "`--node-namespace`",
    "prometheus": "Prometheus'",
    "cluster": "all",
}


def permissions() -> str:
    """Give the page about permissions, its tables made anew; verbs that need the same share one."""
    written = PERMISSIONS.read_text(encoding="utf-8").partition(GENERATED_FROM_HERE)[0]
    sharing: dict[tuple[Need, ...], list[Verb]] = {}
    for verb in VERBS:
        needs = (need for need in NEEDS if verb in need.of and not need.comfort)
        sharing.setdefault(tuple(sorted(needs, key=lambda need: bool(need.without))), []).append(verb)
    return written + GENERATED_FROM_HERE + "".join(_table(verbs, needs) for needs, verbs in sharing.items())


def _table(verbs: list[Verb], needs: tuple[Need, ...]) -> str:
    rows = "".join(f"| {' | '.join(_cells(need))} |\n" for need in needs)
    heading = "| verbs | resources | namespace | what for | needed |\n| --- | --- | --- | --- | --- |\n"
    return f"\n### {' and '.join(verbs)}\n\n{heading}{rows}"


def _cells(need: Need) -> tuple[str, ...]:
    resources = ", ".join(
        f"`{name}.{group}`" if group else f"`{name}`" for group, name in map(api_name, need.resources)
    )
    flags = " or ".join(FLAGS[feature] for feature in sorted(need.when) if feature in FLAGS)
    needed = f"optional: without it, {need.without}" if need.without else "always"
    if flags:
        needed = f"where {flags}" + (f"; {needed}" if need.without else "")
    return (", ".join(need.verbs), resources, PLACES[need.place], need.why.rstrip("."), needed)


def page_of_refusals() -> str:
    """Give the page of GLB902 with the role for a diagnosis."""
    page = REFUSALS.read_text(encoding="utf-8")
    before, heading, rest = page.partition("## Correct\n")
    after = rest.partition(AFTER_THE_ROLE)[2]
    features = frozenset[Feature]({"metrics", "monitors", "channelz", "exec"})
    roles = roles_for("diagnose", Wants(namespace="shop", features=features))
    printed = roles_as_yaml([VerbRoles("diagnose", "shop", roles)], [Subject("User", "jane")])
    return (
        before
        + heading
        + "\nWhat `kubectl grpclb rbac diagnose -n shop --user jane` prints for `kubectl apply -f -`:\n\n"
        + textwrap.indent(printed, "    ")
        + AFTER_THE_ROLE
        + after
    )
