"""Objects of Kubernetes 1.27 to 1.37, and of servers that tell more than anybody knows, read by the real adapter."""

from pathlib import Path
from typing import Any

import pytest

from kubectl_grpclb.flows.prepare import planned_from
from kubectl_grpclb.flows.wishes import Wishes
from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.model.server import NEWEST, OLDEST
from kubectl_grpclb.model.snapshot import Snapshot, decode_snapshot, encode_snapshot
from tests.versions.api import recorded
from tests.versions.server import Change, Seen, of_version, read_from, seen

MINORS = range(OLDEST[1], NEWEST[1] + 1)
NAMES = [each["metadata"]["name"] for each in recorded("pods")["items"]]

ADDRESSES = [each["addresses"][0] for slice_ in recorded("endpointslices")["items"] for each in slice_["endpoints"]]


def seen_of(directory: Path, change: Change, version: str = "v1.37.2") -> Seen:
    return seen(read_from(directory, version, change)[1])


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """What is seen of the real 1.37."""
    return seen_of(tmp_path_factory.mktemp("today"), lambda _, item: item)


def test_the_real_server_shows_what_it_showed_when_it_was_recorded(today: Seen) -> None:
    assert today.verdict == "unbalanced"
    assert [code for code, _ in today.findings] == ["GLB101"]
    assert {name: connections for name, *_, connections, _ in today.pods} == {
        "greeter-584f78985f-xn5xj": 2,
        "greeter-584f78985f-x6cqp": 0,
    }
    assert {owner for _, owner, *_ in today.clients} == {"Deployment/greeter-caller"}


@pytest.fixture(scope="module", params=MINORS, ids="1.{}".format)
def read(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Snapshot, Report]:
    """What was read from a server of each version, and the report on it."""
    minor: int = request.param
    return read_from(tmp_path_factory.mktemp("older"), f"v1.{minor}.3", of_version(minor))


def test_the_same_is_seen_of_every_version(read: tuple[Snapshot, Report], today: Seen) -> None:
    assert seen(read[1]) == today


def test_a_fix_is_planned_alike_for_every_version(read: tuple[Snapshot, Report]) -> None:
    plan = planned_from(decode_snapshot(encode_snapshot(read[0])), Wishes(strategy="envoy"))

    kinds = [each.manifest["kind"] for each in plan.create]
    assert kinds == ["Service", "ConfigMap", "PodDisruptionBudget", "Deployment"]
    assert plan.refused == ()


@pytest.mark.parametrize(("version", "codes"), [("v1.26.9", ["GLB101", "GLB906"]), ("v1.38.0", ["GLB101", "GLB906"])])
def test_any_other_version_is_named_in_the_report(version: str, codes: list[str], tmp_path: Path) -> None:
    _, report = read_from(tmp_path, version, lambda _, item: item)

    assert [each.code for each in report.findings] == codes


def test_fields_that_nobody_knows_yet_are_passed_over(today: Seen, tmp_path: Path) -> None:
    assert seen_of(tmp_path, lambda _, item: _with_more(item)) == today


def _with_more(value: Any) -> Any:
    """Add a field to every object but those that hold only text, which may be labels or a selector."""
    if isinstance(value, list):
        return [_with_more(each) for each in value]
    if not isinstance(value, dict):
        return value
    more = {key: _with_more(held) for key, held in value.items()}
    only_text = all(isinstance(held, str) for held in value.values())
    return more if only_text else {**more, "quantumState": {"entangledWith": [1, None, "x"]}}


def put(kind: str, path: str, value: object) -> Change:
    """Put a value in place of what is at a path; * is each item of a list."""

    def change(found: str, item: Any) -> Any:
        if found != kind:
            return item
        return _put(item, path.split("."), value)

    return change


def _put(held: Any, path: list[str], value: object) -> Any:
    if not path:
        return value
    first, *rest = path
    if first == "*":
        return [_put(each, rest, value) for each in held] if isinstance(held, list) else held
    return {**held, first: _put(held.get(first), rest, value)}


UNKNOWN = "Quantum"


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Service", "spec.type", UNKNOWN),
        ("Service", "spec.sessionAffinity", UNKNOWN),
        ("Service", "spec.internalTrafficPolicy", UNKNOWN),
        ("Service", "spec.externalTrafficPolicy", UNKNOWN),
        ("Service", "spec.trafficDistribution", UNKNOWN),
        ("Service", "spec.ipFamilies", ["IPv8"]),
        ("Service", "spec.ports.*.appProtocol", UNKNOWN),
        ("EndpointSlice", "addressType", UNKNOWN),
        ("EndpointSlice", "endpoints.*.conditions", {"ready": True, "quantum": True}),
        ("EndpointSlice", "endpoints.*.conditions", {}),
        ("EndpointSlice", "endpoints.*.targetRef.kind", UNKNOWN),
        ("EndpointSlice", "endpoints.*.hints", {"forQubits": [{"name": UNKNOWN}]}),
        ("EndpointSlice", "ports.*.protocol", UNKNOWN),
        ("Pod", "status.phase", UNKNOWN),
        ("Pod", "status.conditions", [{"type": UNKNOWN, "status": UNKNOWN}]),
        ("Pod", "status.containerStatuses.*.state", {"superposed": {"since": "2031-01-01T00:00:00Z"}}),
        ("Pod", "status.initContainerStatuses.*.state", {}),
        ("Pod", "spec.initContainers.*.restartPolicy", UNKNOWN),
        ("Pod", "spec.containers.*.ports.*.protocol", UNKNOWN),
        ("Pod", "spec.containers.*.readinessProbe", {"quantum": {}}),
        ("Pod", "metadata.ownerReferences.*.kind", UNKNOWN),
        ("Node", "status.addresses.*.type", UNKNOWN),
        ("Node", "metadata.labels", None),
        ("Deployment", "spec.strategy.type", UNKNOWN),
        ("HorizontalPodAutoscaler", "spec.metrics.*.type", UNKNOWN),
        ("HorizontalPodAutoscaler", "status.currentMetrics", [{"type": UNKNOWN, "quantum": {}}]),
        ("HorizontalPodAutoscaler", "spec.scaleTargetRef.kind", UNKNOWN),
    ],
)
def test_a_value_that_nobody_knows_yet_keeps_no_report_away(
    kind: str, path: str, value: object, tmp_path: Path
) -> None:
    shown = seen_of(tmp_path, put(kind, path, value))

    assert {name for name, *_ in shown.pods} <= {*NAMES, *ADDRESSES}
    assert shown.pods
