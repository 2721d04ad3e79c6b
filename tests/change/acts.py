"""`fix` and `rollback` of the shop's Service, as a user runs them, with what they were told."""

from pathlib import Path
from typing import Any

from kubectl_grpclb.flows.fix import Fixed
from kubectl_grpclb.flows.fix import fix as carry_out
from kubectl_grpclb.flows.rollback import Undoing
from kubectl_grpclb.flows.rollback import rollback as undo
from kubectl_grpclb.flows.wishes import Recycle, Talk, Wishes
from kubectl_grpclb.model.errors import DeclinedError
from kubectl_grpclb.model.plan import Plan
from kubectl_grpclb.model.receipt import Receipt, decode_receipt
from kubectl_grpclb.probes.ask import Ask
from tests.fake_workshop import FakeWorkshop, KilledError
from tests.virtual_time import run

ASK = Ask("shop", "greeter", cluster_domain="cluster.local")


class Listener:
    """A user who says yes, or no, and hears everything."""

    def __init__(self, *, agrees: bool = True) -> None:
        self._agrees = agrees
        self.lines: list[str] = []
        self.shown: list[Plan] = []
        self.questions: list[str] = []

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def say(self, line: str) -> None:
        self.lines.append(line)

    def show(self, plan: Plan) -> None:
        self.shown.append(plan)

    def confirm(self, question: str) -> None:
        self.questions.append(question)
        if not self._agrees:
            raise DeclinedError("nothing was changed")

    def observe(self, what: str, done: int, total: int) -> None:
        """Progress is for eyes."""


def fixing(shop: FakeWorkshop, talk: Talk | None = None, **wishes: Any) -> Any:
    """`fix greeter --strategy envoy`, as a coroutine."""
    return carry_out(shop, ASK, Wishes(**{"strategy": "envoy", **wishes}), talk or Listener())


def fix(shop: FakeWorkshop, talk: Talk | None = None, **wishes: Any) -> Fixed:
    """`fix greeter --strategy envoy`."""
    fixed: Fixed = run(fixing(shop, talk, **wishes))
    return fixed


def rollback(
    shop: FakeWorkshop, talk: Talk | None = None, recycle: Recycle = "none", file: Path | None = None
) -> Undoing:
    """`rollback greeter`."""
    undone: Undoing = run(rolling_back(shop, talk, recycle, file))
    return undone


def rolling_back(
    shop: FakeWorkshop, talk: Talk | None = None, recycle: Recycle = "none", file: Path | None = None
) -> Any:
    """`rollback greeter`, as a coroutine."""
    return undo(shop, "shop", "greeter", recycle=recycle, seconds=60.0, file=file, talk=talk or Listener())


def killed(act: Any, shop: FakeWorkshop, after: int) -> None:
    """Run something, and kill it when it has made so many changes; then the machine starts again."""
    shop.killed_after = after
    try:
        act(shop)
    except KilledError:
        pass
    else:
        raise AssertionError(f"it was done before {after} changes")
    finally:
        shop.revive()


def receipt_of(shop: FakeWorkshop) -> Receipt:
    """Read the receipt beside the Service."""
    held = shop.api.held["configmaps", "shop", "greeter-grpclb"]
    return decode_receipt(held["data"]["receipt.json"].encode())
