"""Findings: one rule and one page each, and the analysis that turns facts into a report.

To add a finding, write `glbNNN.py` with a `RULE` and `glbNNN.md` beside it, and put the module into the
tuple below. Codes are never reused; a code that goes out of use stays in `RETIRED`.
"""

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.rules import (
    glb101,
    glb102,
    glb103,
    glb104,
    glb105,
    glb106,
    glb107,
    glb108,
    glb109,
    glb201,
    glb205,
    glb206,
    glb301,
    glb302,
    glb303,
    glb401,
    glb402,
    glb403,
    glb404,
    glb901,
    glb902,
    glb903,
    glb904,
    glb905,
    glb906,
)
from kubectl_grpclb.rules.analysis import analyse as _analyse

__all__ = ["RETIRED", "RULES", "analyse"]

RULES = tuple(
    module.RULE
    for module in (
        glb101,
        glb102,
        glb103,
        glb104,
        glb105,
        glb106,
        glb107,
        glb108,
        glb109,
        glb201,
        glb205,
        glb206,
        glb301,
        glb302,
        glb303,
        glb401,
        glb402,
        glb403,
        glb404,
        glb901,
        glb902,
        glb903,
        glb904,
        glb905,
        glb906,
    )
)

RETIRED: tuple[str, ...] = ()


def analyse(facts: Facts) -> Report:
    """Apply every rule to the facts."""
    return _analyse(facts, RULES)
