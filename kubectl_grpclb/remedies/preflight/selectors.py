"""Label selectors, also over labels of which only some are known."""

from collections.abc import Iterable, Mapping

from kubectl_grpclb.model.kube import LabelRequirement, LabelSelector

__all__ = ["all_of", "any_of", "matches"]


def matches(selector: LabelSelector, labels: Mapping[str, str], *, complete: bool = True) -> bool | None:
    """Tell whether an object with these labels is selected; None where that hangs on a label that is not known.

    Everything must hold, and an empty selector matches all (meta/v1 LabelSelector). With `complete` a label that
    is not there is absent, else it is unknown.
    """
    equal = (LabelRequirement(key, "In", (value,)) for key, value in (selector.match_labels or {}).items())
    required = (*equal, *(selector.match_expressions or ()))
    return all_of(_holds(each, labels, complete=complete) for each in required)


def any_of(verdicts: Iterable[bool | None]) -> bool | None:
    """Or: True where one is, else None where one is not known."""
    seen = set(verdicts)
    return True if True in seen else None if None in seen else False


def all_of(verdicts: Iterable[bool | None]) -> bool | None:
    """And: False where one is, else None where one is not known."""
    seen = set(verdicts)
    return False if False in seen else None if None in seen else True


def _holds(requirement: LabelRequirement, labels: Mapping[str, str], *, complete: bool) -> bool | None:
    """NotIn holds also where the label is absent (apimachinery pkg/labels/selector.go)."""
    if requirement.key not in labels and not complete:
        return None
    value, values = labels.get(requirement.key), requirement.values or ()
    outcome = {
        "In": value is not None and value in values,
        "NotIn": value is None or value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }
    return outcome.get(requirement.operator)
