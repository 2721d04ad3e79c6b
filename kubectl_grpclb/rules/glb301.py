"""GLB301: the objects of a fix are there, but the Service leads straight to its servers."""

from collections.abc import Sequence

from kubectl_grpclb.model.bundle import SERVICE_LABEL, bundle_of
from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.rule import Claim, Rule


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where the headless Service of a fix is there and the Service selects other pods than Envoy's."""
    if facts.bundle != "bypassed":
        return ()
    target, bundle = facts.target, bundle_of(facts.target.service)
    selector = ",".join(f"{key}={value}" for key, value in sorted(facts.service.selector.items()))
    return (
        Claim(
            message=(
                "A fix was prepared for this Service, but the Service does not select the fix's Envoys: calls go "
                "straight to the servers, as without a fix. Either its own manifest was applied again, by a person or "
                "by a tool that keeps the cluster in line with a repository (Argo CD, Flux), or the fix stopped before "
                "the cut-over (--stage-only). Cut over again, or remove what is left of the fix."
            ),
            evidence=[
                f"Service {bundle.headless} exists, with the label {SERVICE_LABEL}={target.service}",
                f"Service {target.service} selects {selector or 'nothing'}; with the fix, one value is {bundle.envoy}",
            ],
            confidence="high",
            explains=1.0 if load.unbalanced else 0.5,
            remedies=("envoy",),
            next=[
                facts.aim.grpclb("fix"),
                facts.aim.grpclb("rollback"),
            ],
        ),
    )


RULE = Rule(
    code="GLB301",
    title="A fix is in place, but the Service bypasses it",
    severity="warning",
    check=check,
)
