"""ResourceQuotas: whether there is room for the bundle."""

import msgspec
import pytest
from msgspec.structs import replace

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.remedies.preflight.quota import check
from tests.remedies.builders import INTENT, around, known


def found(hard: dict[str, str], used: dict[str, str], **spec: object) -> list[Check]:
    data = {"metadata": {"name": "compute", "namespace": "shop"}, "spec": spec, "status": {"hard": hard, "used": used}}
    return list(check(known(), around(quotas=(msgspec.convert(data, kube.ResourceQuota),)), INTENT))


@pytest.mark.parametrize(
    ("resource", "hard", "used"),
    [
        ("pods", "5", "4"),
        ("count/pods", "5", "4"),
        ("requests.cpu", "2", "1850m"),
        ("cpu", "2", "1850m"),
        ("requests.memory", "1Gi", "800Mi"),
        ("limits.memory", "2Gi", "1100Mi"),
        ("services", "1", "1"),
        ("configmaps", "3", "2"),
        ("count/deployments.apps", "1", "1"),
    ],
)
def test_a_quota_without_room_is_refused(resource: str, hard: str, used: str) -> None:
    assert [each.level for each in found({resource: hard}, {resource: used})] == ["refuse"]


@pytest.mark.parametrize(
    ("resource", "hard", "used"),
    [
        ("pods", "6", "4"),
        ("requests.cpu", "2", "1800m"),
        ("limits.memory", "2Gi", "1Gi"),
        ("secrets", "0", "0"),
        ("requests.storage", "1Gi", "1Gi"),
    ],
)
def test_a_quota_with_just_enough_room_or_of_other_things_is_no_matter(resource: str, hard: str, used: str) -> None:
    assert found({resource: hard}, {resource: used}) == []


def test_what_is_missing_is_said_in_numbers() -> None:
    (said,) = found({"requests.cpu": "2"}, {"requests.cpu": "1850m"})

    assert "of requests.cpu 1850m of 2000m are used, and the fix needs 200m more" in said.message
    assert "raised by 50m" in said.do


def test_a_quota_on_cpu_limits_is_warned_of_since_a_limit_range_may_set_them() -> None:
    (said,) = found({"limits.cpu": "8"}, {"limits.cpu": "1"})

    assert (said.level, "LimitRange" in said.message) == ("warn", True)


def test_an_amount_that_cannot_be_read_is_warned_of() -> None:
    assert [each.level for each in found({"pods": "many"}, {})] == ["warn"]


@pytest.mark.parametrize(
    ("spec", "counts"),
    [
        ({"scopes": ["BestEffort"]}, False),
        ({"scopes": ["Terminating"]}, False),
        ({"scopes": ["NotTerminating", "NotBestEffort"]}, True),
        ({"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "Exists"}]}}, False),
        (
            {
                "scopeSelector": {
                    "matchExpressions": [{"scopeName": "PriorityClass", "operator": "NotIn", "values": ["a"]}]
                }
            },
            True,
        ),
    ],
)
def test_a_quota_for_other_pods_is_left_aside(spec: dict[str, object], counts: bool) -> None:
    assert bool(found({"pods": "1"}, {"pods": "1"}, **spec)) is counts


def test_a_bundle_that_is_there_needs_room_for_one_pod_more() -> None:
    data = {
        "metadata": {"name": "compute"},
        "status": {"hard": {"services": "2", "pods": "6"}, "used": {"services": "2", "pods": "5"}},
    }
    here = around(quotas=(msgspec.convert(data, kube.ResourceQuota),), standing=("Service", "ConfigMap", "Deployment"))

    assert list(check(known(), here, INTENT)) == []


def test_a_bundle_whose_envoys_are_gone_needs_room_for_all_of_them() -> None:
    data = {
        "metadata": {"name": "compute"},
        "status": {"hard": {"services": "2", "pods": "6"}, "used": {"services": "2", "pods": "5"}},
    }
    here = around(quotas=(msgspec.convert(data, kube.ResourceQuota),), standing=("Service", "ConfigMap"))

    assert ["pods" in each.message for each in check(known(), here, INTENT)] == [True]


def test_quotas_that_could_not_be_read_are_warned_of() -> None:
    here = replace(around(), quotas=Gap(GapReason.FORBIDDEN, "no"))

    assert [each.level for each in check(known(), here, INTENT)] == ["warn"]
