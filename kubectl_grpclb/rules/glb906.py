"""GLB906: a server of a version that this program was not tried with."""

from collections.abc import Sequence

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.server import NEWEST, OLDEST, Age, age_of
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.rule import Claim, Rule

_TRIED = f"Kubernetes {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}"

_SAID: dict[Age, str] = {
    "older": "is older. Connections and calls are read from the pods all the same, but what the server does not yet "
    "say "
    "about Services and endpoints counts as not set, and it may refuse what fix creates.",
    "newer": "is newer. What it says that this version does not know is ignored; a newer kubectl-grpclb may know it.",
}


def check(facts: Facts, _: Assessment) -> Sequence[Claim]:
    """Hold where the server told a version that is older or newer than those."""
    version = facts.server_version or ""
    said = _SAID.get(age_of(version) or "tried")
    if said is None:
        return ()
    return (
        Claim(
            message=f"kubectl-grpclb was tested with {_TRIED}, and this server {said}",
            evidence=[f"the API server reports {printable(version)}"],
            confidence="high",
            explains=0.0,
        ),
    )


RULE = Rule(code="GLB906", title="This was not tested with the cluster's version", severity="info", check=check)
