"""Others that write the Service, and would put back what the fix changes."""

from collections.abc import Iterable

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.surroundings import Ownership, Surroundings
from kubectl_grpclb.remedies.preflight.intent import Intent

__all__ = ["check"]


def check(facts: Facts, around: Surroundings, _: Intent) -> Iterable[Check]:
    """Refuse where something puts the Service back by itself; warn where somebody would have to run it."""
    return [_reverted(facts, owner) if owner.reverts else _rerun(owner) for owner in around.ownership]


def _reverted(facts: Facts, owner: Ownership) -> Check:
    return Check(
        level="refuse",
        name="gitops",
        message=f"{_who(owner)} writes this Service and puts it back when it is changed here, so the fix would not "
        "last.",
        do=f"{facts.aim.grpclb('fix', '--dry-run')} prints the manifests: put them beside the Service's own, where "
        f"{_who(owner)} takes them from. When Envoy is ready, make there the change to the Service that is printed "
        "last.",
    )


def _rerun(owner: Ownership) -> Check:
    upgrade = "helm upgrade" if owner.by == "Helm" else f"run of {owner.by}"
    where = "chart" if owner.by == "Helm" else "configuration"
    return Check(
        level="warn",
        name="helm" if owner.by == "Helm" else "owner",
        message=f"{_who(owner)} made this Service. The next {upgrade} may put its selector back, and with it the old "
        "path: calls go on, but they stick again.",
        do=f"Put the change to the Service into the {where} as well.",
    )


def _who(owner: Ownership) -> str:
    return f"{owner.by} ({owner.name})" if owner.name else owner.by
