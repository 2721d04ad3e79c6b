"""CPU and memory of the servers by the metrics API, and the autoscaler beside them."""

from typing import Any

import pytest

from kubectl_grpclb.model.facts import Autoscaler, Facts, Usage
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import Refused
from tests.probes.asked import facts_of
from tests.shop import PODS, sticky


def used(name: str, *containers: tuple[str, str], app: str = "greeter", namespace: str = "shop") -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": app}},
        "window": "15s",
        "containers": [{"name": f"c{n}", "usage": {"cpu": c, "memory": m}} for n, (c, m) in enumerate(containers)],
    }


def usage(*metrics: dict[str, Any]) -> dict[str, Usage | None]:
    found: Facts = facts_of(sticky(podmetrics=metrics), window=0.0)
    return {each.name: each.usage for each in found.pods}


def scaler(
    name: str = "greeter", *, kind: str = "Deployment", target: str = "greeter", resource: str = "cpu", **amount: int
) -> dict[str, Any]:
    aimed = {"type": "Resource", "resource": {"name": resource, "target": amount or {"averageUtilization": 80}}}
    now = {"type": "Resource", "resource": {"name": resource, "current": {"averageUtilization": 41}}}
    return {
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"scaleTargetRef": {"kind": kind, "name": target}, "maxReplicas": 10, "metrics": [aimed]},
        "status": {"currentReplicas": 3, "desiredReplicas": 3, "currentMetrics": [now]},
    }


def autoscaler(*scalers: dict[str, Any]) -> Autoscaler | None:
    return facts_of(sticky(horizontalpodautoscalers=scalers), window=0.0).autoscaler


def test_a_pods_usage_is_that_of_all_its_containers() -> None:
    found = usage(used(PODS[0], ("250m", "64Mi"), ("1500000n", "1000Ki")), used(PODS[1], ("0", "0")))

    assert found[PODS[0]] == Usage(cpu=0.2515, memory=64 * 1024**2 + 1000 * 1024)
    assert found[PODS[1]] == Usage(cpu=0.0, memory=0)
    assert found[PODS[2]] is None


@pytest.mark.parametrize("containers", [(), (("250m", "64Mi"), ("much", "1Mi")), (("1", ""),)])
def test_usage_that_is_not_known_of_every_container_is_not_known(containers: tuple[tuple[str, str], ...]) -> None:
    assert usage(used(PODS[0], *containers))[PODS[0]] is None


def test_usage_of_a_pod_of_that_name_in_another_namespace_is_not_the_servers() -> None:
    assert usage(used(PODS[0], ("1", "1Mi"), namespace="billing"))[PODS[0]] is None


def test_usage_that_may_not_be_read_is_unknown_and_said_to_be() -> None:
    refused = {"podmetrics": Refused(GapReason.FORBIDDEN, "no", 403)}

    found = facts_of(sticky(refused=refused), window=0.0)

    assert [each.usage for each in found.pods] == [None] * 3
    assert [each.consequence for each in found.refusals] == ["CPU and memory of the pods are unknown"]


def test_the_autoscaler_is_the_one_of_the_servers_owner() -> None:
    assert autoscaler(scaler("cart", target="cart"), scaler()) == Autoscaler("greeter", 80, 41, 3, 3, 10)


@pytest.mark.parametrize(
    "other",
    [scaler(target="cart"), scaler(kind="StatefulSet"), scaler(resource="memory"), scaler(averageValue=1)],
    ids=["of another workload", "of another kind", "by memory", "by a plain amount"],
)
def test_an_autoscaler_that_does_not_go_by_the_servers_cpu_is_none(other: dict[str, Any]) -> None:
    assert autoscaler(other) is None


def test_an_autoscaler_that_has_not_measured_yet_has_no_current_value() -> None:
    young = scaler()
    young["status"] = {}

    assert autoscaler(young) == Autoscaler("greeter", 80, None, 0, 0, 10)
