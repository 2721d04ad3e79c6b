"""What GLB205 says where no running pod has the labels that the Service selects."""

from kubectl_grpclb.model.facts import Facts, Lookalike
from kubectl_grpclb.model.words import names
from kubectl_grpclb.rules.rule import Claim
from kubectl_grpclb.rules.words import pods

__all__ = ["nothing_matches"]


def nothing_matches(facts: Facts) -> Claim:
    """Say that there is no selector, that what it matches has ended, or which pods come near it."""
    selector = facts.service.selector
    labels = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    if not selector:
        said = (
            "The Service has no selector, so Kubernetes gives it no endpoints: somebody must write its "
            "EndpointSlices, and there are none."
        )
    elif facts.ended:
        return _all_ended(facts, labels)
    elif facts.lookalikes:
        said = f"No pod has the labels that the Service selects ({labels}). " + " ".join(
            map(_differs, facts.lookalikes[:3])
        )
    else:
        said = (
            f"No pod has the labels that the Service selects ({labels}), and none has similar ones; perhaps their "
            "workload is scaled to zero."
        )
    return Claim(
        message=said,
        evidence=[f"selector: {labels or 'none'}", "no EndpointSlice has an endpoint"]
        + [f"{like.name}: {_labels(like)}" for like in facts.lookalikes],
        confidence="high",
        explains=1.0,
        remedies=("selector",),
        next=[
            facts.aim.kubectl("get", "pods", options=("--show-labels",)),
            facts.aim.kubectl("edit", "service", facts.target.service),
        ],
    )


def _all_ended(facts: Facts, labels: str) -> Claim:
    count = len(facts.ended)
    have, all_have = ("has", "it has") if count == 1 else ("have", "all have")
    how = names(list(dict.fromkeys(pod.how for pod in facts.ended)))
    said = (
        f"{pods(count)} {have} the labels that the Service selects ({labels}), but {all_have} ended ({how}), and no "
        "other pod has them. A pod that has ended is not an endpoint."
    )
    return Claim(
        message=" ".join([said, *map(_differs, facts.lookalikes[:3])]),
        evidence=[
            f"selector: {labels}",
            "no EndpointSlice has an endpoint",
            *(f"{pod.name}: {pod.how}" for pod in facts.ended[:8]),
            *(f"{like.name}: {_labels(like)}" for like in facts.lookalikes),
        ],
        confidence="high",
        explains=1.0,
        remedies=("workload",),
        next=[
            facts.aim.kubectl("get", "pods", options=("-l", labels)),
            facts.aim.kubectl("describe", "pod", facts.ended[0].name),
        ],
    )


def _differs(like: Lookalike) -> str:
    return f"{like.owner or like.name} is similar: its pods have {_labels(like)}."


def _labels(like: Lookalike) -> str:
    return ", ".join(
        f"{key}={value}" if value is not None else f"no label {key}" for key, value in sorted(like.differing.items())
    )
