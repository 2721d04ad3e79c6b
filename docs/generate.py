"""Write the parts of the documentation that follow from the program: `make docs`.

`docs/findings.md` lists the rules; `docs/permissions.md` ends in tables of every permission; the page of GLB902 has
the role for a diagnosis; `docs/images/diagnose.svg` is the output for a Service that was recorded on a real cluster. A
test fails when one of them is stale.
"""

import io
import pathlib
import sys
import textwrap

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from kubectl_grpclb.flows.diagnose import replayed
from kubectl_grpclb.model.need import VERBS, Feature, Need, Place, Verb
from kubectl_grpclb.model.needs import NEEDS
from kubectl_grpclb.model.rbac import api_name
from kubectl_grpclb.model.roles import Wants, roles_for
from kubectl_grpclb.report import FORMATS, Page
from kubectl_grpclb.report.roles import Subject, VerbRoles, roles_as_yaml
from kubectl_grpclb.rules import RULES

ROOT = pathlib.Path(__file__).parent.parent
PICTURED = ROOT / "tests" / "cases" / "sticky" / "snapshot.json"
WIDTH = 118

SVG = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>kubectl grpclb diagnose: the output for a Service whose load sticks to one pod</title>
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix" xml:space="preserve">
{matrix}
</g>
</g>
</svg>
"""
"""Rich's own template would have browsers fetch a font from elsewhere."""


def findings() -> str:
    """Give the page that lists every finding."""
    rows = "".join(
        f"| [{rule.code}](../kubectl_grpclb/rules/{rule.code.lower()}.md) | {rule.severity} | {rule.title} |\n"
        for rule in RULES
    )
    return (
        "# Findings\n\n"
        "Written by `make docs` from the rules. `kubectl grpclb explain CODE` prints the same pages.\n\n"
        "| code | severity | what it says |\n| --- | --- | --- |\n" + rows
    )


def picture() -> str:
    """Give an SVG of what `diagnose` prints for the recorded Service."""
    report = replayed(PICTURED.read_bytes())
    printed = FORMATS["table"]([report], Page(width=WIDTH, colour=True))
    namespace, service = report.target.namespace, report.target.service
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ kubectl grpclb diagnose {service} -n {namespace}\n"))
    console.print(Text.from_ansi(printed))
    title = "kubectl grpclb diagnose"
    return console.export_svg(title=title, theme=MONOKAI, code_format=SVG, unique_id="grpclb")


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


PERMISSIONS = ROOT / "docs" / "permissions.md"
GENERATED_FROM_HERE = "<!-- what follows is generated -->\n"
REFUSALS = ROOT / "kubectl_grpclb" / "rules" / "glb902.md"
AFTER_THE_ROLE = "\nOther flags need other rules"

GENERATED = {
    ROOT / "docs" / "findings.md": findings,
    ROOT / "docs" / "images" / "diagnose.svg": picture,
    PERMISSIONS: permissions,
    REFUSALS: page_of_refusals,
}


def main() -> None:
    """Write every generated file."""
    for path, content in GENERATED.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content(), encoding="utf-8")
        sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
