"""`-o yaml`: the same data as JSON's, as one YAML document in ASCII."""

from collections.abc import Sequence

from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.report.page import Page
from kubectl_grpclb.report.wire import document

__all__ = ["render"]

_NEVER_FOLD = 1 << 30


def render(reports: Sequence[Report], page: Page) -> str:
    """Give one YAML document; whatever is not ASCII is escaped, and commands stay on one line."""
    from yaml import safe_dump

    data = document(reports, several=page.several)
    text: str = safe_dump(data, allow_unicode=False, sort_keys=False, width=_NEVER_FOLD)
    return text
