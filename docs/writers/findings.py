"""The page that lists every finding."""

from kubectl_grpclb.rules import RULES

__all__ = ["findings"]


def findings() -> str:
    """Give the page that lists every finding."""
    rows = "".join(
        f"| [{rule.code}](../kubectl_grpclb/rules/{rule.code.lower()}.md) | {rule.severity} | {rule.title} |\n"
        for rule in RULES
    )
    return (
        "# Findings\n\n"
        "Written by `make docs` from the rules. `kubectl grpclb explain CODE` prints the same pages: what the finding "
        "means,\nhow it is told, what to do, and when to leave it.\n\n"
        "GLB1xx tell how load lands, GLB2xx of the Service and its endpoints, GLB3xx of proxies, GLB4xx of the "
        "application and its\ncapacity, and GLB9xx of what kept `diagnose` from looking.\n\n"
        "| code | severity | what it says |\n| --- | --- | --- |\n" + rows
    )
