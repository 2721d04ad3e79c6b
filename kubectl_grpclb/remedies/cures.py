"""Which strategies cure which finding: what `auto` goes by, and what a plan says that it cures."""

from collections.abc import Mapping
from types import MappingProxyType

from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.model.plan import Strategy

__all__ = ["CURES", "cured_by", "first_cure"]

_BALANCES_CALLS: tuple[Strategy, ...] = ("envoy", "client", "headless", "gateway")
_CHANGES_CLIENTS: tuple[Strategy, ...] = ("client", "headless")

CURES: Mapping[str, tuple[Strategy, ...]] = MappingProxyType(
    {
        "GLB101": _BALANCES_CALLS,
        "GLB102": _BALANCES_CALLS,
        "GLB103": ("client", "headless", "envoy", "gateway"),
        "GLB104": _BALANCES_CALLS,
        "GLB106": _BALANCES_CALLS,
        "GLB109": _CHANGES_CLIENTS,  # through a proxy load is spread, but the client still takes the first address
        "GLB201": ("service",),
        "GLB301": ("envoy",),
        "GLB404": _BALANCES_CALLS,  # the mean misleads only where load is uneven
    }
)
"""By finding, the cures that take it away when all is done that the plan does or tells; the first is the one to take.

Not here is what no plan takes away by itself: connections and streams that are open (GLB105, GLB401) move when they
close, a proxy of somebody else's (GLB302, GLB303) has to be changed there, and what leads nowhere (GLB205, GLB206) is
put right by hand.
"""


def first_cure(code: str) -> Strategy:
    """Give the strategy to take for a finding; `none` where no plan cures it."""
    return CURES.get(code, ("none",))[0]


def cured_by(strategy: Strategy, report: Report) -> tuple[str, ...]:
    """Give the codes of the report's findings that go away with a strategy, in the report's order."""
    return tuple(finding.code for finding in report.findings if strategy in CURES.get(finding.code, ()))
