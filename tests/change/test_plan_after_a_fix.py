"""What a plan says on a Service that an earlier fix staged or fixed."""

import pytest

from tests.change.acts import Listener, fix
from tests.fake_workshop import FakeWorkshop

ASKED = "It is the strategy that you asked for."
EARLIER = "It is the strategy of the earlier fix."


def why(shop: FakeWorkshop, strategy: str) -> tuple[str, ...]:
    """Why the plan that is shown has this strategy; with another access log there is something to do."""
    talk = Listener()
    fix(shop, talk, strategy=strategy, envoy={"access_log": "all"})
    return talk.shown[-1].why


def test_a_strategy_is_said_to_be_asked_for_where_it_was(shop: FakeWorkshop) -> None:
    assert ASKED in why(shop, "envoy")


@pytest.mark.parametrize("staged", [True, False], ids=["staged", "in use"])
def test_a_strategy_that_an_earlier_fix_had_is_said_to_be_its(shop: FakeWorkshop, staged: bool) -> None:
    fix(shop, stage_only=staged)

    reasons = why(shop, "auto")

    assert EARLIER in reasons
    assert ASKED not in reasons


def test_a_strategy_that_was_asked_for_again_is_said_to_be_asked_for(shop: FakeWorkshop) -> None:
    fix(shop, stage_only=True)

    assert ASKED in why(shop, "envoy")
