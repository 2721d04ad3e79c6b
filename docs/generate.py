"""Write the parts of the documentation that follow from the program: `make docs`.

`docs/findings.md` lists the rules; `docs/images/diagnose.svg` is the output for a Service that was recorded on a
real cluster. A test fails when either is stale.
"""

import io
import pathlib
import sys

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from kubectl_grpclb.flows.diagnose import replayed
from kubectl_grpclb.report import FORMATS, Page
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


GENERATED = {ROOT / "docs" / "findings.md": findings, ROOT / "docs" / "images" / "diagnose.svg": picture}


def main() -> None:
    """Write every generated file."""
    for path, content in GENERATED.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content(), encoding="utf-8")
        sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
