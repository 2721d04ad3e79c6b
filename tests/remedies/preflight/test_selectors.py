"""Label selectors, also where some labels are not known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_grpclb.model.kube import LabelRequirement, LabelSelector
from kubectl_grpclb.remedies.preflight.selectors import matches

KEYS = st.sampled_from(["app", "tier", "env"])
VALUES = st.sampled_from(["greeter", "back", "prod"])
LABELS = st.dictionaries(KEYS, VALUES)
REQUIREMENTS = st.builds(
    LabelRequirement,
    key=KEYS,
    operator=st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
    values=st.lists(VALUES, min_size=1).map(tuple),
)
SELECTORS = st.builds(
    LabelSelector, match_labels=LABELS | st.none(), match_expressions=st.lists(REQUIREMENTS).map(tuple) | st.none()
)
OPPOSITE = {"In": "NotIn", "NotIn": "In", "Exists": "DoesNotExist", "DoesNotExist": "Exists"}


def one(operator: str, *values: str) -> LabelSelector:
    return LabelSelector(match_expressions=(LabelRequirement("app", operator, values),))


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        (LabelSelector(), True),
        (LabelSelector(match_labels={"app": "greeter"}), True),
        (LabelSelector(match_labels={"app": "greeter", "tier": "back"}), False),
        (one("In", "greeter", "caller"), True),
        (one("NotIn", "caller"), True),
        (one("Exists"), True),
        (one("DoesNotExist"), False),
        (one("Gt", "1"), None),
    ],
)
def test_everything_in_a_selector_must_hold(selector: LabelSelector, selected: bool | None) -> None:
    assert matches(selector, {"app": "greeter"}) is selected


def test_not_in_holds_where_the_label_is_absent() -> None:
    assert matches(one("NotIn", "greeter"), {}) is True


def test_a_label_that_is_not_known_decides_nothing() -> None:
    assert matches(LabelSelector(match_labels={"team": "web"}), {}, complete=False) is None


def test_a_known_label_that_differs_decides_whatever_is_not_known() -> None:
    selector = LabelSelector(match_labels={"team": "web", "app": "caller"})

    assert matches(selector, {"app": "greeter"}, complete=False) is False


@given(REQUIREMENTS, LABELS)
def test_a_requirement_or_its_opposite_holds(requirement: LabelRequirement, labels: dict[str, str]) -> None:
    opposite = LabelRequirement(requirement.key, OPPOSITE[requirement.operator], requirement.values)

    held = [matches(LabelSelector(match_expressions=(each,)), labels) for each in (requirement, opposite)]

    assert sorted(held, key=str) == [False, True]


@given(SELECTORS, LABELS, LABELS)
def test_what_is_decided_with_some_labels_stays_so_with_more(
    selector: LabelSelector, some: dict[str, str], more: dict[str, str]
) -> None:
    early = matches(selector, some, complete=False)

    assert early in {None, matches(selector, {**more, **some})}
