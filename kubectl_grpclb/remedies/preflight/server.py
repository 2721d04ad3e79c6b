"""What the API server is."""

from collections.abc import Iterable

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.server import OLDEST, age_of
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.remedies.preflight.intent import Intent

__all__ = ["check"]


def check(facts: Facts, _: Surroundings, __: Intent) -> Iterable[Check]:
    """Warn of a server that is older than those against whose definitions the bundle is checked."""
    version = facts.server_version or ""
    if age_of(version) == "older":
        yield Check(
            level="warn",
            name="server",
            message=f"The API server is {printable(version)}, older than {OLDEST[0]}.{OLDEST[1]}, the oldest whose API "
            "what is created was checked against. It may refuse some of it.",
            do="Let the server admit it before anything is changed (--dry-run=server).",
        )
