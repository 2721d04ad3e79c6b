"""What the user asks of a fix, and how the flow talks to them."""

from typing import Any, Literal, Protocol

from msgspec import Struct

from kubectl_grpclb.model.plan import Plan

__all__ = ["Recycle", "Talk", "Wishes"]

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
