"""What could not be looked into, and which rules had nothing to go by: the limits of the rest."""

from collections.abc import Iterable, Sequence

from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.report.screen import words
from kubectl_grpclb.report.screen.layout import Line, Span, View, wrap

__all__ = ["gaps", "skips"]

_MOST_GROUPS = 5


def gaps(report: Report, view: View) -> list[Line]:
    """Give a line a reason for which pods are not read, with how many of them, most first."""
    unread = [(row.gap, row.name) for row in report.pods if row.gap is not None]
    unread += [(row.gap, row.name) for tier in report.tiers for row in tier.pods if row.gap is not None]
    if view.wide:
        named = [(", ".join(names), _reason([why])) for why, names in _grouped(unread)]
        return _section("NOT READ", named, view)
    reasons = _grouped((words.in_short(gap), gap) for gap, _ in unread)
    return _section("NOT READ", [(words.count(len(told), "pod"), _reason(told)) for _, told in reasons], view)


def _reason(told: Sequence[str]) -> str:
    """Quote one answer for all: the others differ from it in names and numbers."""
    short, detail = words.in_short(told[0]), told[0].partition(": ")[2]
    if not detail:
        return short
    return f"{short}: {detail}" if len(set(told)) == 1 else f"{short}, such as: {detail}"


def skips(report: Report, view: View) -> list[Line]:
    """Give a line a reason for which rules are not applied, with their codes, most first."""
    reasons = _grouped((skip.reason, skip.code) for skip in report.skipped)
    return _section("NOT CHECKED", [(", ".join(codes), why) for why, codes in reasons], view)


def _grouped(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    groups: dict[str, list[str]] = {}
    for key, member in pairs:
        groups.setdefault(key, []).append(member)
    return sorted(groups.items(), key=lambda group: -len(group[1]))


def _section(title: str, groups: Sequence[tuple[str, str]], view: View) -> list[Line]:
    if not groups:
        return []
    shown = groups if view.wide or len(groups) <= _MOST_GROUPS else groups[: _MOST_GROUPS - 1]
    lines: list[Line] = [(Span(title, "dim"),)]
    for what, reason in shown:
        sentence = f"{view.show(what)}: {view.show(reason)}"
        lines += [(Span(line),) for line in wrap(sentence, view.prose, first="  ", rest="    ")]
    if left := len(groups) - len(shown):
        lines.append((Span(f"  {view.glyphs.ellipsis} {left:,} more reasons (-o wide)", "dim"),))
    return lines
