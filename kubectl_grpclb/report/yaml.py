"""`-o yaml`: the same data as JSON's, as one YAML document in ASCII."""

from collections.abc import Sequence

from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.report.page import Page
from kubectl_grpclb.report.wire import document

__all__ = ["render"]


def render(reports: Sequence[Report], page: Page) -> str:
    """Give one YAML document; whatever is not ASCII is escaped, and commands stay on one line."""
    from kubectl_grpclb.model.yaml_text import yaml_text

    return yaml_text(document(reports, several=page.several))
