"""What the user asks of a fix, and how the flow talks to them."""

from typing import Any, Literal, Protocol

import msgspec
from msgspec import Struct

from kubectl_grpclb.model.plan import Plan
from kubectl_grpclb.remedies.envoy.options import EnvoyOptions

__all__ = ["Recycle", "Talk", "Wishes", "chosen"]

Recycle = Literal["none", "clients"]


class Wishes(Struct, frozen=True, kw_only=True):
    """The flags of `fix`."""

    strategy: Literal["auto", "envoy", "headless", "client", "gateway"] = "auto"
    envoy: dict[str, Any] = {}
    """Fields of EnvoyOptions that the user gave; the others are an earlier fix's, or the defaults."""
    recycle: Recycle = "none"
    stage_only: bool = False
    seconds: float = 120.0
    """How long pods may take to get ready."""


class Talk(Protocol):
    """The user, as a flow sees them."""

    def say(self, line: str) -> None:
        """Tell what was done, or what is waited for."""
        ...

    def show(self, plan: Plan) -> None:
        """Show what would be done."""
        ...

    def confirm(self, question: str) -> None:
        """Ask whether to go on. Raises DeclinedError where the answer is no, UsageError where nobody is there."""
        ...

    def observe(self, what: str, done: int, total: int) -> None:
        """Say how far a reading has come."""
        ...


def chosen(wishes: Wishes, earlier: dict[str, Any]) -> EnvoyOptions:
    """Merge the user's choices over an earlier fix's over the defaults."""
    return msgspec.convert({**earlier, **wishes.envoy}, EnvoyOptions)
