"""Whatever goes wrong from the cut-over to the proof, the Service is put back, or is said to lead to Envoy perhaps."""

import asyncio
from collections.abc import Callable

import pytest

from kubectl_grpclb.model.errors import RefusedError
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.speech import Heard
from tests.change.acts import Listener, fix, fixing, receipt_of
from tests.fake_workshop import FakeWorkshop
from tests.virtual_time import run

BEFORE = FakeWorkshop().service["spec"]
CUT_OVER, NOTE = 9, 10
"""The numbers of the changes."""


def out_of_reach(shop: FakeWorkshop, seconds: float) -> Callable[[], None]:
    """Let the API server carry out what comes, and then give no answer for so long."""

    def begin() -> None:
        shop._silent = True
        asyncio.get_running_loop().call_later(seconds, lambda: setattr(shop, "_silent", False))

    return begin


@pytest.mark.parametrize("change", [CUT_OVER, NOTE], ids=["cut-over", "receipt"])
@pytest.mark.parametrize("seconds", [0.1, 5.0, 20.0])
def test_a_service_whose_cluster_gave_no_answer_for_a_while_is_put_back(
    shop: FakeWorkshop, change: int, seconds: float
) -> None:
    shop.before[change] = out_of_reach(shop, seconds)

    with pytest.raises(RefusedError, match=r"(?s)^could not reach the cluster: .*The Service is as it was before, and"):
        fix(shop)

    assert shop.service["spec"] == BEFORE
    assert shop.ours == []


def test_a_service_whose_proof_found_no_cluster_for_a_moment_is_put_back(shop: FakeWorkshop) -> None:
    def soon() -> None:
        asyncio.get_running_loop().call_soon(out_of_reach(shop, 0.1))

    shop.before[NOTE] = soon

    with pytest.raises(RefusedError, match="The Service is as it was before"):
        fix(shop)

    assert shop.service["spec"] == BEFORE
    assert shop.ours == []


def test_a_service_is_put_back_as_soon_as_the_lease_is_renewed_again(
    shop: FakeWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    greet = shop.greet

    async def be_out_of_reach(namespace: str, pod: str, port: int, seconds: float) -> Heard | Gap:
        if shop.leads_to_envoy and not shop._silent:
            out_of_reach(shop, 12.0)()
            await asyncio.sleep(12.01)
        return await greet(namespace, pod, port, seconds)

    monkeypatch.setattr(shop, "greet", be_out_of_reach)
    shop.loses.add("proof")

    with pytest.raises(RefusedError, match="The Service is as it was before"):
        fix(shop)

    assert shop.service["spec"] == BEFORE


def test_a_service_that_cannot_be_put_back_is_said_to_lead_to_envoy_perhaps(shop: FakeWorkshop) -> None:
    shop.before[CUT_OVER] = out_of_reach(shop, 1000)

    with pytest.raises(RefusedError, match=r"(?s)While undoing it: .*greeter may lead to Envoy .*fix .*rollback gree"):
        fix(shop)

    shop.revive()
    assert shop.leads_to_envoy
    assert ("deployments", "greeter-grpclb-envoy") in shop.ours
    assert receipt_of(shop).step == "checked"


def test_a_service_is_put_back_after_a_fault_of_this_program_too(
    shop: FakeWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    greet = shop.greet

    async def fail(namespace: str, pod: str, port: int, seconds: float) -> Heard | Gap:
        if shop.leads_to_envoy:
            raise KeyError("status")
        return await greet(namespace, pod, port, seconds)

    monkeypatch.setattr(shop, "greet", fail)

    with pytest.raises(KeyError):
        fix(shop)

    assert shop.service["spec"] == BEFORE
    assert shop.ours == []


def test_a_fix_that_is_interrupted_while_it_proves_says_what_it_does_first(
    shop: FakeWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    greet = shop.greet
    talk = Listener()

    async def take_long(namespace: str, pod: str, port: int, seconds: float) -> Heard | Gap:
        await asyncio.sleep(600 if shop.leads_to_envoy else 0)
        return await greet(namespace, pod, port, seconds)

    monkeypatch.setattr(shop, "greet", take_long)

    with pytest.raises(TimeoutError):
        run(asyncio.wait_for(fixing(shop, talk), timeout=60))

    assert shop.service["spec"] == BEFORE
    assert "interrupted: putting the Service back" in talk.text
    assert talk.lines[-1] == "the Service is as it was before, and what had been staged for it has been removed"
