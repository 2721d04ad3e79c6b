"""`-o table`: what somebody who is called at night needs, on one screen."""

from collections.abc import Sequence

from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.report.page import Page
from kubectl_grpclb.report.screen import screen

__all__ = ["render"]


def render(reports: Sequence[Report], page: Page) -> str:
    """Give the report within the page's width, long lists folded; only commands may be longer lines."""
    return screen(reports, page, wide=False)
