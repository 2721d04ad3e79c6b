"""A plan as text: what is done, in order, why, and what is not."""

from collections.abc import Iterable

import msgspec
from msgspec import UNSET

from kubectl_grpclb.model.plan import Check, Create, Field, Plan
from kubectl_grpclb.report.page import Page
from kubectl_grpclb.report.screen.layout import Line, Span, Style, View, paint, wrap

__all__ = ["render_plan"]


_SHOWN = 5
"""Clients that are named in a sentence."""


def render_plan(plan: Plan, page: Page) -> str:
    """Lay the plan out for a page."""
    view = View(page, wide=False)
    lines: list[Line] = [(Span(line, "bold"),) for line in wrap(view.show(plan.title), view.prose, rest="  ")]
    lines += _flowing(view, plan.why, "  ")
    if plan.checks:
        lines += [(), (Span("Checked first", "bold"),), *_checks(view, plan.checks)]
    if not plan.changes_nothing:
        lines += [(), (Span("What is done, in this order", "bold"),), *_steps(view, plan)]
    for advice in plan.advice:
        lines += [(), (Span(view.show(advice.title), "bold"),)]
        lines += [(Span(f"  {view.show(line)}"),) for line in advice.lines]
    if plan.connections and not plan.changes_nothing:
        lines += [(), (Span("Open connections", "bold"),), *_flowing(view, _connections(plan), "  ")]
    if plan.wont:
        lines += [(), (Span("What is not done", "bold"),), *_flowing(view, plan.wont, "  ")]
    return "".join(f"{paint(line, colour=page.colour)}\n" for line in lines)


def _steps(view: View, plan: Plan) -> list[Line]:
    lines: list[Line] = []
    for creation in plan.create:
        lines += _item(view, f"create {_name(creation)}", creation.why)
    if plan.strategy == "envoy" and plan.create:
        lines += _item(view, "check", "Envoy is ready, knows every ready server, and brings calls there and back")
    if plan.change:
        lines += _item(view, f"change {plan.change.kind}/{plan.change.name}", plan.change.why)
        lines += [line for field in plan.change.fields for line in _difference(view, field)]
        if plan.strategy == "envoy":
            lines += _item(
                view, "prove", "a call through the Service comes back; if not, the Service is restored at once"
            )
    for restart in plan.restart if plan.recycle else ():
        lines += _item(view, f"restart {restart.kind}/{restart.name} in {restart.namespace}", restart.why)
    return lines


def _connections(plan: Plan) -> list[str]:
    clients = [f"{restart.kind}/{restart.name} in {restart.namespace}" for restart in plan.restart]
    if not clients or plan.recycle:
        return [plan.connections]
    shown = f"{', '.join(clients[:_SHOWN])}{', …' if len(clients) > _SHOWN else ''}"
    return [plan.connections, f"Those clients are not restarted; --recycle clients would restart {shown}."]


def _item(view: View, what: str, why: str) -> list[Line]:
    return [(Span(f"  {view.show(what)}"),), *_flowing(view, [why], "      ", style_dim=True)]


def _difference(view: View, field: Field) -> list[Line]:
    lines: list[Line] = [(Span(f"      {field.path.removeprefix('/').replace('/', '.')}"),)]
    if field.before is not UNSET:
        lines.append((Span(f"      - {view.show(_value(field.before))}", "bad"),))
    if field.after is not UNSET:
        lines.append((Span(f"      + {view.show(_value(field.after))}", "good"),))
    return lines


def _checks(view: View, checks: Iterable[Check]) -> list[Line]:
    lines: list[Line] = []
    for check in sorted(checks, key=lambda check: check.level):
        refuses = check.level == "refuse"
        head = f"  {'refused' if refuses else 'note'} ({check.name}): "
        first, *rest = wrap(view.show(check.message), view.prose, first=head, rest="      ")
        style: Style = "bad" if refuses else "doubtful"
        lines.append((Span(head, style), Span(first[len(head) :])))
        lines += [(Span(line),) for line in rest]
        lines += _flowing(view, [f"{view.glyphs.arrow} {check.do}"], "      ")
    return lines


def _flowing(view: View, sentences: Iterable[str], indent: str, *, style_dim: bool = False) -> list[Line]:
    return [
        (Span(line, "dim" if style_dim else ""),)
        for sentence in sentences
        for line in wrap(view.show(sentence), view.prose, first=indent, rest=indent)
    ]


def _name(creation: Create) -> str:
    return f"{creation.manifest['kind']}/{creation.manifest['metadata']['name']}"


def _value(value: object) -> str:
    return msgspec.json.encode(value).decode()
