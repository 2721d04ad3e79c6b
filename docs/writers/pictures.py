"""Pictures of what the program prints, for Services that were recorded on a real cluster."""

import io
import pathlib

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from kubectl_grpclb.flows.diagnose import replayed
from kubectl_grpclb.flows.prepare import planned_from
from kubectl_grpclb.flows.verify import compared
from kubectl_grpclb.flows.wishes import Wishes
from kubectl_grpclb.model.command import Aim
from kubectl_grpclb.model.receipt import Before
from kubectl_grpclb.model.snapshot import decode_snapshot
from kubectl_grpclb.report import FORMATS, Page
from kubectl_grpclb.report.plan import render_plan
from kubectl_grpclb.report.verification import render_verification

__all__ = ["diagnosis", "everything", "plan", "verification"]

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"
STICKY, FIXED = EXAMPLES / "sticky.json", EXAMPLES / "fixed.json"
"""The Service of the tutorial before its fix and after it."""
NARROW = Page(width=118, colour=True)
WIDE = Page(width=196, colour=True)

SVG = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>TITLE</title>
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


def diagnosis() -> str:
    """Give what `diagnose` prints."""
    printed = FORMATS["table"]([replayed(STICKY.read_bytes())], NARROW)
    return _picture("diagnose", "kubectl grpclb diagnose greeter -n shop", printed, NARROW)


def everything() -> str:
    """Give what `diagnose -o wide` prints."""
    printed = FORMATS["wide"]([replayed(STICKY.read_bytes())], WIDE)
    return _picture("wide", "kubectl grpclb diagnose greeter -n shop -o wide", printed, WIDE)


def plan() -> str:
    """Give the plan that `fix` shows before it asks."""
    printed = render_plan(planned_from(decode_snapshot(STICKY.read_bytes()), Wishes()), NARROW)
    return _picture("fix", "kubectl grpclb fix --from sticky.json", printed, NARROW)


def verification() -> str:
    """Give what `verify` prints after the fix."""
    before, report = replayed(STICKY.read_bytes()), replayed(FIXED.read_bytes())
    then = Before(verdict=before.verdict, balance=before.balance, taken_at=before.taken_at)
    outcome = compared(then, report, Aim("shop", "greeter"))
    told = render_verification(outcome.outcome, outcome.reason, outcome.before, report, NARROW)
    printed = f"{told}\n{FORMATS['table']([report], NARROW)}"
    return _picture("verify", "kubectl grpclb verify greeter -n shop", printed, NARROW)


def _picture(name: str, command: str, printed: str, page: Page) -> str:
    console = Console(record=True, width=page.width, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ {command}\n"))
    console.print(Text.from_ansi(printed))
    title = " ".join(command.split()[:3])
    template = SVG.replace("TITLE", f"What `{command}` prints for a Service of three pods")
    return console.export_svg(title=title, theme=MONOKAI, code_format=template, unique_id=f"grpclb-{name}")
