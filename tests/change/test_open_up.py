"""An ephemeral container for a pod without a shell: added once, refused in words, never waited for in vain."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kubectl_grpclb.change.open_up import open_up
from kubectl_grpclb.model import kube
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.look import LOOK
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.snapshot import Objects, OpenUp, Refused
from kubectl_grpclb.model.write import Denied, PatchObject
from tests.fake_workshop import FakeWorkshop
from tests.shop import PODS
from tests.virtual_time import run

IMAGE = "busybox:1.37.0"
REQUEST = OpenUp("shop", PODS[0], LOOK, IMAGE)
POD = ("pods", "shop", PODS[0])
SECURITY = (
    'pods "greeter" is forbidden: violates PodSecurity "restricted:latest": unrestricted capabilities '
    '(container "grpclb-look" must set securityContext.capabilities.drop=["ALL"])'
)


def opened(shop: FakeWorkshop, request: OpenUp = REQUEST) -> kube.Pod:
    reading = run(open_up(shop, request, 30))
    assert reading.request == request
    assert isinstance(reading.answer, Objects), reading.answer
    (pod,) = reading.answer.items
    assert isinstance(pod, kube.Pod)
    return pod


def refused(shop: FakeWorkshop, request: OpenUp = REQUEST) -> Refused:
    answer = run(open_up(shop, request, 30)).answer
    assert isinstance(answer, Refused), answer
    return answer


def names(shop: FakeWorkshop) -> list[str]:
    return [each["name"] for each in shop.api.held[POD]["spec"].get("ephemeralContainers", ())]


def container(name: str = LOOK, image: str = IMAGE) -> Manifest:
    return {"name": name, "image": image}


def test_a_container_with_no_rights_is_added_and_awaited(shop: FakeWorkshop) -> None:
    pod = opened(shop)

    (write,) = shop.writes
    assert isinstance(write, PatchObject)
    assert (write.resource, write.subresource, write.style) == ("pods", "ephemeralcontainers", "strategic")
    assert isinstance(write.body, dict)
    (added,) = write.body["spec"]["ephemeralContainers"]
    assert (added["name"], added["image"]) == (LOOK, IMAGE)
    assert added["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
        "readOnlyRootFilesystem": True,
    }
    assert [each.name for each in pod.status.ephemeral_container_statuses or ()] == [LOOK]


def test_one_that_runs_is_used_again(shop: FakeWorkshop) -> None:
    opened(shop)
    shop.revive()

    opened(shop)

    assert shop.writes == []


def test_one_that_runs_is_used_again_without_asking_for_the_permission(shop: FakeWorkshop) -> None:
    opened(shop)
    shop.forbidden.add(("patch", "pods/ephemeralcontainers"))

    opened(shop)


@pytest.mark.parametrize(
    ("numbers", "next_one"), [([LOOK], f"{LOOK}-2"), ([LOOK, f"{LOOK}-2"], f"{LOOK}-3"), (["debugger-x"], LOOK)]
)
def test_one_that_has_ended_gets_a_successor(shop: FakeWorkshop, numbers: list[str], next_one: str) -> None:
    for name in numbers:
        shop.attach(PODS[0], container(name), {"terminated": {"reason": "Completed"}})

    opened(shop)

    assert names(shop) == [*numbers, next_one]


def ended(exit_code: int, seconds: float | None, reason: str = "Error") -> Manifest:
    """The state of a container that ran for so long; None for one that never began, as a kubelet tells it."""
    end = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    begin = datetime(1970, 1, 1, tzinfo=UTC) if seconds is None else end - timedelta(seconds=seconds)
    times = {"startedAt": stamp(begin), "finishedAt": stamp(end)}
    return {"terminated": {"exitCode": exit_code, "reason": reason, **times}}


def stamp(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (ended(127, 0), "exited with status 127 (Error)"),
        (ended(0, 3, "Completed"), "exited with status 0 (Completed)"),
        (ended(128, None, "StartError"), "exited with status 128 (StartError)"),
        ({"terminated": {"exitCode": 1, "reason": "Error"}}, "exited with status 1 (Error)"),
    ],
)
def test_an_image_whose_container_ends_at_once_is_not_added_again(
    shop: FakeWorkshop, state: Manifest, says: str
) -> None:
    shop.attach(PODS[0], container(), {"terminated": {"exitCode": 0, "reason": "Completed"}})
    shop.attach(PODS[0], container(f"{LOOK}-2"), state)

    answer = refused(shop)

    assert answer.reason is GapReason.DIED
    assert f"the ephemeral container {LOOK}-2 of {IMAGE} {says}" in answer.message
    assert "--debug-image" in answer.message
    assert "nothing was changed" in answer.message
    assert shop.writes == []


def test_an_image_that_ends_at_once_is_added_once_only(shop: FakeWorkshop) -> None:
    shop.states = {IMAGE: ended(1, 0)}

    refused(shop)
    refused(shop)

    assert names(shop) == [LOOK]


def test_an_image_that_ended_at_once_is_not_added_again_after_another(shop: FakeWorkshop) -> None:
    shop.attach(PODS[0], container(), ended(1, 0))
    shop.attach(PODS[0], container(f"{LOOK}-2", "other:1"), ended(1, 0))

    refused(shop)

    assert shop.writes == []


def test_another_image_is_added_after_one_that_ended_at_once(shop: FakeWorkshop) -> None:
    shop.attach(PODS[0], container(image="distroless:1"), ended(127, 0))

    opened(shop)

    assert names(shop) == [LOOK, f"{LOOK}-2"]


def test_one_that_was_killed_after_a_long_time_gets_a_successor(shop: FakeWorkshop) -> None:
    shop.attach(PODS[0], container(), ended(137, 86_400, "OOMKilled"))

    opened(shop)

    assert names(shop) == [LOOK, f"{LOOK}-2"]


def test_a_successor_that_runs_is_used_again(shop: FakeWorkshop) -> None:
    shop.attach(PODS[0], container(), {"terminated": {"reason": "Error"}})
    shop.attach(PODS[0], container(f"{LOOK}-2"), {"running": {}})

    opened(shop)

    assert shop.writes == []


def test_somebody_elses_container_is_not_ours(shop: FakeWorkshop) -> None:
    shop.attach(PODS[0], container("debugger-7xk2p"), {"running": {}})

    opened(shop)

    assert names(shop) == ["debugger-7xk2p", LOOK]


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "CreateContainerConfigError"])
def test_an_image_that_cannot_be_run_is_told_at_once(shop: FakeWorkshop, reason: str) -> None:
    shop.states = {IMAGE: {"waiting": {"reason": reason}}}

    answer = refused(shop)

    assert answer.reason is GapReason.DIED
    assert IMAGE in answer.message
    assert reason in answer.message


def test_an_image_that_could_not_be_had_is_not_added_twice(shop: FakeWorkshop) -> None:
    shop.attach(PODS[0], container(), {"waiting": {"reason": "ImagePullBackOff"}})

    refused(shop)

    assert shop.writes == []


def test_another_image_is_added_where_the_first_could_not_be_had(shop: FakeWorkshop) -> None:
    shop.attach(PODS[0], container(image="busybos:1"), {"waiting": {"reason": "ImagePullBackOff"}})

    opened(shop)

    assert names(shop) == [LOOK, f"{LOOK}-2"]


def test_an_image_without_sh_is_told(shop: FakeWorkshop) -> None:
    shop.states = {IMAGE: {"terminated": {"reason": "StartError"}}}

    assert "does it have sh and sleep?" in refused(shop).message


def test_one_that_is_not_started_in_time_is_told(shop: FakeWorkshop) -> None:
    shop.states = {IMAGE: {"waiting": {"reason": "ContainerCreating"}}}

    answer = refused(shop)

    assert answer.reason is GapReason.TIMED_OUT
    assert "30 s" in answer.message


def test_who_may_not_learns_the_rule_and_changes_nothing(shop: FakeWorkshop) -> None:
    shop.forbidden.add(("patch", "pods/ephemeralcontainers"))

    answer = refused(shop)

    assert answer.reason is GapReason.FORBIDDEN
    assert "nothing was changed" in answer.message
    assert 'resources: ["pods/ephemeralcontainers"], verbs: ["patch"]' in answer.message
    assert shop.writes == []


@pytest.mark.parametrize(
    ("denied", "reason", "says"),
    [
        (Denied(403, GapReason.FORBIDDEN, SECURITY), GapReason.FORBIDDEN, "violates PodSecurity"),
        (Denied(404, GapReason.DIED, "the server could not find the requested resource"), GapReason.DIED, "1.23"),
        (Denied(404, GapReason.DIED, f'pods "{PODS[0]}" not found'), GapReason.DIED, "deleted"),
        (Denied(422, GapReason.DIED, "static pods do not support ephemeral containers"), GapReason.DIED, "static"),
    ],
)
def test_the_clusters_refusal_is_an_answer(shop: FakeWorkshop, denied: Denied, reason: GapReason, says: str) -> None:
    shop.unchangeable[PODS[0]] = denied

    answer = refused(shop)

    assert (answer.reason, answer.status) == (reason, denied.status)
    assert says in answer.message


def test_a_pod_that_is_gone_is_an_answer(shop: FakeWorkshop) -> None:
    answer = refused(shop, OpenUp("shop", "greeter-gone", LOOK, IMAGE))

    assert (answer.reason, answer.status) == (GapReason.DIED, 404)


def test_a_pod_that_goes_meanwhile_is_an_answer(shop: FakeWorkshop) -> None:
    shop.states = {IMAGE: {"waiting": {"reason": "ContainerCreating"}}}

    async def pause(_: float) -> None:
        shop.api.held.pop(POD, None)

    answer = run(open_up(shop, REQUEST, 30, pause)).answer

    assert answer == Refused(GapReason.DIED, "the pod was deleted meanwhile", 404)


@pytest.mark.parametrize(
    ("field", "values", "says"),
    [
        ("metadata", {"deletionTimestamp": "2026-11-23T12:00:00Z"}, "being deleted"),
        ("status", {"phase": "Succeeded"}, "no longer running"),
    ],
)
def test_a_pod_that_ends_is_left_alone(shop: FakeWorkshop, field: str, values: dict[str, Any], says: str) -> None:
    shop.api.change(POD, lambda held: held[field].update(values))

    assert says in refused(shop).message
    assert shop.writes == []


def test_who_may_not_read_the_pod_learns_the_rule(shop: FakeWorkshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop.api, "get", lambda *_: Denied(403, GapReason.FORBIDDEN, "no"))

    assert 'resources: ["pods"], verbs: ["get"]' in refused(shop).message


def test_an_api_server_that_fails_is_an_answer(shop: FakeWorkshop) -> None:
    shop.failing["pods"] = 1

    assert refused(shop).status == 500
