"""`-o wide`: the table with every column, every row and nothing cut short."""

from collections.abc import Sequence

from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.report.page import Page
from kubectl_grpclb.report.screen import screen

__all__ = ["render"]


def render(reports: Sequence[Report], page: Page) -> str:
    """Give everything that is known; rows of pods and clients may be longer than the page is wide."""
    return screen(reports, page, wide=True)
