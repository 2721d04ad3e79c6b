"""What is said of pods that are waited for, and of those that will not start."""

import asyncio
from typing import Any

import pytest

from kubectl_grpclb.change.rollout import until_rolled_out
from kubectl_grpclb.model.errors import RefusedError
from kubectl_grpclb.model.plan import Manifest
from tests.change.acts import fix
from tests.fake_workshop import FakeWorkshop
from tests.virtual_time import run

IMAGE = "registry.example.com/envoy:nope"
ENVOY = ("deployments", "shop", "greeter-grpclb-envoy")


def have(shop: FakeWorkshop, monkeypatch: pytest.MonkeyPatch, **status: Any) -> None:
    """Let every Envoy pod have this in its status."""
    make = shop._make_envoys

    def edited(deployment: Manifest, wanted: int) -> int:
        ready = make(deployment, wanted)
        for pod in shop.selected({"grpclb/part": "envoy"}):
            shop.api.change(("pods", "shop", pod), lambda held: held["status"].update(status))
        return ready

    monkeypatch.setattr(shop, "_make_envoys", edited)


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName"])
def test_an_image_of_envoy_that_cannot_be_pulled_is_named_with_the_flag_for_another(
    shop: FakeWorkshop, reason: str
) -> None:
    shop.waiting = {"reason": reason, "message": "manifest unknown"}

    with pytest.raises(RefusedError, match=rf"does not start: {reason}: manifest unknown\. ") as caught:
        fix(shop, envoy={"image": IMAGE})

    assert f"The image is {IMAGE}; `--envoy-image` takes another one, which the nodes can pull" in str(caught.value)


def test_an_envoy_that_crashes_has_no_need_of_another_image(shop: FakeWorkshop) -> None:
    shop.waiting = {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container"}

    with pytest.raises(RefusedError) as caught:
        fix(shop)

    assert "--envoy-image" not in str(caught.value)


def test_the_image_of_a_sidecar_that_was_injected_is_not_envoys(
    shop: FakeWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}
    sidecar = {"name": "istio-proxy", "ready": False, "state": {"waiting": waiting}}
    shop.waiting = waiting
    have(shop, monkeypatch, containerStatuses=[sidecar])

    with pytest.raises(RefusedError, match="does not start: ImagePullBackOff") as caught:
        fix(shop)

    assert "--envoy-image" not in str(caught.value)


def test_a_workload_of_somebody_else_has_no_flag_for_its_image(shop: FakeWorkshop) -> None:
    shop.waiting = {"reason": "ErrImagePull", "message": "manifest unknown"}
    deploy(shop)

    with pytest.raises(RefusedError, match="does not start: ErrImagePull") as caught:
        run(until_rolled_out(shop, "deployments", "shop", ENVOY[2], "app=greeter-grpclb-envoy", 60.0, ignore))

    assert "--envoy-image" not in str(caught.value)


def deploy(shop: FakeWorkshop) -> None:
    """Let there be a Deployment whose pods wait."""
    labels = {"app": "greeter-grpclb-envoy", "grpclb/service": "greeter", "grpclb/part": "envoy"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "envoy", "image": IMAGE}]}}
    metadata = {"name": ENVOY[2], "namespace": "shop", "labels": labels, "generation": 1}
    shop.api.put("deployments", {"kind": "Deployment", "metadata": metadata, "spec": {"template": template}})
    shop.reconcile()


def ignore(_: str) -> None:
    """Progress is for eyes."""


def test_pods_that_are_not_ready_in_time_say_for_what_their_containers_wait(shop: FakeWorkshop) -> None:
    shop.waiting = {"reason": "ContainerCreating"}

    with pytest.raises(RefusedError, match=r"was not ready within 120 s: .*-e1e1e: envoy waits: ContainerCreating"):
        fix(shop)


def test_what_the_kubelet_says_of_the_pod_is_kept_beside_it(
    shop: FakeWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    unready = {"type": "Ready", "status": "False", "message": "containers with unready status: [envoy]"}
    shop.waiting = {"reason": "ContainerCreating"}
    have(shop, monkeypatch, conditions=[unready])

    with pytest.raises(RefusedError, match=r"unready status: \[envoy\], envoy waits: ContainerCreating"):
        fix(shop)


def rolling(shop: FakeWorkshop, observed: int, updated: int) -> None:
    """Let the status of the clients' Deployment, of generation 2, be about this generation."""
    status = {"observedGeneration": observed, "replicas": 2, "updatedReplicas": updated, "readyReplicas": 2}
    shop.api.held["deployments", "shop", "caller"]["status"] = status
    shop.api.held["deployments", "shop", "caller"]["metadata"]["generation"] = 2


def test_the_status_of_before_a_restart_is_not_told(shop: FakeWorkshop) -> None:
    lines: list[str] = []

    async def restarted() -> None:
        loop = asyncio.get_running_loop()
        rolling(shop, observed=1, updated=2)
        loop.call_later(2, lambda: rolling(shop, observed=2, updated=1))
        loop.call_later(4, lambda: rolling(shop, observed=2, updated=2))
        await until_rolled_out(shop, "deployments", "shop", "caller", "", 60.0, lines.append)

    run(restarted())

    assert lines == ["waiting for Deployment caller: 1 of 2 pods updated, 2 ready"]


def test_a_workload_whose_controller_does_nothing_is_said_to_wait_for_that(shop: FakeWorkshop) -> None:
    rolling(shop, observed=1, updated=2)

    with pytest.raises(RefusedError, match="was not ready within 60 s: its controller has not taken up the change"):
        run(until_rolled_out(shop, "deployments", "shop", "caller", "", 60.0, ignore))
