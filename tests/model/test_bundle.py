"""Names of what stands beside a Service."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_grpclb.model.bundle import Bundle, bundle_of, is_ours
from kubectl_grpclb.model.kube import Metadata

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
SERVICES = st.from_regex(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)


def names(bundle: Bundle) -> list[str]:
    return [bundle.headless, bundle.envoy, bundle.receipt]


def test_a_short_name_is_recognised_in_all_of_them() -> None:
    assert names(bundle_of("greeter")) == ["greeter-grpclb-pods", "greeter-grpclb-envoy", "greeter-grpclb"]


@given(SERVICES)
def test_every_name_is_a_dns_label(service: str) -> None:
    assert [each for each in names(bundle_of(service)) if len(each) > 63 or not LABEL.fullmatch(each)] == []


@given(SERVICES, SERVICES)
def test_two_services_never_share_a_name(one: str, other: str) -> None:
    shared = set(names(bundle_of(one))) & set(names(bundle_of(other)))

    assert bool(shared) == (one == other)


def test_long_names_that_begin_alike_stay_apart() -> None:
    begin = "recommendations-for-returning-customers-in-the-european-"

    one, other = bundle_of(f"{begin}union"), bundle_of(f"{begin}area")

    assert set(names(one)).isdisjoint(names(other))


@given(SERVICES)
def test_the_names_of_a_bundle_are_all_different_and_none_is_the_services(service: str) -> None:
    assert len({service, *names(bundle_of(service))}) == 4


@pytest.mark.parametrize(
    ("labels", "ours"),
    [
        ({"grpclb/service": "greeter", "app.kubernetes.io/managed-by": "kubectl-grpclb"}, True),
        ({"grpclb/service": "other"}, False),
        ({"app.kubernetes.io/managed-by": "kubectl-grpclb"}, False),
        ({}, False),
        (None, False),
    ],
)
def test_an_object_is_ours_by_the_label_that_names_its_service(labels: dict[str, str] | None, ours: bool) -> None:
    assert is_ours(Metadata(name="greeter-grpclb-envoy", labels=labels), "greeter") is ours
